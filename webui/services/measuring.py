"""Measures all hosts again and again, so that the pages have figures."""

import logging
import threading

from berth.errors import BerthError
from berth.measure import measure
from berth.playbooks import Play
from berth.runner import AnsibleRunner, OnStep, Result, Runner
from webui.services.fleet import Fleet
from webui.services.rooms import Rooms

log = logging.getLogger(__name__)


class UntilOver:
    """Runs plays, and ends the one that runs when it is over."""

    def __init__(self, over: threading.Event) -> None:
        self._over = over

    def run(self, play: Play, on_step: OnStep) -> Result:
        """Run the play as AnsibleRunner does."""
        return AnsibleRunner().run(play, on_step, cancelled=self._over.is_set)


def measure_once(fleet: Fleet, rooms: Rooms, runner: Runner) -> dict[str, str]:
    """Measure all hosts, keep the samples, and return why hosts did not answer; raise BerthError."""
    declared = fleet.projects().values()
    found = measure(runner, fleet.inventory, declared)
    rooms.samples.keep(found, declared)
    return found.down


def measure_on(fleet: Fleet, rooms: Rooms, runner: Runner, pause: float, over: threading.Event) -> None:
    """Measure with so many seconds between, until `over`; what goes wrong is logged and tried again."""
    while not over.is_set():
        try:
            for host, reason in measure_once(fleet, rooms, runner).items():
                log.warning("host %s did not answer: %s", host, reason)
        except BerthError as error:
            if not over.is_set():
                log.warning("%s", error)
        over.wait(pause)
