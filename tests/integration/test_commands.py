"""The life of a project by command: added, planned, changed, paused, resumed, on a host that serves others."""

from collections.abc import Iterator

import psycopg
import pytest
from fleet import Fleet, Project
from fleet.commands import Berth
from fleet.content import fill, mark
from fleet.gateway import Gateway
from fleet.newcomers import forget
from fleet.secrecy import secrets_of
from fleet.services import main_pid, processes, wait_until

NAME = "demo-x"
SECOND_DOMAIN = "second.demo-x.localhost"


@pytest.fixture(scope="module")
def host(fleet: Fleet) -> str:
    """Give the host that the new project comes to."""
    return fleet.project("one").host


@pytest.fixture(scope="module")
def demo(fleet: Fleet, gateway: Gateway, berth: Berth, host: str) -> Iterator[Project]:
    """Give a project that `berth add` made, with its mark; the fleet is as before at the end."""
    directory = fleet.inventory / "projects"
    before = {path.name for path in directory.iterdir()}
    try:
        told = berth.answer("add", NAME, "--host", host, "--domain", f"{NAME}.localhost", "--json")
        keys = berth.answer("keys", NAME, "--json")
        project = Project(
            name=NAME,
            host=host,
            urls=told["project"]["urls"],
            anon_key=keys["anon_key"],
            service_role_key=keys["service_role_key"],
            db_url=keys["db_url"],
        )
        fill(gateway, project)
        yield project
    finally:
        forget(fleet, NAME)
        for name in {path.name for path in directory.iterdir()} - before:
            (directory / name).unlink()


def test_added_project_answers_by_domain_and_path(gateway: Gateway, demo: Project) -> None:
    assert [mark(gateway, demo, way=way) for way in ("domain", "path", "header")] == [NAME] * 3


def test_log_of_a_run_holds_no_secret(fleet: Fleet, demo: Project, berth: Berth) -> None:
    found = list((berth.directory / "berth/runs").glob("*-project-demo-x-*.log"))
    assert found
    text = "".join(path.read_text() for path in found)
    assert "PLAY RECAP" in text
    assert [secret for secret in secrets_of(fleet, NAME) if secret in text] == []


def test_plan_of_the_declared_state_is_empty(berth: Berth, demo: Project) -> None:
    told = berth.answer("plan", NAME, "--json")
    assert (told["changes"], sum(told["run"]["changed"].values())) == ([], 0)


def test_plan_shows_a_change_and_changes_nothing(fleet: Fleet, berth: Berth, demo: Project) -> None:
    limit = f"/etc/nginx/berth/projects/{NAME}/limit.conf"
    declaration = fleet.inventory / f"projects/{NAME}.yml"
    before = (declaration.read_text(), fleet.on(demo.host, f"stat --format '%Y %s' {limit}; cat {limit}"))
    told = berth.answer("update", NAME, "limits.requests_per_second=77", "limits.connections=33", "--plan", "--json")
    assert {change["host"] for change in told["changes"]} == {demo.host}
    shown = "\n".join(diff for change in told["changes"] for diff in change["diffs"])
    assert limit in shown
    assert "+" in shown
    assert "77r/s" in shown
    assert "CONNECTION LIMIT 33" in shown
    assert [secret for secret in secrets_of(fleet, NAME) if secret in shown] == []
    after = (declaration.read_text(), fleet.on(demo.host, f"stat --format '%Y %s' {limit}; cat {limit}"))
    assert after == before


def test_plan_of_a_new_project_makes_nothing(fleet: Fleet, berth: Berth, demo: Project) -> None:
    told = berth.answer("add", "demo-y", "--host", demo.host, "--plan", "--json")
    shown = "\n".join(diff for change in told["changes"] for diff in change["diffs"])
    assert "CREATE DATABASE" in shown
    assert "/etc/nginx/berth/projects/demo-y" in shown
    assert [path.name for path in fleet.inventory.rglob("demo-y*")] == []
    assert fleet.on(demo.host, "find /etc -name '*demo-y*'; getent passwd berth-demo-y", check=False) == ""


def test_update_of_limits_reaches_database_and_gateway(fleet: Fleet, berth: Berth, demo: Project) -> None:
    assert berth.answer("update", NAME, "limits.connections=30", "--json")["run"]["changed"][demo.host] > 0
    with psycopg.connect(demo.db_url) as connection:
        found = connection.execute("SELECT datconnlimit FROM pg_database WHERE datname = 'demo_x'").fetchone()
    assert found == (30,)
    assert "limits: {connections: 30}" in (fleet.inventory / f"projects/{NAME}.yml").read_text()


def test_added_domain_answers_until_it_is_removed(gateway: Gateway, berth: Berth, demo: Project) -> None:
    def status() -> int:
        headers = {"Host": SECOND_DOMAIN}
        return gateway.ask(demo, "/rest/v1/marks", key=demo.anon_key, way="domain", headers=headers).status_code

    assert status() == 404
    berth.answer("domains", "add", NAME, SECOND_DOMAIN, "--json")
    wait_until(lambda: status() == 200, f"{SECOND_DOMAIN} answers")
    assert berth.answer("domains", "list", NAME, "--json") == [f"{NAME}.localhost", SECOND_DOMAIN]
    berth.answer("domains", "remove", NAME, SECOND_DOMAIN, "--json")
    wait_until(lambda: status() == 404, f"{SECOND_DOMAIN} answers no more")


def test_paused_project_answers_503_and_runs_nothing_until_it_is_resumed(
    fleet: Fleet, gateway: Gateway, berth: Berth, demo: Project
) -> None:
    assert mark(gateway, demo) == NAME
    assert berth.answer("pause", NAME, "--json")["project"]["state"] == "paused"
    wait_until(lambda: "project_paused" in mark(gateway, demo), "the gateway knows of the pause")
    refusal = gateway.ask(demo, "/rest/v1/marks", key=demo.anon_key)
    assert (refusal.status_code, refusal.json()["code"]) == (503, "project_paused")
    assert processes(fleet, demo) == []
    assert berth.answer("resume", NAME, "--json")["project"]["state"] == "present"
    wait_until(lambda: mark(gateway, demo) == NAME, "the project answers again")


def test_change_of_one_project_leaves_the_processes_of_others_alone(fleet: Fleet, berth: Berth, demo: Project) -> None:
    units = ["nginx", "berth-rest@awake", "berth-auth@awake"]
    host = fleet.project("awake").host
    before = [main_pid(fleet, host, f"{unit}.service") for unit in units]
    assert all(before)
    berth.answer("update", NAME, "rest.max_rows=50", "--json")
    assert [main_pid(fleet, host, f"{unit}.service") for unit in units] == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "Demo", "--host", "HOST"], "project name 'Demo': allowed:"),
        (["add", "demo-z", "--host", "nowhere"], "host: found 'nowhere'"),
        (["add", "demo-z", "--host", "HOST", "--domain", f"{NAME}.localhost"], f"domains: found '{NAME}.localhost'"),
        (["update", NAME, "limits.connections=1"], "limits.connections: found 1, allowed:"),
        (["pause", "demo-z"], "project 'demo-z' is not declared"),
    ],
)
def test_bad_input_ends_with_2_and_changes_no_file(
    fleet: Fleet, berth: Berth, demo: Project, arguments: list[str], told: str
) -> None:
    before = {path.name: path.read_text() for path in (fleet.inventory / "projects").iterdir()}
    done = berth(*(demo.host if argument == "HOST" else argument for argument in arguments))
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert {path.name: path.read_text() for path in (fleet.inventory / "projects").iterdir()} == before
