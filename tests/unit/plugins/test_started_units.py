"""Which units have read older files than there are: judged by the beginning of their present start."""

import time
from pathlib import Path
from types import SimpleNamespace

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible_collections.berth.supabase.plugins.module_utils.project_services import OwnCluster, Service
from ansible_collections.berth.supabase.plugins.module_utils.units import STARTED
from ansible_collections.berth.supabase.plugins.modules import fresh_unit, project_units

WORKER = "berth-rest@blog.service"
BLOG = {"name": "blog", "architecture": "shared", "state": "present", "idle_timeout": "15min"}


def ago(seconds: float) -> str:
    """Return a time stamp as systemd gives it."""
    return str(int((time.clock_gettime(time.CLOCK_MONOTONIC) - seconds) * 1_000_000))


class Units:
    """What systemd would say of units, and the commands that were given."""

    module = SimpleNamespace(check_mode=True)  # no door of this machine is touched

    def __init__(self, states: dict[str, dict[str, str]]) -> None:
        self.states = states
        self.commands: list[tuple[str, list[str]]] = []

    def show(self, names: list[str], properties: tuple[str, ...]) -> dict[str, dict[str, str]]:
        """Return the asked properties alone."""
        idle = {"ActiveState": "inactive"}
        return {name: {key: self.states.get(name, idle).get(key, "0") for key in properties} for name in names}

    def run(self, verb: str, names: list[str]) -> None:
        """Note a command."""
        if names:
            self.commands.append((verb, names))


def restarted(file: Path, began: float, active: float, state: str) -> bool:
    """Return whether a worker whose start began so many seconds ago is started again for the sake of a file."""
    worker = {"ActiveState": state, STARTED: ago(began), "ActiveEnterTimestampMonotonic": ago(active)}
    systemd = Units({WORKER: worker, "berth-rest-wake@blog.socket": {"ActiveState": "active"}})
    service, files = Service("rest", BLOG), {"rest": [str(file)]}
    project_units.converge(systemd, [service], [], [], files=files, reload={}, cluster_files=[])
    return ("try-restart", [WORKER]) in systemd.commands


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that was changed just now."""
    path = tmp_path / "rest.conf"
    path.touch()
    return path


OWN = {"name": "blog", "cluster": "berth_blog", "architecture": "isolated", "idle_timeout": "never"}
UNIT = "postgresql@17-berth_blog.service"


def commands(file: Path, began: float, state: str) -> list[tuple[str, list[str]]]:
    """Return what is done to the cluster of a project, present or paused, whose start began so many seconds ago."""
    systemd = Units({UNIT: {"ActiveState": "active", STARTED: ago(began)}})
    cluster = OwnCluster(OWN | {"state": state}, "17")
    project_units.converge(systemd, [], [], [cluster], files={}, reload={}, cluster_files=[str(file)])
    return systemd.commands


def test_cluster_of_a_project_is_restarted_for_newer_settings_alone_and_stopped_with_it(file: Path) -> None:
    assert commands(file, began=3600, state="present") == [("restart", [UNIT])]
    assert commands(file, began=-1, state="present") == []
    assert commands(file, began=-1, state="paused") == [("stop", [UNIT])]


def test_waking_worker_is_not_judged_by_its_start_of_before(file: Path) -> None:
    assert not restarted(file, began=-1, active=3600, state="activating")


def test_worker_whose_start_began_before_the_change_is_started_again(file: Path) -> None:
    assert restarted(file, began=60, active=3600, state="activating")
    assert restarted(file, began=60, active=-1, state="active")


@pytest.mark.parametrize(("began", "expected"), [(-1, None), (60, "restart")])
def test_starting_unit_of_the_host_is_judged_by_the_start_that_goes_on(began: float, expected: str | None) -> None:
    unit = {
        "ActiveState": "activating",
        "ConditionResult": "yes",
        "ConditionTimestampMonotonic": ago(began),
        "ActiveEnterTimestampMonotonic": ago(3600),
        "StateChangeTimestampMonotonic": ago(began),
        STARTED: ago(began),
    }
    assert fresh_unit.needed(unit, time.time(), 0) == expected


def test_nothing_is_restarted_when_what_is_done_meanwhile_fails(file: Path) -> None:
    systemd = Units({WORKER: {"ActiveState": "active", STARTED: ago(60)}})

    def fail() -> None:
        raise RuntimeError("the copy is behind")

    with pytest.raises(RuntimeError, match="behind"):
        project_units.converge(
            systemd, [Service("rest", BLOG)], [], [], {"rest": [str(file)]}, reload={}, cluster_files=[], switch=fail
        )
    assert [verb for verb, _units in systemd.commands if "restart" in verb] == []
