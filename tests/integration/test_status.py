"""Real hosts, measured: what sleeps is not woken, what runs is counted, what is down is told."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from fleet import Fleet
from fleet.content import mark, sign_in
from fleet.services import processes, put_to_sleep

from berth.samples import FILE, Samples
from berth.status import Measurement

PSS = """
for cgroup in berth-{service}@{name}.service berth-{service}-wake@{name}.service; do
    for pid in $(systemctl show --property=MainPID --value $cgroup); do cat /proc/$pid/smaps_rollup; done
done"""


def status(fleet: Fleet, *arguments: str) -> tuple[int, Measurement]:
    """Runs berth status and returns its exit code and what it measured."""
    command = ["berth", "status", "--json", *arguments]
    environment = {"BERTH_INVENTORY": str(fleet.inventory), **fleet.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, Measurement.model_validate(json.loads(done.stdout))


@pytest.fixture(scope="module")
def measured(gateway, fleet) -> Measurement:
    """What is measured while two-words sleeps and one is awake."""
    put_to_sleep(fleet, fleet.project("two-words"))
    mark(gateway, fleet.project("one"))
    sign_in(gateway, fleet.project("one"))
    code, found = status(fleet)
    assert code == 0
    return found


def of_host(found: Measurement, name: str):
    """Returns the status of a host."""
    return next(host for host in found.hosts if host.name == name)


def test_sleeping_project_is_measured_as_nothing_and_sleeps_on(fleet: Fleet, measured: Measurement) -> None:
    found = of_host(measured, "trixie").project("two-words")
    assert (found.state, found.memory_bytes) == ("asleep", 0)
    assert {service.state for service in found.services} == {"asleep"}
    assert found.database_bytes > 1_000_000
    assert processes(fleet, fleet.project("two-words")) == []


def test_awake_project_is_measured_by_service(fleet: Fleet, measured: Measurement) -> None:
    found = of_host(measured, "trixie").project("awake")
    assert found.state == "awake"
    for service in found.services:
        output = fleet.on("trixie", PSS.format(service=service.name, name="awake"))
        there = sum(int(kib) * 1024 for kib in re.findall(r"^Pss: +(\d+) kB", output, re.MULTILINE))
        assert service.memory_bytes == pytest.approx(there, rel=0.5)
        assert (service.state, service.processes >= 2, service.cpu_seconds > 0) == ("awake", True, True)


def test_paused_project_and_requests_are_told(measured: Measurement) -> None:
    found = of_host(measured, "trixie")
    assert found.project("parked").state == "paused"
    assert found.project("one").traffic.requests_per_minute > 0
    assert found.project("one").connections > 0
    assert found.project("one").connection_limit == 20


def test_parts_of_the_memory_are_all_of_it(fleet: Fleet, measured: Measurement) -> None:
    for host in measured.hosts:
        assert host.memory_total_bytes == fleet.variables[host.name]["berth_host_memory_mb"] * 1024**2
        parts = [part.held_bytes for part in (*host.services, *host.projects)]
        assert host.system_bytes + sum(parts) == host.memory_used_bytes
        assert {"postgres", "nginx", "meta"} <= {service.name for service in host.services}
        assert host.service("postgres").state == host.service("nginx").state == "awake"
        assert host.postgres.max_connections >= 100
        assert host.failed_units == ()


def test_samples_are_kept(fleet: Fleet, measured: Measurement) -> None:
    assert Samples(fleet.inventory).latest("trixie") == of_host(measured, "trixie")


def test_host_that_is_down_is_told_and_the_rest_is_shown(fleet: Fleet, tmp_path: Path) -> None:
    copy = tmp_path / "fleet"
    shutil.copytree(fleet.inventory, copy, ignore=shutil.ignore_patterns(FILE, "secrets", "projects"))
    groups = yaml.safe_load((copy / "hosts.yml").read_text())
    hosts = groups["berth_hosts"]["children"]["local_hosts"]["hosts"]
    hosts["gone"] = {**hosts["bookworm"], "ansible_host": "127.0.0.1", "ansible_port": 9}
    (copy / "hosts.yml").write_text(yaml.safe_dump(groups))
    code, found = status(fleet, "--inventory", str(copy))
    assert code == 1
    assert [host.name for host in found.hosts] == ["bookworm", "trixie"]
    assert "refused" in found.down["gone"]
