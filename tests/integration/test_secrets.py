"""Secrets are in no log, no command line, no output of a run and no file that others may read."""

import shlex

import pytest
from fleet.content import fill, sign_in
from fleet.secrecy import CANARY, secrets_of

NAMES = ("one", "two-words", "three", "awake", "twelve")
HOSTS = ("trixie", "bookworm")
OWN = {"berth-meta": "/run/credentials/berth-meta.service/"}
SEARCH = "grep --recursive --no-messages --files-with-matches --fixed-strings --devices=skip --file=- {}"


@pytest.fixture(scope="module")
def secrets(gateway, fleet):
    """Give the secrets of the fleet, after requests that carry them in every place and fail in every way."""
    for name in ("one", "twelve"):
        project = fleet.project(name)
        fill(gateway, project)
        sign_in(gateway, project)
        key = project.service_role_key
        for path in ("/rest/v1/marks", "/rest/v1/nowhere", "/auth/v1/user", "/pg/tables", "/nowhere", "/pg/nowhere"):
            for arguments in (
                {"key": key},
                {"params": {"apikey": key}},
                {"headers": {"Authorization": f"Bearer {key}"}},
                {"key": key, "headers": {"X-Project-Id": "nobody"}},
                {"params": {"apikey": key, "x": "y" * 40_000}},
                {"key": key, "headers": {"Host": "bad host"}},
                {"params": {"apikey": key}, "method": "POST", "content": bytes(51 * 2**20)},
            ):
                gateway.ask(project, path, **arguments)
        query = {"query": "SELECT nonsense"}
        gateway.ask(project, "/pg/query", key=key, method="POST", json=query)
        connection = fleet.on(project.host, f"cat /etc/nginx/berth/projects/{name}/meta.map").split('"')[1]
        assert connection
    return [*secrets_of(fleet, *NAMES), connection]


def search(fleet, host, command, wanted):
    """Returns the lines that a search for values, given on its standard input, prints."""
    return fleet.on(host, command, check=False, stdin="\n".join(wanted)).splitlines()


@pytest.mark.parametrize("host", HOSTS)
def test_no_log_holds_a_secret(fleet, secrets, host):
    assert search(fleet, host, SEARCH.format("/var/log"), secrets) == []
    assert "/var/log/nginx/berth" in "".join(search(fleet, host, SEARCH.format("/var/log"), ["/rest/v1/marks"]))


@pytest.mark.parametrize("host", HOSTS)
def test_journal_holds_no_secret(fleet, secrets, host):
    command = (
        "cat > /run/test-wanted; journalctl --all --output=export | grep --text --count --file=/run/test-wanted -F"
    )
    try:
        assert search(fleet, host, command, secrets) == ["0"]
        assert search(fleet, host, command, ["berth-auth-wake@"]) != ["0"]
    finally:
        fleet.on(host, "rm -f /run/test-wanted")


@pytest.mark.parametrize("user", ["nobody", "www-data", "berth-meta", "postgres"])
@pytest.mark.parametrize("host", HOSTS)
def test_no_file_that_others_may_read_holds_a_secret(fleet, secrets, host, user):
    folders = "/etc /run /tmp /var /opt /root /home /srv /usr/local /dev/shm"
    fleet.on(
        host, f"mkdir -p /srv/test && echo {CANARY} > /srv/test/open && install -m 600 /srv/test/open /srv/test/shut"
    )
    try:
        command = f"runuser --user {user} -- sh -c {shlex.quote(SEARCH.format(folders))}"
        found = search(fleet, host, command, [*secrets, CANARY])
        assert [path for path in found if not path.startswith(OWN.get(user, "/none/"))] == ["/srv/test/open"]
    finally:
        fleet.on(host, "rm -r /srv/test")


def test_service_user_finds_no_secret_of_another_project(fleet, secrets):
    command = f"runuser --user berth-three -- {SEARCH.format('/etc /run /tmp /var /opt')}"
    assert search(fleet, "trixie", command, secrets) == []


@pytest.mark.parametrize("host", HOSTS)
def test_no_command_line_holds_a_secret(fleet, secrets, host):
    reading = SEARCH.replace("--recursive", "").format("/proc/[0-9]*/cmdline")
    assert search(fleet, host, reading, secrets) == []
    assert search(fleet, host, reading, ["/opt/berth/rest/current/bin/postgrest"])


def test_no_command_line_shows_a_secret_while_a_project_is_added(newcomer):
    assert newcomer.watched.rounds > 20
    assert newcomer.watched.found
    assert all(CANARY in line for line in newcomer.watched.found), newcomer.watched.found


def test_output_of_a_run_shows_no_secret_even_when_it_shows_all_else(fleet, newcomer):
    wanted = secrets_of(fleet, *NAMES, newcomer.project.name)
    assert [value for value in wanted if value in newcomer.run.output] == []
    for shown in ("CREATE DATABASE", "(secret, changed)"):
        assert shown in newcomer.run.output


def test_inventory_keeps_secrets_encrypted(fleet):
    wanted = [value.encode() for value in secrets_of(fleet, *NAMES)]
    files = [path for path in fleet.inventory.rglob("*") if path.is_file()]
    assert any(path.match("secrets/one.yml") for path in files)
    assert [path for path in files for value in wanted if value in path.read_bytes()] == []
    for path in (fleet.inventory / "secrets").rglob("*.yml"):
        assert path.read_text().startswith("$ANSIBLE_VAULT;")
        assert path.stat().st_mode & 0o077 == 0
    assert (fleet.inventory / ".vault-password").stat().st_mode & 0o077 == 0
