"""A service that dies comes back with the next request, whether its project sleeps or never does."""

import pytest
from fleet.content import mark
from fleet.services import main_pid, wait_until

CASES = [(name, service) for name in ("one", "awake") for service in ("rest", "auth")]


@pytest.mark.parametrize(("name", "service"), CASES)
def test_killed_service_answers_again(gateway, fleet, name, service):
    project = fleet.project(name)

    def answers():
        if service == "rest":
            return mark(gateway, project) == name
        return gateway.ask(project, "/auth/v1/settings", key=project.anon_key).status_code == 200

    assert answers()
    worker = f"berth-{service}@{name}.service"
    pid = main_pid(fleet, project.host, worker)
    fleet.on(project.host, f"kill -KILL {pid}")
    try:
        wait_until(answers, f"{worker} answers after it was killed", 20)
        assert main_pid(fleet, project.host, worker) not in (0, pid)
    finally:
        fleet.on(project.host, f"systemctl restart berth-{service}-wake@{name}.service")
    assert answers()


def test_killed_proxy_answers_again(gateway, fleet):
    one = fleet.project("one")
    assert mark(gateway, one) == "one"
    fleet.on(one.host, "systemctl kill --signal=KILL berth-rest-wake@one.service")
    wait_until(lambda: mark(gateway, one) == "one", "one answers after its proxy was killed", 20)


def test_killed_meta_answers_again(gateway, fleet):
    one = fleet.project("one")

    def answers():
        return gateway.ask(one, "/pg/schemas", key=one.service_role_key).status_code == 200

    assert answers()
    fleet.on(one.host, "systemctl kill --signal=KILL berth-meta.service")
    try:
        wait_until(answers, "postgres-meta answers after it was killed", 20)
    finally:
        fleet.on(one.host, "systemctl restart berth-meta-wake.service")
