"""The HTTP API with the real worker on real hosts: the older control plane's requests, a worker that is killed."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from background_ui import BackgroundUi
from fleet import Fleet
from fleet.api import Program, program
from fleet.killing import descendants
from fleet.newcomers import forget
from fleet.services import wait_until

from berth.samples import Samples
from webui.config import from_environment
from webui.core import make_core
from webui.services.runs import Runs

NAME = "my-project"
TABLE = """
CREATE TABLE todos (id int PRIMARY KEY, task text);
GRANT SELECT ON todos TO anon;
INSERT INTO todos VALUES (1, 'write a test');
NOTIFY pgrst, 'reload schema';
"""


@pytest.fixture(scope="module")
def client(ui: BackgroundUi) -> Program:
    """Give a program that may do everything."""
    return program(ui, "program")


@pytest.fixture
def runs(ui: BackgroundUi) -> Iterator[Runs]:
    """Give what the database of the web UI knows of runs."""
    core = make_core(from_environment(ui.settings()))
    yield core.runs
    core.close()


@pytest.fixture
def free_name(fleet: Fleet) -> Iterator[str]:
    """Give the name of the issue's project, and forget what was added under it."""
    forget(fleet, NAME)
    yield NAME
    forget(fleet, NAME)


def curl(*arguments: str) -> tuple[int, object]:
    """Returns the status and the body of the answer to curl."""
    command = ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_request_of_the_older_control_plane_ends_in_a_project_that_answers(
    client: Program, ui: BackgroundUi, fleet: Fleet, free_name: str
) -> None:
    samples = Samples(ui.inventory)
    wait_until(lambda: all(map(samples.latest, fleet.variables)), "all hosts are measured", 120)
    bearer = ("--header", f"Authorization: Bearer {client.token}")
    json_body = ("--header", "Content-Type: application/json", "--data", '{"name": "my-project", "plan": "shared"}')
    status, added = curl(*bearer, *json_body, f"{client.url}/api/v1/projects")
    assert status in (201, 202), added
    told = {key: added[key] for key in ("id", "plan", "backend_type", "db_name", "status")}
    assert told == {
        "id": free_name,
        "plan": "shared",
        "backend_type": "shared",
        "db_name": "my_project",
        "status": "creating",
    }
    assert client.ended(added["run"]["id"])["state"] == "succeeded"

    keys = client.ask("GET", f"/projects/{free_name}/keys").json()
    gateway = keys["url"].partition("/projects/")[0]
    with psycopg.connect(keys["db_url"], autocommit=True) as connection:
        connection.execute(TABLE)
    asked = ("--header", f"apikey: {keys['anon_key']}", f"{gateway}/projects/{added['id']}/rest/v1/todos")
    wait_until(lambda: curl(*asked)[0] == 200, "PostgREST knows the table")
    assert curl(*asked) == (200, [{"id": 1, "task": "write a test"}])
    assert curl(f"{gateway}/projects/{added['id']}/rest/v1/todos")[0] == 401


def is_playing(processes: list[int]) -> bool:
    """Whether one of these is an ansible-playbook."""
    return any(b"ansible-playbook" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes)


def in_the_middle(client: Program, runs: Runs, number: int) -> int:
    """Returns the worker that does a run, once it is in the middle of it."""
    wait_until(lambda: client.run(number)["steps"] > 3, "the run is in the middle")
    found = runs.get(number)
    assert (found.state, found.worker is not None) == ("running", True)
    worker = int((found.worker or "").rpartition(":")[2])
    assert is_playing(descendants(worker)[1:])
    return worker


def test_run_of_a_worker_that_is_killed_is_lost_and_completed_by_the_next(
    client: Program, runs: Runs, fleet: Fleet
) -> None:
    run = client.ask("POST", "/projects/one/apply").json()["id"]
    waiting = client.ask("POST", "/projects/two-words/apply").json()["id"]
    os.kill(in_the_middle(client, runs, run), signal.SIGKILL)

    assert client.run(run)["state"] == "running", "nobody knows yet"
    assert "trixie" in runs.busy()
    lost = client.ended(run)
    assert (lost["state"], "run it again" in lost["reason"]) == ("lost", True), lost
    assert client.ended(waiting)["state"] == "succeeded", "the host is free for the next one"
    again = client.ended(client.ask("POST", f"/runs/{run}/again").json()["id"])
    assert (again["state"], again["again_of"], runs.busy()) == ("succeeded", run, {})
    check = fleet.succeed("project.yml", "-e", "project=one", "--check")
    assert check.changed == 0, check.changed_tasks


def test_runs_go_on_after_all_processes_of_the_workers_were_killed(client: Program, runs: Runs) -> None:
    run = client.ask("POST", "/projects/one/apply").json()["id"]
    worker = in_the_middle(client, runs, run)
    parent = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    for pid in descendants(parent):
        with suppress(ProcessLookupError):  # one that ended meanwhile
            os.kill(pid, signal.SIGKILL)
    assert client.ended(run)["state"] == "lost"
    again = client.ended(client.ask("POST", f"/runs/{run}/again").json()["id"])
    assert (again["state"], runs.busy()) == ("succeeded", {})
