"""An isolated project: its containers are shut in, have limits and a network of their own, and come back."""

import pytest
from fleet.content import mark, sign_in
from fleet.services import wait_until

from berth.capacity import capacity
from berth.declarations import load
from berth.samples import Samples

SERVICES = ("rest", "auth", "meta")
PATHS = ("/rest/v1/marks", "/auth/v1/health", "/pg/schemas")


@pytest.fixture(scope="module")
def apart(gateway, fleet):
    """Give the isolated project of trixie, all its services asked once."""
    return fleet.project("apart")


def container_pid(fleet, service):
    """Returns the process id of a container's first process, 0 when it does not run."""
    unit = f"berth-{service}@apart.service"
    if fleet.on("trixie", f"systemctl is-active {unit}", check=False) != "active":
        return 0
    return int(fleet.on("trixie", f"cat /run/berth/netns/apart-{service}.pid"))


def answers(gateway, project):
    """Returns the status of each of the services of a project."""
    return [gateway.ask(project, path, key=project.service_role_key).status_code for path in PATHS]


def test_it_looks_like_any_other_from_outside(gateway, apart):
    assert mark(gateway, apart) == "apart"
    assert sign_in(gateway, apart)
    assert answers(gateway, apart) == [200, 200, 200]


@pytest.mark.parametrize("service", SERVICES)
def test_container_is_shut_in(gateway, fleet, apart, service):
    pid = container_pid(fleet, service)
    lines = fleet.on("trixie", f"cat /proc/{pid}/status").splitlines()
    status = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
    assert set(status["Uid"]) == {fleet.on("trixie", "id --user berth-apart")}
    assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])
    assert {int(status[f"Cap{kind}"][0], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
    [root] = [line for line in fleet.on("trixie", f"cat /proc/{pid}/mounts").splitlines() if line.split()[1] == "/"]
    assert root.split()[3].startswith("ro,")
    assert "Permission denied" not in fleet.on("trixie", f"ls /proc/{pid}/cwd/run/postgresql")
    assert fleet.on("trixie", f"ls /proc/{pid}/cwd/etc/berth 2>&1", check=False).endswith("No such file or directory")


@pytest.mark.parametrize("service", SERVICES)
def test_container_runs_in_the_slice_of_its_project(fleet, apart, service):
    unit = f"berth-{service}@apart.service"
    assert fleet.on("trixie", f"systemctl show --property=Slice --value {unit}") == "berth-apart.slice"
    assert "berth-apart.slice" in fleet.on("trixie", f"cat /proc/{container_pid(fleet, service)}/cgroup")


def test_status_tells_what_each_of_its_services_uses(berth, apart):
    [host] = berth.answer("status", "apart", "--json")["hosts"]
    [project] = host["projects"]
    services = {service["name"]: service for service in project["services"]}
    assert (project["architecture"], project["state"], set(services)) == ("isolated", "awake", set(SERVICES))
    for name, service in services.items():
        assert service["units"] == [f"berth-{name}@apart.service", f"berth-{name}-wake@apart.service"]
        assert service["memory_bytes"] > 2**20, name
    assert host["method"] == "pss"


def test_capacity_counts_its_limit_and_not_what_it_uses(fleet, berth, apart):
    berth.answer("status", "trixie", "--json")
    found = capacity(Samples(fleet.inventory).latest("trixie"), load(fleet.inventory, fleet.variables).values())
    [amount] = [amount for amount in found.account if amount.name == "apart"]
    assert (found.isolated, amount.kind, amount.may_sleep) == (3, "isolated", False)
    assert amount.counted_bytes > 512 * 2**20 > amount.used_bytes > 2**20


def test_slice_has_the_limits_of_the_declaration(fleet, apart):
    shown = fleet.on(
        "trixie", "systemctl show --property=MemoryMax,MemoryHigh,CPUWeight,IOWeight,TasksMax berth-apart.slice"
    )
    limits = {"MemoryMax=536870912", "MemoryHigh=482344960", "CPUWeight=100", "IOWeight=100", "TasksMax=512"}
    assert set(shown.splitlines()) == limits


@pytest.mark.parametrize("service", ["rest", "meta"])
def test_rest_and_meta_see_no_network(fleet, apart, service):
    devices = fleet.on(
        "trixie", f"nsenter --target {container_pid(fleet, service)} --net cat /proc/net/dev"
    ).splitlines()
    assert [line.split(":")[0].strip() for line in devices[2:]] == ["lo"]


def test_auth_reaches_the_gateway_and_no_other_port_of_the_host(fleet, apart):
    inside = f"nsenter --target {container_pid(fleet, 'auth')} --net"
    gateway = fleet.on("trixie", f"{inside} ip -4 route show default").split()[2]
    own = fleet.variables["trixie"]["ansible_host"]
    for address in (gateway, own):
        asked = f"{inside} curl --silent --max-time 5 http://{address}/berth/health"
        assert '"ok"' in fleet.on("trixie", asked), address
        admin = f"timeout 5 bash -c 'head -c 4 < /dev/tcp/{address}/22' 2>&1"
        assert "Connection refused" in fleet.on("trixie", f"{inside} {admin}", check=False), address
        assert fleet.on("trixie", admin) == "SSH-", address


def test_nobody_on_the_host_reaches_auth_past_the_proxy(fleet, apart):
    inside = f"nsenter --target {container_pid(fleet, 'auth')} --net"
    address = fleet.on("trixie", f"{inside} hostname -I").split()[0]
    for target in (f"{address}:20008", "127.0.0.1:20008"):
        asked = f"curl --silent --show-error --max-time 3 http://{target}/health 2>&1"
        assert "Failed to connect" in fleet.on("trixie", asked, check=False), target
    assert "GoTrue" in fleet.on("trixie", f"{inside} curl --silent http://127.0.0.1:20008/health")


@pytest.mark.parametrize("service", SERVICES)
def test_killed_container_comes_back(gateway, fleet, apart, service):
    before = container_pid(fleet, service)
    fleet.on("trixie", f"kill -KILL {before}")
    wait_until(lambda: container_pid(fleet, service) not in (0, before), f"{service} of apart runs again")
    wait_until(lambda: answers(gateway, apart) == [200, 200, 200], "apart answers again")


def test_container_that_hangs_is_restarted(gateway, fleet, apart):
    before = container_pid(fleet, "rest")
    fleet.on("trixie", f"kill -STOP {before}")
    fleet.on("trixie", "systemctl start berth-health@apart.service")
    assert container_pid(fleet, "rest") not in (0, before)
    assert mark(gateway, apart) == "apart"
    assert fleet.on("trixie", "systemctl is-active berth-health@apart.timer") == "active"
