"""The services of a project are confined as far as systemd can: its own measure of that, and the kernel's word."""

import pytest
from fleet.content import mark, sign_in
from fleet.services import main_pid

MOST = {
    "berth-rest@{name}.service": 0.5,
    "berth-rest-wake@{name}.service": 0.5,
    "berth-auth@{name}.service": 2.5,
    "berth-auth-wake@{name}.service": 2.5,
    "berth-meta.service": 2.5,
    "berth-meta-wake.service": 2.5,
}


@pytest.fixture(scope="module", params=["one", "twelve"])
def project(gateway, fleet, request):
    """Give a project of each Debian release with all its services awake."""
    project = fleet.project(request.param)
    mark(gateway, project)
    sign_in(gateway, project)
    assert gateway.ask(project, "/pg/schemas", key=project.service_role_key).status_code == 200
    return project


@pytest.mark.parametrize("unit", MOST)
def test_exposure_is_low(fleet, project, unit):
    report = fleet.on(project.host, f"systemd-analyze security --no-pager {unit.format(name=project.name)}")
    [line] = [line for line in report.splitlines() if "Overall exposure level" in line]
    exposure = float(line.split(":")[1].split()[0])
    assert exposure <= MOST[unit], report


@pytest.mark.parametrize("unit", MOST)
def test_process_has_a_user_of_its_own_and_no_way_to_more(fleet, project, unit):
    name = unit.format(name=project.name)
    pid = main_pid(fleet, project.host, name)
    lines = fleet.on(project.host, f"cat /proc/{pid}/status").splitlines()
    status = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
    user = "berth-meta" if "meta" in unit else f"berth-{project.name}"
    uid = fleet.on(project.host, f"id --user {user}")
    assert int(uid) > 0
    assert set(status["Uid"]) == {uid}
    assert status["NoNewPrivs"] == ["1"]
    assert status["Seccomp"] == ["2"]
    assert {int(status[f"Cap{kind}"][0], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}


def test_rest_sees_no_network(fleet, project):
    pid = main_pid(fleet, project.host, f"berth-rest@{project.name}.service")
    devices = fleet.on(project.host, f"nsenter --target {pid} --net cat /proc/net/dev").splitlines()[2:]
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]
    assert len(fleet.on(project.host, "cat /proc/net/dev").splitlines()) > 3
