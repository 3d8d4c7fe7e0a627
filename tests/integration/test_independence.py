"""What befalls one project leaves the answers of all others correct, shared and isolated alike."""

from contextlib import ExitStack

import pytest
from fleet.content import mark
from fleet.memory import is_limitable, limited
from fleet.services import wait_until
from fleet.traffic import Traffic

EVERYBODY = ("one", "two-words", "awake", "apart", "alone")
UNITS = "berth-rest@{name}.service berth-auth@{name}.service"
BREAKS = {
    "stopped": f"systemctl stop {UNITS}",
    "restarted": f"systemctl restart {UNITS}",
    "killed": f"systemctl kill --signal=KILL {UNITS}",
    "paused in the middle": "pkill --signal STOP --uid berth-{name}",
}
REPAIR = "pkill --signal CONT --uid berth-{name}; systemctl restart berth-rest-wake@{name}.service"


@pytest.mark.parametrize("broken", ["apart", pytest.param("awake", marks=pytest.mark.slow)])
@pytest.mark.parametrize("way", BREAKS)
def test_others_answer_while_one_is_broken(gateway, fleet, broken, way):
    others = [fleet.project(name) for name in EVERYBODY if name != broken]
    with ExitStack() as stack:
        traffic = [stack.enter_context(Traffic(gateway, project)) for project in others]
        _wait_for(traffic, 3)
        fleet.on("trixie", BREAKS[way].format(name=broken))
        _wait_for(traffic, 15)
        fleet.on("trixie", REPAIR.format(name=broken), check=False)
        wait_until(lambda: mark(gateway, fleet.project(broken)) == broken, f"{broken} answers again")
    assert [(project.name, each.failures) for project, each in zip(others, traffic, strict=True) if each.failures] == []


HUNGER = "SELECT cardinality(array_agg(repeat('x', 1000000) || n)) FROM generate_series(1, 900) AS n"


@pytest.mark.skipif(not is_limitable(), reason="this machine has no memory controller (cgroup v1)")
def test_others_answer_while_the_memory_of_one_is_exhausted(gateway, fleet):
    alone, others = fleet.project("alone"), [fleet.project(name) for name in EVERYBODY if name != "alone"]
    with ExitStack() as stack:
        traffic = [stack.enter_context(Traffic(gateway, project)) for project in others]
        killed = stack.enter_context(limited("berth-alone.slice", 640))
        _wait_for(traffic, 3)
        said = fleet.on("trixie", f'psql {alone.psql} -U supabase_admin -d alone -c "{HUNGER}" 2>&1', check=False)
        assert "server closed the connection unexpectedly" in said
        assert killed() > 0
        _wait_for(traffic, 15)
        wait_until(lambda: mark(gateway, alone) == "alone", "alone answers again")
    assert [(project.name, each.failures) for project, each in zip(others, traffic, strict=True) if each.failures] == []


def _wait_for(traffic, more):
    """Returns when each of the others has given so many more right answers."""
    before = [each.answers["right"] for each in traffic]
    wait_until(
        lambda: all(each.answers["right"] >= had + more for each, had in zip(traffic, before, strict=True)),
        "all others answer",
    )
