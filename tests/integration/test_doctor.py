"""Things that are broken on a host on purpose: doctor names each, repairs what is safe, and leaves the rest."""

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest
from fleet import Fleet
from fleet.content import mark

BREAK_PROJECT = """
set -eu
systemctl stop berth-auth-wake@two-words.service
rm /run/berth/wake/two-words-auth.sock
rm -r /etc/nginx/berth/projects/two-words
"""
BREAK = """
set -eu
systemctl stop berth-rest-wake@three.socket berth-rest-wake@three.service
systemctl stop berth-auth-wake@two-words.service
rm /run/berth/wake/two-words-auth.sock
rm -r /etc/nginx/berth/projects/slow-lane
systemctl stop berth-meta-wake.socket berth-meta-wake.service
systemd-run --quiet --unit=berth-broken sh -c 'exit 1' || true
psql --quiet -U supabase_admin -d postgres -c 'CREATE DATABASE old_shop TEMPLATE berth_template'
mkdir -p /etc/berth/projects/old-shop
"""
CLEAN = """
psql --quiet -U supabase_admin -d postgres -c 'DROP DATABASE IF EXISTS old_shop'
rm -rf /etc/berth/projects/old-shop
systemctl reset-failed berth-broken 2>/dev/null || true
"""

Berth = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="module")
def doctor(fleet: Fleet) -> Berth:
    """Give a function that runs berth doctor."""
    environment = {**fleet.environment, "BERTH_INVENTORY": str(fleet.inventory)}

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = ["berth", "doctor", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def broken(gateway, fleet: Fleet) -> Iterator[None]:
    """Break the host trixie; what cannot be repaired is taken away at the end."""
    fleet.on("trixie", BREAK)
    yield
    fleet.on("trixie", CLEAN)


def test_project_without_socket_and_route_is_repaired(gateway, fleet: Fleet, doctor: Berth) -> None:
    project = fleet.project("two-words")
    fleet.on("trixie", BREAK_PROJECT)
    done = doctor("two-words", "--fix", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["findings"] == []
    assert {(one["kind"], one["project"], one["what"]) for one in told["fixed"] if one["kind"] != "drift"} == {
        ("socket", "two-words", "the socket of auth is gone, so that no request reaches it"),
        ("route", "two-words", "the gateway has no route to it"),
    }
    assert gateway.ask(project, "/auth/v1/health", key=project.anon_key).status_code == 200


@pytest.mark.slow
def test_doctor_names_what_is_broken_and_repairs_what_is_safe(gateway, fleet: Fleet, doctor: Berth, broken) -> None:
    done = doctor("trixie", "--fix", "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    fixed = {(one["kind"], one["project"], one["what"]) for one in told["fixed"] if one["kind"] != "drift"}
    assert fixed == {
        ("service", "three", "no request wakes rest"),
        ("socket", "two-words", "the socket of auth is gone, so that no request reaches it"),
        ("route", "slow-lane", "the gateway has no route to it"),
        ("service", None, "meta does not run (stopped)"),
        ("unit", None, "unit berth-broken.service has failed"),
    }
    assert any(one["kind"] == "drift" for one in told["fixed"])
    [orphan] = told["findings"]
    assert (orphan["kind"], orphan["project"], orphan["fixable"]) == ("orphan", "old-shop", False)
    assert "database old_shop" in orphan["what"]
    assert mark(gateway, fleet.project("three")) == "three"
    auth = gateway.ask(fleet.project("two-words"), "/auth/v1/health", key=fleet.project("two-words").anon_key)
    assert auth.status_code == 200
    assert fleet.on("trixie", "psql -U supabase_admin -d old_shop -Atc 'SELECT 1'") == "1"
