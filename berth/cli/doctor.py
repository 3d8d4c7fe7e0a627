"""The command that looks for what is wrong: doctor."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli.common import RUN_FAILED, Inventory, Json, Place, ShowPlaybook, place, print_json, tell, told_in_one_line
from berth.cli.converge import show_line
from berth.cli.run import progress, progress_of_reading, summary, tell_why
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
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Look for what is wrong with hosts and projects, and say what to do; wakes nobody."""
    from berth.cli.questions import BadInput
    from berth.diagnosis import looks, repairs

    with told_in_one_line():
        here = place(inventory)
        hosts, name = resolve(here, subject)
        if show_playbook:
            if fix:
                raise BadInput("--fix: what it runs depends on what is found; leave out one of the options")
            examination, check = looks(here.inventory, hosts, name)
            show_line(examination, as_json, check)
            return
        look = partial(_findings, ctx, here, hosts, name)
        found = look()
        fixed: list[Finding] = []
        runs: list[Result] = []
        if fix and any(finding.fixable for finding in found):
            runs = _repair(ctx, repairs(here.inventory, found, name))
            left = look()
            fixed = [finding for finding in found if _sign(finding) not in set(map(_sign, left))]
            found = left
    if as_json:
        told = {"findings": [one.model_dump() for one in found], "fixed": [one.model_dump() for one in fixed]}
        print_json(told | {"runs": [summary(run) for run in runs]})
    else:
        _print(found, fixed)
    if found or not all(run.ok for run in runs):
        raise typer.Exit(RUN_FAILED)


def _repair(ctx: typer.Context, plays: "list[Play]") -> "list[Result]":
    """What came of each play; of one that failed it is told why, and one that was interrupted ends the command."""
    runs = []
    for play in plays:
        with progress() as on_step:
            run = ctx.obj.run(play, on_step)
        runs.append(run)
        if not run.ok:
            tell_why(run)
        if any(not failure.host for failure in run.failures):
            tell("the repair did not end; berth doctor shows what is left")
            raise typer.Exit(RUN_FAILED)
    return runs


def _findings(ctx: typer.Context, here: Place, hosts: tuple[str, ...], name: str | None) -> "list[Finding]":
    from berth.diagnosis import diagnose

    with progress_of_reading() as on_step:
        return diagnose(ctx.obj, here.inventory, list(here.store.load().values()), hosts, name, on_step)


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
