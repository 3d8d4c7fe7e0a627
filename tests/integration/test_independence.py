"""What befalls one project leaves the answers of all others correct, shared and isolated alike."""

from contextlib import ExitStack

import pytest
from fleet.content import mark
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


def _wait_for(traffic, more):
    """Returns when each of the others has given so many more right answers."""
    before = [each.answers["right"] for each in traffic]
    wait_until(
        lambda: all(each.answers["right"] >= had + more for each, had in zip(traffic, before, strict=True)),
        "all others answer",
    )
