"""Removal: nothing of the project is left, its neighbours notice nothing, and its archive brings it back."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fleet import Fleet, Project
from fleet.commands import Berth
from fleet.content import fill, mark, sign_in
from fleet.gateway import Gateway
from fleet.listing import listing
from fleet.newcomers import forget
from fleet.secrecy import CommandLines, secrets_of
from fleet.services import main_pid
from fleet.traffic import Traffic

NAME, HOST, NEIGHBOUR = "guest", "bookworm", "twelve"
BY_HAND = """
set -eu -o pipefail
ansible-vault decrypt --output {inventory}/projects/guest.yml {archive}/declaration.yml
chmod 644 {inventory}/projects/guest.yml
cp {archive}/secrets.yml {inventory}/secrets/guest.yml
berth apply guest
passphrase=$(ansible-vault decrypt --output - {archive}/passphrase)
openssl enc -d -aes-256-cbc -pbkdf2 -in {archive}/database.sql.gz.enc -pass fd:3 3<<<"$passphrase" | gunzip |
    {ssh} psql --quiet -v ON_ERROR_STOP=1 -U supabase_admin -d guest
"""


@pytest.fixture(scope="module")
def removed(fleet: Fleet, gateway: Gateway, berth: Berth) -> Iterator[SimpleNamespace]:
    """Give what was seen while a project was added, filled, and removed as it was serving."""
    neighbour = fleet.project(NEIGHBOUR)
    before, nginx = listing(fleet, HOST, NAME), main_pid(fleet, HOST, "nginx.service")
    try:
        with Traffic(gateway, neighbour) as beside:
            told = berth.answer("add", NAME, "--host", HOST, "--domain", f"{NAME}.localhost", "--json")
            keys = berth.answer("keys", NAME, "--json")
            known = {key: keys[key] for key in ("anon_key", "service_role_key", "db_url")}
            project = Project(name=NAME, host=HOST, urls=told["project"]["urls"], **known)
            fill(gateway, project)
            secrets = secrets_of(fleet, NAME)
            with Traffic(gateway, project) as own, CommandLines(secrets) as watched:
                result = berth.answer("remove", NAME, "--yes", "--json")
        yield SimpleNamespace(
            project=project,
            before=before,
            after=listing(fleet, HOST, NAME),
            nginx=(nginx, main_pid(fleet, HOST, "nginx.service")),
            beside=beside,
            own=own,
            result=result,
            secrets=secrets,
            watched=watched,
        )
    finally:
        forget(fleet, NAME)


def test_host_is_as_it_was_before_the_project_came(removed: SimpleNamespace) -> None:
    assert sorted(set(removed.after) ^ set(removed.before)) == []
    assert any("twelve.log" in line for line in removed.before)


def test_inventory_has_forgotten_it_but_not_its_number(fleet: Fleet, removed: SimpleNamespace) -> None:
    left = [path for folder in ("projects", "secrets") for path in (fleet.inventory / folder).glob(f"{NAME}*")]
    highest = int((fleet.inventory / "projects/.highest-number").read_text())
    assert (left, highest >= removed.result["project"]["number"]) == ([], True)


def test_neighbour_misses_no_request(removed: SimpleNamespace) -> None:
    assert removed.beside.failures == {}
    assert removed.beside.answers["right"] > 100
    assert removed.nginx[0] == removed.nginx[1]


def test_project_that_was_serving_is_unknown_at_the_end(removed: SimpleNamespace) -> None:
    assert removed.own.answers["right"] > 0
    assert removed.own.last == "404 unknown_project"
    assert set(removed.own.failures) <= {"404 unknown_project", "503 service_unavailable"}


def test_no_secret_is_seen_meanwhile(removed: SimpleNamespace) -> None:
    assert removed.watched.rounds > 20
    assert removed.watched.found == set()
    log = Path(removed.result["run"]["log"]).read_text()
    assert "PLAY RECAP" in log
    assert [secret for secret in removed.secrets if secret in log] == []


def test_archive_brings_it_back_by_hand(fleet: Fleet, gateway: Gateway, berth: Berth, removed: SimpleNamespace) -> None:
    script = BY_HAND.format(inventory=fleet.inventory, archive=removed.result["archive"], ssh=" ".join(fleet.ssh(HOST)))
    environment = berth.environment | {"ANSIBLE_VAULT_PASSWORD_FILE": str(fleet.inventory / ".vault-password")}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert mark(gateway, removed.project) == NAME
    assert sign_in(gateway, removed.project)


def test_removal_is_planned_without_doing_it(
    fleet: Fleet, gateway: Gateway, berth: Berth, removed: SimpleNamespace
) -> None:
    """Of the project that the test above has brought back."""
    told = berth.answer("remove", NAME, "--plan", "--json")
    shown = json.dumps(told["changes"])
    for words in ("DROP DATABASE", "DROP ROLE", f"/etc/nginx/berth/projects/{NAME}", f"projects/{NAME}.yml", "pg_dump"):
        assert words in shown
    assert {change["host"] for change in told["changes"]} == {HOST}
    assert mark(gateway, removed.project) == NAME
