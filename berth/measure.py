"""Measures hosts by running playbooks that read; changes nothing there and wakes nobody."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from berth import playbooks
from berth.doctor import Holdings
from berth.errors import BerthError
from berth.models import Project
from berth.playbooks import Play
from berth.runner import INTERRUPTED
from berth.status import Measurement, host_status

if TYPE_CHECKING:
    from berth.runner import OnStep, Result, Runner

Reports = dict[str, dict[str, Any]]


class Unfinished(BerthError):
    """A look at hosts that ended before all was seen, so that nobody knows what else there is."""


def measure(
    runner: "Runner",
    inventory: Path,
    declared: Iterable[Project],
    hosts: tuple[str, ...] = (),
    on_step: "OnStep" = lambda step: None,
) -> Measurement:
    """The status of these hosts, of all without any; hosts that do not answer are told of; raise BerthError."""
    reports, down = _read(runner, playbooks.measure_hosts(inventory, hosts), on_step)
    return _measurement(reports, down, declared)


def examine_hosts(
    runner: "Runner",
    inventory: Path,
    declared: Iterable[Project],
    hosts: tuple[str, ...] = (),
    on_step: "OnStep" = lambda step: None,
) -> tuple[Measurement, dict[str, Holdings]]:
    """As `measure`, and by host what it holds of projects; raise BerthError."""
    reports, down = _read(runner, playbooks.examine_hosts(inventory, hosts), on_step)
    holdings = {host: Holdings.model_validate(report.pop("holdings")) for host, report in reports.items()}
    return _measurement(reports, down, declared), holdings


def _read(runner: "Runner", play: Play, on_step: "OnStep") -> tuple[Reports, dict[str, str]]:
    result = runner.run(play, on_step)
    reports, down = told(result)
    if result.ok:
        result.log.unlink(missing_ok=True)  # one every few minutes would bury the logs of changes
    return reports, down


def told(result: "Result") -> tuple[Reports, dict[str, str]]:
    """The reports of the hosts that answered, and why others did not; raise BerthError where it could not begin."""
    if any(failure.message == INTERRUPTED for failure in result.failures):
        raise Unfinished(f"not every host was measured: {INTERRUPTED}; the whole log: {result.log}")
    failed = {failure.host: f"{failure.task}: {failure.message}" for failure in result.failures if failure.host}
    down = {**failed, **result.unreachable}
    if not result.ok and not down:
        reasons = "; ".join(failure.message for failure in result.failures)
        raise BerthError(f"the run could not begin: {reasons}; the whole log: {result.log}")
    reports = {host: dict(report) for host, report in sorted(result.reports.items()) if host not in down}
    return reports, {host: " ".join(reason.split()) for host, reason in sorted(down.items())}


def _measurement(reports: Reports, down: dict[str, str], declared: Iterable[Project]) -> Measurement:
    projects = tuple(declared)
    return Measurement(hosts=tuple(host_status(host, found, projects) for host, found in reports.items()), down=down)
