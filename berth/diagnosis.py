"""A visit of the doctor: the plays that look at hosts, what they show together, and those that repair what is safe."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from berth import playbooks
from berth.doctor import Finding, drift, examine, unreachable
from berth.inventory import directory_of
from berth.measure import Unfinished, examine_hosts
from berth.models import Project
from berth.playbooks import Play, configure_all, configure_project, repair_hosts
from berth.samples import Samples

if TYPE_CHECKING:
    from berth.runner import OnStep, Runner


def diagnose(
    runner: "Runner",
    inventory: Path,
    declared: Collection[Project],
    hosts: tuple[str, ...] = (),
    name: str | None = None,
    on_step: "OnStep" = lambda step: None,
) -> list[Finding]:
    """All that is wrong with hosts, all without any, or with one project and the host below it.

    Raise Unfinished where it ended before all was looked at, else BerthError.
    """
    samples = Samples(directory_of(inventory))
    measurement, holdings = examine_hosts(runner, inventory, declared, hosts, on_step)
    found = [unreachable(host, reason) for host, reason in measurement.down.items()]
    for status in measurement.hosts:
        found += examine(status, holdings[status.name], declared, samples.account(status, declared))
    checked = runner.run(_converge(inventory, hosts, name, check=True), on_step)
    if reasons := [failure.message for failure in checked.failures if not failure.host]:
        raise Unfinished(f"not all was looked at: {'; '.join(reasons)}; the whole log: {checked.log}")
    found += [unreachable(host, why) for host, why in checked.unreachable.items() if host not in measurement.down]
    answered = {status.name for status in measurement.hosts}
    failures = [failure for failure in checked.failures if failure.host in answered]
    told = {(finding.host, finding.project) for finding in found if finding.kind == "absent"}
    changes = [change for change in checked.changes if (change.host, name) not in told]
    found += drift(changes, failures, name)
    return [one for one in found if name is None or one.project in (None, name)]


def looks(inventory: Path, hosts: tuple[str, ...], name: str | None) -> tuple[Play, Play]:
    """The plays of a visit: the one that looks at hosts, and the one that would change what differs."""
    return playbooks.examine_hosts(inventory, hosts), _converge(inventory, hosts, name, check=True)


def repairs(inventory: Path, found: Iterable[Finding], name: str | None = None, check: bool = False) -> list[Play]:
    """The plays that start what should run and apply what is declared, where no database is missing."""
    listed = list(found)
    hosts = tuple(sorted({finding.host for finding in listed if finding.fixable}))
    if not hosts:
        return []
    lost = {finding.host for finding in listed if finding.kind == "database"}
    sound = tuple(host for host in hosts if host not in lost)
    converge = [_converge(inventory, sound, name, check)] if sound else []
    return [repair_hosts(inventory, hosts, check), *converge]


def _converge(inventory: Path, hosts: tuple[str, ...], name: str | None, check: bool) -> Play:
    if name:
        return configure_project(inventory, name, check)
    return configure_all(inventory, check, hosts)
