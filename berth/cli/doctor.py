"""The command that looks for what is wrong: doctor."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli.common import RUN_FAILED, Inventory, Json, Place, place, print_json, told_in_one_line
from berth.cli.run import progress
from berth.cli.status import HostOrName, resolve

if TYPE_CHECKING:
    from berth.doctor import Finding
    from berth.playbooks import Play
    from berth.runner import Result

Fix = Annotated[bool, typer.Option("--fix", help="Do what is safe: start what should run, apply what is declared.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("doctor")(doctor)


def doctor(
    ctx: typer.Context,
    subject: HostOrName = None,
    fix: Fix = False,
    inventory: Inventory = None,
    as_json: Json = False,
) -> None:
    """Look for what is wrong with hosts and projects, and say what to do; wakes nobody."""
    with told_in_one_line():
        here = place(inventory)
        hosts, name = resolve(here, subject)
        visit = _Visit(ctx, here, hosts, name)
        found = visit.findings()
        fixed: list[Finding] = []
        if fix and any(finding.fixable for finding in found):
            visit.fix(found)
            left = visit.findings()
            fixed = [finding for finding in found if _sign(finding) not in set(map(_sign, left))]
            found = left
    if as_json:
        print_json({"findings": [one.model_dump() for one in found], "fixed": [one.model_dump() for one in fixed]})
    else:
        _print(found, fixed)
    if found:
        raise typer.Exit(RUN_FAILED)


@dataclass(frozen=True)
class _Visit:
    ctx: typer.Context
    here: Place
    hosts: tuple[str, ...]
    name: str | None

    def findings(self) -> "list[Finding]":
        """All that is wrong with the hosts, or with the one project and the host below it; raise BerthError."""
        from berth.cli.capacity import account
        from berth.doctor import drift, examine, unreachable
        from berth.measure import examine_hosts

        projects = list(self.here.store.load().values())
        with progress() as on_step:
            measurement, holdings = examine_hosts(self.ctx.obj, self.here.inventory, projects, self.hosts, on_step)
        found = [unreachable(host, reason) for host, reason in measurement.down.items()]
        for status in measurement.hosts:
            found += examine(status, holdings[status.name], projects, account(self.here, status, projects))
        checked = self._run(self._converge(check=True))
        answered = {status.name for status in measurement.hosts}
        failures = [failure for failure in checked.failures if failure.host in answered]
        told = {(finding.host, finding.project) for finding in found if finding.kind == "absent"}
        changes = [change for change in checked.changes if (change.host, self.name) not in told]
        found += drift(changes, failures, self.name)
        return [one for one in found if self.name is None or one.project in (None, self.name)]

    def fix(self, found: "list[Finding]") -> None:
        """Start what should run, and apply what is declared where no database is missing; raise BerthError."""
        from berth.playbooks import repair_hosts

        hosts = tuple(sorted({finding.host for finding in found if finding.fixable}))
        self._run(repair_hosts(self.here.inventory, hosts))
        lost = {finding.host for finding in found if finding.kind == "database"}
        sound = tuple(host for host in hosts if host not in lost)
        if sound:
            self._run(self._converge(check=False, hosts=sound))

    def _converge(self, check: bool, hosts: tuple[str, ...] | None = None) -> "Play":
        from berth.playbooks import configure_all, configure_project

        if self.name:
            return configure_project(self.here.inventory, self.name, check)
        return configure_all(self.here.inventory, check, self.hosts if hosts is None else hosts)

    def _run(self, play: "Play") -> "Result":
        with progress() as on_step:
            return self.ctx.obj.run(play, on_step)


def _sign(finding: "Finding") -> tuple[Any, ...]:
    """What makes two findings the same, whatever the figures in their words."""
    return finding.host, finding.project, finding.kind, finding.what


def _print(found: "list[Finding]", fixed: "list[Finding]") -> None:
    for finding in fixed:
        typer.echo(f"{_where(finding)}: fixed: {finding.what}")
    for finding in found:
        typer.echo(f"{_where(finding)}: {finding.what}")
        typer.echo(f"    {finding.remedy}")
    if not found:
        typer.echo("nothing wrong was found")
        return
    fixable = sum(finding.fixable for finding in found)
    what_next = f"; berth doctor --fix may repair {fixable}" if fixable and not fixed else ""
    typer.echo(f"{len(found)} found{what_next}")


def _where(finding: "Finding") -> str:
    return f"{finding.host}: {finding.project}" if finding.project else finding.host
