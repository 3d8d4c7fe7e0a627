"""The logs of a project, read from its host."""

import re
import subprocess
from collections.abc import Callable

import psycopg
import pytest
from fleet import Fleet
from fleet.content import mark, sign_in
from fleet.secrecy import secrets_of
from fleet.services import put_to_sleep, wait_until

Logs = Callable[..., str]


@pytest.fixture(scope="module")
def environment(fleet: Fleet) -> dict[str, str]:
    """Give the environment of commands over the fleet."""
    return {**fleet.environment, "BERTH_INVENTORY": str(fleet.inventory)}


@pytest.fixture(scope="module")
def logs(environment: dict[str, str]) -> Logs:
    """Give a function that returns what berth logs prints."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["berth", "logs", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_logs_tell_of_services_and_requests_in_order_and_of_no_secret(gateway, fleet: Fleet, logs: Logs) -> None:
    project = fleet.project("two-words")
    put_to_sleep(fleet, project)
    gateway.ask(project, f"/rest/v1/marks?apikey={project.anon_key}")
    sign_in(gateway, project)
    told = logs("two-words", "--since", "10min")
    lines = told.splitlines()
    assert any("gateway: GET /projects/two-words/rest/v1/marks 200" in line for line in lines)
    assert any("postgrest[" in line for line in lines)
    stamps = [line[:19] for line in lines if line[:2] == "20"]
    assert stamps == sorted(stamps)
    assert [secret for secret in secrets_of(fleet, "two-words") if secret in told] == []


def test_service_and_number_of_lines_can_be_chosen(gateway, fleet: Fleet, logs: Logs) -> None:
    mark(gateway, fleet.project("three"))
    [line] = logs("three", "--service", "gateway", "--lines", "1").splitlines()
    assert " gateway: GET " in line
    assert " gateway: " not in logs("three", "--service", "rest")


def test_project_that_never_woke_is_told_to_have_written_nothing(fleet: Fleet, environment: dict[str, str]) -> None:
    command = ["berth", "logs", "parked", "--service", "rest"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "berth: parked: rest wrote nothing yet\n")


def test_following_shows_what_comes_and_leaves_nothing_running(
    gateway, fleet: Fleet, environment: dict[str, str]
) -> None:
    project = fleet.project("three")
    command = ["berth", "logs", "three", "--service", "gateway", "--follow", "--lines", "1"]
    reader = "pgrep -fc '^tail -n 1 -F /var/log/nginx/berth/three.log'"
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as following:
        try:
            wait_until(lambda: fleet.on("trixie", reader, check=False) == "1", "the log is being read")
            gateway.ask(project, "/rest/v1/watch-me", key=project.anon_key)
            assert any("/rest/v1/watch-me" in line for line in following.stdout)
        finally:
            following.terminate()
    assert following.returncode == 0
    wait_until(lambda: fleet.on("trixie", reader, check=False) == "0", "nothing reads the log any more")


def raised(fleet: Fleet, name: str, text: str) -> None:
    """Has a session in the database of a project write to the log of PostgreSQL, a second line with it."""
    with psycopg.connect(fleet.project(name).db_url, autocommit=True) as connection:
        connection.execute(f"DO $$ BEGIN RAISE WARNING E'{text}\\nsecond line of {name}'; END $$")


@pytest.mark.parametrize(("name", "other"), [("three", "two-words"), ("alone", "three")])
def test_log_of_the_database_has_no_line_of_another_project(fleet: Fleet, logs: Logs, name: str, other: str) -> None:
    raised(fleet, other, f"of {other} alone")
    raised(fleet, name, f"of {name} alone")
    told = logs(name, "--service", "postgres", "--since", "10min")
    database = name.replace("-", "_")
    [place] = [number for number, line in enumerate(told.splitlines()) if f"of {name} alone" in line]
    line, second = told.splitlines()[place : place + 2]
    assert re.fullmatch(rf"20\S+\+00:00 postgres\[\d+\]: {database}_owner WARNING:  of {name} alone", line)
    assert second == f"\tsecond line of {name}"
    # its own log may name the other, as who was refused here
    assert [line for line in told.splitlines() if f"of {other}" in line] == []


def test_following_the_log_of_a_database(fleet: Fleet, environment: dict[str, str]) -> None:
    command = ["berth", "logs", "three", "--service", "postgres", "--follow", "--lines", "1"]
    reader = "pgrep -fc '^tail -c .* -F /var/log/postgresql/'"
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as following:
        try:
            wait_until(lambda: fleet.on("trixie", reader, check=False) == "1", "the log is being read")
            raised(fleet, "two-words", "not to be seen")
            raised(fleet, "three", "watch me")
            seen = []
            for line in following.stdout:
                seen.append(line)
                if "watch me" in line:
                    break
        finally:
            following.terminate()
    assert [line for line in seen if "not to be seen" in line] == []
    wait_until(lambda: fleet.on("trixie", reader, check=False) == "0", "nothing reads the log any more")
