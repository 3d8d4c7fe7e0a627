"""The command that looks for what is wrong: doctor."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli.common import RUN_FAILED, Inventory, Json, Place, place, print_json, told_in_one_line
from berth.cli.run import progress
from berth.cli.status import HostOrName, resolve

if TYPE_CHECKING:
    from berth.doctor import Finding

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
    from berth.diagnosis import repairs

    with told_in_one_line():
        here = place(inventory)
        hosts, name = resolve(here, subject)
        look = partial(_findings, ctx, here, hosts, name)
        found = look()
        fixed: list[Finding] = []
        if fix and any(finding.fixable for finding in found):
            for play in repairs(here.inventory, found, name):
                with progress() as on_step:
                    ctx.obj.run(play, on_step)
            left = look()
            fixed = [finding for finding in found if _sign(finding) not in set(map(_sign, left))]
            found = left
    if as_json:
        print_json({"findings": [one.model_dump() for one in found], "fixed": [one.model_dump() for one in fixed]})
    else:
        _print(found, fixed)
    if found:
        raise typer.Exit(RUN_FAILED)


def _findings(ctx: typer.Context, here: Place, hosts: tuple[str, ...], name: str | None) -> "list[Finding]":
    from berth.diagnosis import diagnose

    with progress() as on_step:
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
