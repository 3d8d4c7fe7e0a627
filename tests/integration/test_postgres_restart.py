"""A restart of PostgreSQL under a project that is awake is over as soon as PostgreSQL is back."""

import pytest
from fleet.content import mark, sign_in
from fleet.services import wait_until


def restart(fleet, host):
    """Restarts the cluster of a host and returns once it takes connections."""
    [unit] = fleet.on(
        host, "systemctl list-units --plain --no-legend 'postgresql@*-berth.service' | cut -d' ' -f1"
    ).splitlines()
    before = fleet.on(host, f"systemctl show --property=MainPID {unit}")
    fleet.on(host, f"systemctl restart {unit}")
    assert fleet.on(host, f"systemctl show --property=MainPID {unit}") != before
    wait_until(lambda: "accepting" in fleet.on(host, "pg_isready", check=False), "PostgreSQL takes connections")


@pytest.mark.parametrize("name", ["one", "awake", "twelve"])
def test_project_answers_right_again(gateway, fleet, name):
    project = fleet.project(name)
    assert mark(gateway, project) == name
    sign_in(gateway, project)
    restart(fleet, project.host)
    wait_until(lambda: mark(gateway, project) == name, f"the REST API of {name} answers again")
    wait_until(
        lambda: gateway.ask(project, "/auth/v1/admin/users", key=project.service_role_key).status_code == 200,
        f"auth of {name} answers again",
    )
    answer = gateway.ask(project, "/pg/schemas", key=project.service_role_key)
    assert answer.status_code == 200, answer.text
    assert [mark(gateway, project) for _ in range(20)] == [name] * 20


def test_sleeper_wakes_into_the_restarted_cluster(gateway, fleet, sleeper):
    restart(fleet, sleeper.host)
    assert mark(gateway, sleeper) == sleeper.name
    sign_in(gateway, sleeper)
