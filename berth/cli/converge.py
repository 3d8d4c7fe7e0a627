"""Commands that bring hosts into the declared state, or show what that would change: apply, plan."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli import completing
from berth.cli.common import Inventory, Json, Place, Plan, ShowPlaybook, place, print_json, told_in_one_line
from berth.cli.run import converge, show_plan

if TYPE_CHECKING:
    from berth.models import Project
    from berth.playbooks import Play
    from berth.project_secrets import ProjectSecrets
    from berth.runner import Runner
    from berth.secrets import SecretStore

MaybeName = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="Name of the project; without it all.",
        show_default=False,
        autocompletion=completing.projects,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("apply")(apply)
    app.command("plan")(plan)


def apply(
    ctx: typer.Context,
    name: MaybeName = None,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Bring one project, or all hosts and projects, into the declared state."""
    if plan_only:
        plan(ctx, name, inventory, show_playbook, as_json)
        return
    with told_in_one_line():
        here, began = place(inventory), datetime.now(UTC)
        play = _play(here, name, check=False)
        if show_playbook:
            show_line(play, as_json)
            return
        told = {"project": name}
        converge(ctx.obj, play, told, as_json, f"run it again with: berth apply{f' {name}' if name else ''}")
        _forget_ended(here, [name] if name else list(here.store.load()), began)


def _forget_ended(here: Place, names: list[str], moment: datetime) -> None:
    """Take from the secrets the keys that had ended by then: no host accepts them any more."""
    from berth.secrets import SecretStore

    store = SecretStore(here.environment.directory)
    for name in names:
        if store.project_file(name).exists():
            store.change_project(name, lambda found: found.at(moment))


def plan(
    ctx: typer.Context,
    name: MaybeName = None,
    inventory: Inventory = None,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Show by host what apply would change; change nothing."""
    with told_in_one_line():
        here = place(inventory)
        play = _play(here, name, check=True)
        if show_playbook:
            show_line(play, as_json)
        else:
            declared = here.store.load()
            host = declared[name].host if name else None
            show_plan(ctx.obj, play, {"project": name}, as_json, host, declared.values())


def show_line(play: "Play", as_json: bool, *more: "Play") -> None:
    """Print the shell line that runs a play, and those of more where a command runs several."""
    lines = [one.line() for one in (play, *more)]
    if as_json:
        print_json({"playbooks": lines} if more else {"playbook": lines[0]})
    else:
        typer.echo("\n".join(lines))


def show_plan_of_secrets(
    runner: "Runner",
    here: Place,
    store: "SecretStore",
    project: "Project",
    secrets: "ProjectSecrets",
    told: dict[str, Any],
    as_json: bool,
) -> None:
    """Show what would change on the host of a project if it had these secrets, which are kept nowhere."""
    from berth.playbooks import configure_project
    from berth.staging import staged_file

    with staged_file(here.inventory, store.project_file(project.name), store.sealed(secrets)) as staged:
        show_plan(runner, configure_project(staged, project.name, check=True), told, as_json, project.host)


def _play(here: Place, name: str | None, check: bool) -> "Play":
    from berth.playbooks import configure_all, configure_project

    if name is None:
        here.store.load()
        return configure_all(here.inventory, check)
    return configure_project(here.inventory, here.store.project(name).name, check)
