"""Real attacks on real hosts: nothing is reached, nobody is woken, and a door that stands open is found."""

import json
import subprocess

import pytest
from fleet import Fleet, Project
from fleet.secrecy import CANARY, CommandLines, secrets_of
from fleet.services import processes

IDENT = "/etc/postgresql/17/berth/pg_ident.conf"
RELOAD = "systemctl reload postgresql@17-berth.service"


def prove(fleet: Fleet, *arguments: str) -> tuple[int, dict[str, dict]]:
    """Runs berth prove and returns its exit code and the proofs by project."""
    environment = {"BERTH_INVENTORY": str(fleet.inventory), **fleet.environment}
    done = subprocess.run(
        ["berth", "prove", "--json", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return done.returncode, {proof["project"]: proof for proof in json.loads(done.stdout)["proofs"]}


def test_nothing_is_reached_and_the_sleeper_sleeps_on(fleet: Fleet, gateway, sleeper: Project) -> None:
    code, found = prove(fleet)
    assert code == 0
    assert set(fleet.projects) - set(found) == set()
    assert {proof["verdict"] for proof in found.values()} <= {"partial", "passed"}
    attacks = {attack["name"]: attack for attack in found[sleeper.name]["attacks"]}
    assert {name for name, attack in attacks.items() if sleeper.name in attack["skipped"]} == {"rest", "auth"}
    assert min(attacks[name]["tried"] for name in ("login", "password", "key")) > 10
    assert processes(fleet, sleeper) == []


def test_what_sleeps_is_attacked_too_where_it_may_wake(fleet: Fleet, sleeper: Project) -> None:
    code, found = prove(fleet, sleeper.name, "--wake")
    assert (code, found[sleeper.name]["verdict"], list(found)) == (0, "passed", [sleeper.name])


@pytest.fixture
def open_door(fleet: Fleet):
    """The system user of three may be two-words' REST."""
    fleet.on("trixie", f"sh -c 'echo \"berth berth-three two_words_rest\" >> {IDENT} && {RELOAD}'")
    yield
    fleet.on("trixie", f"sh -c \"sed -i '/berth-three two_words_rest/d' {IDENT} && {RELOAD}\"")


def test_door_that_stands_open_is_found_from_both_sides(fleet: Fleet, open_door: None) -> None:
    code, found = prove(fleet)
    assert code == 1
    assert {name for name, proof in found.items() if proof["verdict"] == "failed"} == {"three", "two-words"}
    login = next(attack for attack in found["three"]["attacks"] if attack["name"] == "login")
    assert [(one["source"], one["target"]) for one in login["reached"]] == [("three", "two-words")]


def test_secrets_are_in_no_argument_and_no_output(fleet: Fleet) -> None:
    secrets = secrets_of(fleet, *fleet.projects)
    with CommandLines([*secrets, CANARY]) as watched:
        fleet.on("trixie", f"sh -c 'sleep 1; :' {CANARY}")
        run = fleet.succeed("prove.yml", "--diff", "-vvv")
    assert (run.changed, "Read whether projects reach each other" in run.output) == (0, True)
    assert watched.found
    assert [line for line in watched.found if CANARY not in line] == []
    assert [secret for secret in secrets if secret in run.output] == []
    for host in ("trixie", "bookworm"):
        journal = fleet.on(host, "journalctl --no-pager --output=cat --since -2min")
        assert [secret for secret in secrets if secret in journal] == []
