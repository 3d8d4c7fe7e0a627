"""The command that removes a project for good, an archive of it first."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli.common import Inventory, Json, Name, Place, Plan, ShowPlaybook, place, told_in_one_line
from berth.cli.converge import show_line
from berth.cli.questions import BadInput
from berth.cli.run import converge, show_plan

if TYPE_CHECKING:
    from berth.models import Project


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("remove")(remove)


def remove(
    ctx: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the name again.")] = False,
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Keep no archive; needs --yes.")] = False,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Remove a project with its data for good, after an encrypted archive of it was kept."""
    from berth.archive import Archive
    from berth.playbooks import remove_project

    with told_in_one_line():
        here = place(inventory)
        project = here.store.project(name)
        told = {"project": here.row(project) | {"number": project.number}}
        play = remove_project(here.inventory, name, plan_only, archive=not no_backup)
        if show_playbook:
            show_line(play, as_json)
            return
        if plan_only:
            show_plan(ctx.obj, play, told, as_json, project.host)
            return
        _require_consent(project, yes, no_backup, as_json)
        archives = Archive(here.environment.directory, name, project.number)

        def learned() -> dict[str, Any]:
            found = archives.latest()
            return {"archive": str(found) if found else None}

        converge(ctx.obj, play, told, as_json, _completes(here, project), learned)
        if not as_json and (archive := learned()["archive"]):
            typer.echo(f"archive: {archive}")


def _require_consent(project: "Project", yes: bool, no_backup: bool, as_json: bool) -> None:
    if no_backup and not yes:
        raise BadInput(
            "--no-backup: needs --yes beside it, since nothing of the project is left then; nothing was removed"
        )
    if yes:
        return
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput(f"removing {project.name} was not confirmed; give --yes, or run it at a terminal without --json")
    again = typer.prompt(f"This removes {project.name} and its data from {project.host}. Type its name again")
    if again != project.name:
        raise BadInput(f"name: found {again!r}, allowed: {project.name!r}; nothing was removed")


def _completes(here: Place, project: "Project") -> str:
    from berth.declarations import shown

    files = " and ".join(
        shown(here.environment.directory / folder / f"{project.name}.yml") for folder in ("projects", "secrets")
    )
    return (
        f"berth remove {project.name} goes on where it was; berth apply {project.name} brings it back "
        f"unless its database is gone already\nis host {project.host} gone for good? Then remove {files} yourself"
    )
