"""The systemd units are ones that systemd understands and that are as closed as the design wants them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_plugins import ROOT
from rendering import lines, render, variables

UNITS = {
    path.name.removesuffix(".j2"): path.parts[-3]
    for path in sorted((ROOT / "roles").glob("*/templates/*.j2"))
    if path.name.endswith((".service.j2", ".socket.j2", ".slice.j2", ".timer.j2"))
}
HOLDS = {unit: unit.replace("-wake@", "-hold@") for unit in UNITS if "-wake@" in unit}
INSTALLED_BY_BERTH = re.compile(r"Command (/opt/berth/|/usr/local/lib/berth/|/usr/sbin/nft)\S* is not executable: ")
EXPOSURE = {  # worst allowed, of 10
    "berth-rest@.service": 0.5,
    "berth-rest-wake@.service": 0.5,
    "berth-auth@.service": 2.5,
    "berth-auth-wake@.service": 2.5,
    "berth-controller.service": 2.5,
    "berth-meta.service": 2.5,
    "berth-meta-wake.service": 2.5,
    "berth-meta-wake@.service": 2.5,
}
GIVEN = {"berth-controller.service": {"item": variables("controller")["_controller_units"][0]}}
OF_PODMAN = "berth-meta@.service"  # its generator makes it
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def instance(unit: str) -> str:
    """Return the name of a unit as it is started."""
    return unit.replace("@.", "@my-blog.")


def analyze(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Return what systemd-analyze says of the units in a directory, beside those of the machine."""
    environment = os.environ | {"SYSTEMD_UNIT_PATH": f"{directory}:", "SYSTEMD_COLORS": "0"}
    return subprocess.run(["systemd-analyze", *command], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a directory with all units."""
    directory = tmp_path_factory.mktemp("units")
    for unit, role in UNITS.items():
        (directory / unit).write_text(render(role, f"{unit}.j2", **GIVEN.get(unit, {})))
        if unit in HOLDS:
            (directory / HOLDS[unit]).write_text(render(role, f"{unit}.j2", item={"name": "hold"}))
    shutil.copy(directory / "berth-controller.service", directory / "berth-controller-web.service")
    (directory / OF_PODMAN).write_text("[Service]\nExecStart=/bin/true\n")
    return directory


def complaints(directory: Path, unit: str) -> list[str]:
    """Return what systemd says against a unit, except that a program which a host would have is not on this machine."""
    said = analyze(directory, "verify", "--man=no", "--generators=no", instance(unit)).stderr.splitlines()
    return [line for line in said if not INSTALLED_BY_BERTH.search(line)]


@needs_systemd
@pytest.mark.parametrize("unit", [*UNITS, *HOLDS.values()])
def test_systemd_understands_the_unit(units: Path, unit: str) -> None:
    assert complaints(units, unit) == []


@needs_systemd
def test_a_misspelt_unit_is_noticed(units: Path, tmp_path: Path) -> None:
    shutil.copytree(units, tmp_path, dirs_exist_ok=True)
    unit = tmp_path / "berth-rest@.service"
    unit.write_text(unit.read_text().replace("MemoryMax=", "MemoryMaximum="))
    assert any("MemoryMaximum" in line for line in complaints(tmp_path, "berth-rest@.service"))


def test_requests_that_are_held_wait_for_the_lock(units: Path) -> None:
    text = lines((units / "berth-rest-hold@.service").read_text())
    assert "ExecStartPre=+/usr/bin/flock /run/berth/hold/%i-rest.lock true" in text
    assert "Requires=berth-rest@%i.service" in text
    assert not [line for line in lines((units / "berth-rest-wake@.service").read_text()) if "flock" in line]


@pytest.mark.parametrize("service", ["rest", "auth", "meta"])
def test_requests_that_were_held_go_the_way_of_all_others(units: Path, service: str) -> None:
    text = lines((units / f"berth-{service}-hold@.service").read_text())
    [command] = [line for line in text if line.startswith("ExecStart=")]
    assert command.split()[-1] == f"/run/berth/wake/%i-{service}.sock"
    assert "User=www-data" in text
    assert "SocketGroup=www-data" in lines((units / f"berth-{service}-wake@.socket").read_text())


@needs_systemd
@pytest.mark.parametrize(("unit", "worst"), EXPOSURE.items())
def test_service_is_closed(units: Path, unit: str, worst: float) -> None:
    threshold = f"--threshold={int(worst * 10)}"
    done = analyze(units, "security", "--offline=yes", "--no-pager", threshold, instance(unit))
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_every_service_of_a_project_is_looked_at() -> None:
    services = {unit for unit in UNITS if unit.endswith(".service")}
    assert services - {"berth-firewall.service", "berth-health@.service"} == set(EXPOSURE)


@pytest.mark.parametrize("unit", [unit for unit in EXPOSURE if "-wake" not in unit])
def test_memory_is_limited_as_told(unit: str) -> None:
    role = UNITS[unit]
    given = {f"{role}_memory_max": "99M", **GIVEN.get(unit, {})}
    assert "MemoryMax=99M" in lines(render(role, f"{unit}.j2", **given))


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.endswith(".socket")])
def test_only_the_gateway_may_wake_a_service(unit: str) -> None:
    text = lines(render(UNITS[unit], f"{unit}.j2"))
    assert {"SocketUser=root", "SocketGroup=www-data", "SocketMode=0660"} <= set(text)
