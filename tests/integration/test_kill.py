"""A run that is killed at any task and run again ends in the state of an undisturbed one, be it an add or a removal."""

import itertools
import shutil

import pytest
from fleet.killing import run_and_kill
from fleet.listing import listing
from fleet.newcomers import declare, forget, holdings
from fleet.services import put_to_sleep

from berth.archive import Archive

NAME, HOST, NUMBER = "killed", "bookworm", 21
POINTS = 5
STEPS_OF_REMOVAL = ("Ensure an archive of the project is kept", "Ensure its files are gone")


def tasks(output):
    """Returns how many tasks a play began."""
    return sum(line.startswith("TASK [") for line in output.splitlines())


@pytest.fixture
def killed(fleet):
    """Give a project that is declared and that its host knows nothing of."""
    forget(fleet, NAME)
    yield declare(fleet, NAME, NUMBER, HOST)
    forget(fleet, NAME)


@pytest.mark.parametrize("point", range(POINTS))
def test_killed_run_is_completed_by_the_next(gateway, fleet, newcomer, killed, point):
    last = tasks(newcomer.run.output)
    first = last // 3  # what comes before reads and checks only
    begun = itertools.count(1)
    run_and_kill(fleet, "project.yml", NAME, lambda _: next(begun) == first + (last - first) * point // (POINTS - 1))
    # unknown or whole: both answer 404 to a table that nobody has, what is half there would not
    assert gateway.ask(killed, "/rest/v1/nowhere", key=killed.anon_key).status_code == 404
    fleet.succeed("project.yml", "-e", f"project={NAME}")
    put_to_sleep(fleet, killed)  # the request may have found it whole, and woken it
    assert holdings(fleet, killed, NUMBER) == newcomer.holdings
    for path in ("/rest/v1/nowhere", "/auth/v1/settings"):
        answers = [gateway.ask(project, path, key=project.anon_key) for project in (newcomer.project, killed)]
        assert answers[0].status_code == answers[1].status_code != 503, path


@pytest.fixture(scope="module")
def bare(fleet):
    """Give all that the host has without the project."""
    forget(fleet, NAME)
    return listing(fleet, HOST, NAME)


@pytest.mark.parametrize("step", STEPS_OF_REMOVAL)
def test_killed_removal_is_completed_by_the_next(fleet, bare, killed, step):
    for path in (fleet.inventory / "archives").glob(f"{NAME}-*"):
        shutil.rmtree(path)
    fleet.succeed("project.yml", "-e", f"project={NAME}")
    run_and_kill(fleet, "remove.yml", NAME, lambda line: step in line)
    fleet.succeed("remove.yml", "-e", f"project={NAME}")
    assert sorted(set(listing(fleet, HOST, NAME)) ^ set(bare)) == []
    assert not (fleet.inventory / "projects" / f"{NAME}.yml").exists()
    archive = Archive(fleet.inventory, NAME, NUMBER).latest()
    assert {"database.sql.gz.enc", "passphrase", "declaration.yml", "secrets.yml"} == {
        path.name for path in archive.iterdir()
    }


def test_project_that_was_added_is_complete(gateway, newcomer):
    project = newcomer.project
    assert newcomer.run.changed > 0
    assert gateway.ask(project, "/rest/v1/nowhere", key=project.anon_key).json()["code"] in ("42P01", "PGRST205")
    assert gateway.ask(project, "/auth/v1/settings", key=project.anon_key).status_code == 200
    for line in ("NAME_owner|t|t|f|f|t", "NAME_owner|NAME|f", "ActiveState=active", "UnitFileState=enabled", "PORT"):
        assert line in newcomer.holdings
