"""Measures hosts by running playbooks/status.yml; changes nothing there and wakes nobody."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from berth.errors import BerthError
from berth.models import Project
from berth.playbooks import measure_hosts
from berth.status import Measurement, host_status

if TYPE_CHECKING:
    from berth.runner import OnStep, Runner


def measure(
    runner: "Runner",
    inventory: Path,
    declared: Iterable[Project],
    hosts: tuple[str, ...] = (),
    on_step: "OnStep" = lambda step: None,
) -> Measurement:
    """The status of these hosts, of all without any; hosts that do not answer are told of; raise BerthError."""
    projects = tuple(declared)
    result = runner.run(measure_hosts(inventory, hosts), on_step)
    failed = {failure.host: f"{failure.task}: {failure.message}" for failure in result.failures if failure.host}
    down = {**failed, **result.unreachable}
    if not result.ok and not down:
        reasons = "; ".join(failure.message for failure in result.failures)
        raise BerthError(f"the measurement could not begin: {reasons}; the whole log: {result.log}")
    if result.ok:
        result.log.unlink(missing_ok=True)  # one every few minutes would bury the logs of changes
    found = {host: report for host, report in sorted(result.reports.items()) if host not in down}
    return Measurement(
        hosts=tuple(host_status(host, report, projects) for host, report in found.items()),
        down={host: _one_line(reason) for host, reason in sorted(down.items())},
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
