"""Commands that bring hosts into the declared state, or show what that would change: apply, plan."""

from typing import TYPE_CHECKING, Annotated

import typer

from berth.cli import completing
from berth.cli.common import Inventory, Json, Plan, ShowPlaybook, place, print_json, told_in_one_line
from berth.cli.run import converge, show_plan

if TYPE_CHECKING:
    from berth.playbooks import Play

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
        play = _play(name, inventory, check=False)
        if show_playbook:
            show_line(play, as_json)
        else:
            told = {"project": name}
            converge(ctx.obj, play, told, as_json, f"run it again with: berth apply{f' {name}' if name else ''}")


def plan(
    ctx: typer.Context,
    name: MaybeName = None,
    inventory: Inventory = None,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Show by host what apply would change; change nothing."""
    with told_in_one_line():
        play = _play(name, inventory, check=True)
        if show_playbook:
            show_line(play, as_json)
        else:
            declared = place(inventory).store.load()
            host = declared[name].host if name else None
            show_plan(ctx.obj, play, {"project": name}, as_json, host, declared.values())


def show_line(play: "Play", as_json: bool, *more: "Play") -> None:
    """Print the shell line that runs a play, and those of more where a command runs several."""
    lines = [one.line() for one in (play, *more)]
    if as_json:
        print_json({"playbooks": lines} if more else {"playbook": lines[0]})
    else:
        typer.echo("\n".join(lines))


def _play(name: str | None, inventory: str | None, check: bool) -> "Play":
    from berth.playbooks import configure_all, configure_project

    here = place(inventory)
    if name is None:
        here.store.load()
        return configure_all(here.inventory, check)
    return configure_project(here.inventory, here.store.project(name).name, check)
