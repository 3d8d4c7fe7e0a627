"""What befalls one project leaves the answers of all others correct, shared and isolated alike."""

import pytest
from fleet.content import mark
from fleet.load import Load
from fleet.services import wait_until

EVERYBODY = ("one", "two-words", "awake", "apart")
UNITS = "berth-rest@{name}.service berth-auth@{name}.service"
BREAKS = {
    "stopped": f"systemctl stop {UNITS}",
    "restarted": f"systemctl restart {UNITS}",
    "killed": f"systemctl kill --signal=KILL {UNITS}",
    "paused in the middle": "pkill --signal STOP --uid berth-{name}",
}
REPAIR = "pkill --signal CONT --uid berth-{name}; systemctl restart berth-rest-wake@{name}.service"


@pytest.mark.parametrize("broken", ["apart", "awake"])
@pytest.mark.parametrize("way", BREAKS)
def test_others_answer_while_one_is_broken(gateway, fleet, broken, way):
    others = [fleet.project(name) for name in EVERYBODY if name != broken]
    with Load(gateway, *others) as load:
        wait_until(lambda: load.has_answers(3), "the others answer before")
        fleet.on("trixie", BREAKS[way].format(name=broken))
        before = min(load.right.values())
        wait_until(lambda: load.has_answers(before + 15), "the others answer meanwhile")
        fleet.on("trixie", REPAIR.format(name=broken), check=False)
        wait_until(lambda: mark(gateway, fleet.project(broken)) == broken, f"{broken} answers again")
    assert load.wrong == []
