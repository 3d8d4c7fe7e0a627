"""People in the database of a project: berth psql and berth open, and what the owner may do there."""

import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
import yaml
from fleet import Fleet
from fleet.gateway import Gateway
from fleet.secrecy import CommandLines

from berth.secrets import SecretStore

WHO = "SELECT current_database(), session_user, current_user"


@pytest.fixture(params=["loopback", "ssh"])
def inventory(request: pytest.FixtureRequest, fleet: Fleet, tmp_path: Path) -> Path:
    """Give an inventory whose databases are reached at a loopback port, and one where only SSH leads there."""
    copy = tmp_path / "inventory"
    shutil.copytree(fleet.inventory, copy, ignore=shutil.ignore_patterns("catalogue"))
    if request.param == "ssh":
        groups = yaml.safe_load((copy / "hosts.yml").read_text())
        for host in groups["berth_hosts"]["children"]["local_hosts"]["hosts"].values():
            del host["berth_database_address"]
        (copy / "hosts.yml").write_text(yaml.safe_dump(groups))
    return copy


def berth(fleet: Fleet, inventory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Return what a command did."""
    command = ["berth", arguments[0], arguments[1], "-i", str(inventory), *arguments[2:]]
    return subprocess.run(command, env=fleet.environment, capture_output=True, text=True, check=False)


def test_psql_is_the_owner_in_the_own_database_and_shows_no_password(
    fleet: Fleet, gateway: Gateway, inventory: Path
) -> None:
    with CommandLines([SecretStore(fleet.inventory).project("two-words").owner_password]) as watched:
        done = berth(fleet, inventory, "psql", "two-words", "--", "-AtXc", WHO, "-c", "SELECT pg_sleep(0.3)")
    assert (done.returncode, done.stdout.split()) == (0, ["two_words|two_words_owner|postgres"]), done.stderr
    assert watched.rounds > 5
    assert watched.found == set()


def test_exit_code_is_that_of_psql(fleet: Fleet, gateway: Gateway) -> None:
    done = berth(fleet, fleet.inventory, "psql", "one", "--", "-Xc", "SELECT nothing")
    assert done.returncode == 1
    assert 'column "nothing" does not exist' in done.stderr


def test_unknown_project_is_refused(fleet: Fleet) -> None:
    done = berth(fleet, fleet.inventory, "psql", "nobody")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_open_prints_the_address(fleet: Fleet) -> None:
    assert berth(fleet, fleet.inventory, "open", "one").stdout.split() == [fleet.project("one").url]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE SCHEMA mine CREATE TABLE mine.things (id int)",
        "CREATE TABLE public.things (id int); ALTER TABLE public.things ENABLE ROW LEVEL SECURITY;"
        " CREATE POLICY all_of_them ON public.things FOR SELECT TO anon USING (true)",
        "CREATE FUNCTION public.one() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
        "CREATE EXTENSION citext SCHEMA extensions",
        "CREATE EXTENSION pg_trgm SCHEMA extensions",
    ],
)
def test_owner_may_build(fleet: Fleet, gateway: Gateway, statement: str) -> None:
    with psycopg.connect(fleet.project("one").db_url) as connection:
        connection.execute(statement)
        connection.rollback()
