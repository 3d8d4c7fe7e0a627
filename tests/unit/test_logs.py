"""Logs as people read them: in order, for a time, without secrets; and how they are fetched."""

import json
import os
import shlex
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.logs import HIDDEN, SERVICES, BadSince, in_order, readable, remote_command, services_of, shown, since
from berth.ssh import NoSsh, command

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl"


def request(minute: int, path: str = "/rest/v1/todos") -> str:
    """One line of the gateway's log."""
    entry = {"time": f"2026-11-25T11:{minute:02}:00+00:00", "client": "192.0.2.9", "method": "GET", "path": path}
    return json.dumps(entry | {"status": 200, "seconds": 0.0123, "key": "anon"})


def test_request_is_one_readable_line() -> None:
    expected = "2026-11-25T11:05:00+00:00 gateway: GET /rest/v1/todos 200 12 ms anon 192.0.2.9"
    assert shown(request(5)) == expected


def test_lines_of_all_logs_come_in_the_order_of_their_times() -> None:
    journal = ["2026-11-25T11:04:00+0000 postgrest[7]: started", "  second line of it"]
    found = in_order([*journal, request(3), request(5)], None, 10)
    assert [line[11:16] for line in found] == ["11:03", "11:04", "line ", "11:05"] or [
        line.split()[-1] for line in found
    ]
    assert found[1:3] == journal
    assert in_order([*journal, request(3), request(5)], None, 1) == [shown(request(5))]


def test_requests_of_before_are_left_out() -> None:
    assert len(in_order([request(3), request(5)], NOW - timedelta(minutes=56), 10)) == 1


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {JWT}",
        f"parsing {JWT} failed",
        "key sb_secret_abcdefgh12345678 is unknown",
        "connecting to postgresql://blog_owner:hush-hush@localhost/blog",
        '{"level":"info","token":"hush-hush","msg":"x"}',
        "GET /verify?token=hush-hush&type=signup",
        "password=hush-hush",
        'refresh_token: "hush-hush"',
    ],
)
def test_secrets_are_hidden(line: str) -> None:
    told = shown(line)
    assert HIDDEN in told
    for secret in (JWT, "hush-hush", "abcdefgh12345678"):
        assert secret not in told


def test_ordinary_lines_stay_as_they_are() -> None:
    for line in ("Schema cache loaded in 3 ms", "level=info msg=ok path=/health", "token expired", "{broken"):
        assert shown(line) == line
    assert shown("") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15min", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-11-25T10:00", datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("2026-11-25T10:00+02:00", datetime(2026, 11, 25, 8, tzinfo=UTC)),
    ],
)
def test_since(text: str, expected: datetime) -> None:
    assert since(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "0h", "-1h", "1h; reboot", "$(id)"])
def test_since_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadSince, match="allowed: a time such as 30s"):
        since(text, NOW)


def test_command_reads_what_was_asked_for() -> None:
    every = remote_command("blog", SERVICES, None, 50, follow=False)
    for part in ("-u berth-rest@blog.service", "-u berth-auth-wake@blog.service", "tail -n 50", "/blog.log"):
        assert part in every
    only = remote_command("blog", ["auth"], NOW, 5, follow=False)
    assert f"--since=@{int(NOW.timestamp())} -n 5" in only
    assert "rest" not in only
    assert "tail" not in only
    assert remote_command("blog", SERVICES, None, 5, follow=True).endswith("& wait")


POSTGRES_LOG = """\
2026-11-25 11:01:26.035 UTC [6915] blog_rest@blog ERROR:  relation "public.todos" does not exist at character 58
2026-11-25 11:01:27.035 UTC [6916] other_rest@other ERROR:  something of another
\tand its second line
2026-11-25 11:01:28.035 UTC [6915] blog_rest@blog LOG:  raised by blog
\t2026-11-25 11:01:28.035 UTC [6915] other_rest@other LOG:  raised by blog, too
2026-11-25 11:01:28.500 UTC [6917] blog_more_rest@blog_more ERROR:  something of a project with a longer name
2026-11-25 11:01:28.600 UTC [6918] x@blog y@other FATAL:  somebody of a strange name
2026-11-25 11:01:29.035 UTC [1] LOG:  checkpoint of all
not a line of PostgreSQL
\tnor this
2026-11-25 11:01:30.035 UTC [6915] blog_rest@blog DETAIL:  more of blog
"""


def of_postgres(directory: Path, lines: int, cluster: str = "berth", follow: bool = False) -> str:
    """The shell line that reads this log for blog."""
    (directory / f"postgresql-17-{cluster}.log").write_text(POSTGRES_LOG)
    line = remote_command("blog", ["postgres"], None, lines, follow, cluster)
    return line.replace("/var/log/postgresql", str(directory))


def test_of_a_shared_cluster_only_lines_of_the_projects_database_are_read(tmp_path: Path) -> None:
    told = subprocess.run(["sh", "-c", of_postgres(tmp_path, 50)], capture_output=True, text=True, check=True).stdout
    own = POSTGRES_LOG.splitlines()
    assert told.splitlines() == [own[0], own[3], own[4], own[10]]
    last = subprocess.run(["sh", "-c", of_postgres(tmp_path, 1)], capture_output=True, text=True, check=True).stdout
    assert last.splitlines() == [own[10]]


def test_following_a_shared_cluster_reads_only_lines_of_the_projects_database(tmp_path: Path) -> None:
    line = of_postgres(tmp_path, 2, follow=True)
    with subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, text=True, start_new_session=True) as reading:
        assert reading.stdout is not None
        told = [reading.stdout.readline() for _ in range(2)]
        with (tmp_path / "postgresql-17-berth.log").open("a") as log:
            log.write(POSTGRES_LOG)
        told += [reading.stdout.readline() for _ in range(4)]
        os.killpg(reading.pid, signal.SIGTERM)
    own = POSTGRES_LOG.splitlines(keepends=True)
    assert told == [own[4], own[10], own[0], own[3], own[4], own[10]]


def test_of_a_dedicated_cluster_all_is_read(tmp_path: Path) -> None:
    line = of_postgres(tmp_path, 50, "berth_blog")
    assert subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout == POSTGRES_LOG


def test_line_of_postgres_is_readable_and_those_of_before_are_left_out_with_what_belongs_to_them() -> None:
    told = in_order([request(3), *POSTGRES_LOG.splitlines()[:4]], None, 10)
    assert told[0].startswith("2026-11-25T11:01:26.035+00:00 postgres[6915]: blog_rest ERROR:  relation")
    assert [told[2], told[4]] == ["\tand its second line", shown(request(3))]
    begin = datetime(2026, 11, 25, 11, 1, 28, tzinfo=UTC)
    [line] = readable(POSTGRES_LOG.splitlines()[:4], begin)
    assert line.endswith("blog_rest LOG:  raised by blog")


def test_line_of_postgres_in_another_zone_is_left_as_it_is() -> None:
    line = POSTGRES_LOG.splitlines()[0].replace("UTC", "CET")
    assert in_order([request(3), line], None, 10) == [shown(request(3)), line]


def test_meta_is_read_of_a_project_that_has_its_own() -> None:
    isolated = services_of("isolated")
    assert "-u berth-meta@shop.service -u berth-meta-wake@shop.service" in remote_command(
        "shop", isolated, None, 5, follow=False
    )
    assert services_of("shared") == SERVICES


def test_ssh_is_told_what_the_inventory_says() -> None:
    variables = {
        "ansible_host": "192.0.2.1",
        "ansible_port": 2222,
        "ansible_user": "admin",
        "ansible_ssh_private_key_file": "/keys/a key",
        "ansible_ssh_common_args": "-o UserKnownHostsFile=/keys/known",
        "ansible_become": True,
    }
    found = command("alpha", variables, "tail 'x y'")
    assert found[-2] == "192.0.2.1"
    assert shlex.split(found[-1]) == ["sudo", "-n", "-u", "root", "sh", "-c", "tail 'x y'"]
    for pair in (["-p", "2222"], ["-l", "admin"], ["-i", "/keys/a key"], ["-o", "UserKnownHostsFile=/keys/known"]):
        place = found.index(pair[1])
        assert found[place - 1 : place + 1] == pair
    assert "-tt" not in found
    assert "-tt" in command("alpha", variables, "x", terminal=True)


def test_local_hosts_need_no_ssh_and_other_ways_are_refused() -> None:
    assert command("here", {"ansible_connection": "local"}, "id") == ["sh", "-c", "id"]
    with pytest.raises(NoSsh, match="ansible_connection: found 'docker'"):
        command("alpha", {"ansible_connection": "docker"}, "id")
    with pytest.raises(NoSsh, match="ansible_become_method: found 'doas'"):
        command("alpha", {"ansible_become": "yes", "ansible_become_method": "doas"}, "id")


@given(st.text(max_size=60))
def test_any_line_can_be_shown(line: str) -> None:
    shown(line)
    in_order([line], None, 5)
