"""An add or a removal that is killed at any task and run again ends in the state of an undisturbed one."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from fleet.fleet import REPOSITORY
from fleet.listing import listing
from fleet.newcomers import declare, forget, holdings

from berth.archive import Archive

NAME, HOST, NUMBER = "killed", "bookworm", 21
POINTS = 4
UNKNOWN = [(404, "unknown_project")] * 2


def tasks(output):
    """Returns how many tasks a play began."""
    return sum(line.startswith("TASK [") for line in output.splitlines())


def descendants(pid):
    """Returns a process and all that it started, Ansible's workers and their SSH clients included."""
    children = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for known in found:
        found += children.get(known, [])
    return found


def run_and_kill(fleet, playbook, after):
    """Runs a playbook and kills it as soon as it has begun its n-th task."""
    command = ["ansible-playbook", "-i", str(fleet.inventory), f"playbooks/{playbook}", "-e", f"project={NAME}"]
    environment = {**fleet.environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) as play:
        begun = 0
        for line in play.stdout:
            begun += line.startswith("TASK [")
            if begun == after:
                break
        for pid in descendants(play.pid):
            os.kill(pid, signal.SIGKILL)
    assert (begun, play.returncode) == (after, -signal.SIGKILL)


@pytest.fixture
def killed(fleet):
    """Give a project that is declared and that its host knows nothing of."""
    forget(fleet, NAME)
    yield declare(fleet, NAME, NUMBER, HOST)
    forget(fleet, NAME)


def answers(gateway, project):
    """Returns the status and the error code of an answer of each service."""
    paths = ("/rest/v1/nowhere", "/auth/v1/settings")
    given = [gateway.ask(project, path, key=project.anon_key) for path in paths]
    return [(answer.status_code, answer.json().get("code")) for answer in given]


def points(play):
    """Returns how many tasks of a play may begin before it is killed, from its first change to its last task."""
    last = tasks(play.output)
    first = last // 3  # what comes before reads and checks only
    return [first + (last - first) * point // (POINTS - 1) for point in range(POINTS)]


@pytest.fixture(scope="module")
def removal(fleet, newcomer):
    """Give an undisturbed removal, and what the host has after it."""
    forget(fleet, NAME)
    declare(fleet, NAME, NUMBER, HOST)
    fleet.succeed("project.yml", "-e", f"project={NAME}")
    run = fleet.succeed("remove.yml", "-e", f"project={NAME}")
    shutil.rmtree(fleet.inventory / "archives")
    return SimpleNamespace(run=run, listing=listing(fleet, HOST, NAME))


@pytest.mark.parametrize("point", range(POINTS))
def test_killed_run_is_completed_by_the_next(gateway, fleet, newcomer, removal, killed, point):
    whole = answers(gateway, newcomer.project)
    assert [status for status, _ in whole] == [404, 200]
    run_and_kill(fleet, "project.yml", points(newcomer.run)[point])
    assert answers(gateway, killed) in (UNKNOWN, whole)
    fleet.succeed("project.yml", "-e", f"project={NAME}")
    assert holdings(fleet, killed, NUMBER) == newcomer.holdings
    assert answers(gateway, killed) == whole
    run_and_kill(fleet, "remove.yml", points(removal.run)[point])
    assert answers(gateway, killed) in (UNKNOWN, whole)
    declaration = fleet.inventory / f"projects/{NAME}.yml"
    if declaration.exists():
        fleet.succeed("remove.yml", "-e", f"project={NAME}")
    assert set(listing(fleet, HOST, NAME)) ^ set(removal.listing) == set()
    assert Archive(fleet.inventory, NAME, NUMBER).latest()
    assert not declaration.exists()


def test_project_that_was_added_is_complete(gateway, newcomer):
    project = newcomer.project
    assert newcomer.run.changed > 0
    assert gateway.ask(project, "/rest/v1/nowhere", key=project.anon_key).json()["code"] in ("42P01", "PGRST205")
    assert gateway.ask(project, "/auth/v1/settings", key=project.anon_key).status_code == 200
    for line in ("NAME_owner|t|t|f|f|t", "NAME_owner|NAME|f", "ActiveState=active", "UnitFileState=enabled", "PORT"):
        assert line in newcomer.holdings
