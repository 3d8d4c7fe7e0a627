"""Commands that change declarations and bring the host along: add, update, pause, resume, domains."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli import completing
from berth.cli.common import Inventory, Json, Name, Place, Plan, ShowPlaybook, place, print_json, tell, told_in_one_line
from berth.cli.converge import show_line
from berth.cli.placing import HostChoice
from berth.cli.questions import BadInput, Wanted, ask_for_missing, assignments
from berth.cli.run import converge, show_plan

if TYPE_CHECKING:
    from berth.models import Project
    from berth.store import Draft

Domains = Annotated[list[str], typer.Argument(metavar="DOMAIN...", help="DNS names.", show_default=False)]
OwnDomains = Annotated[
    list[str],
    typer.Argument(metavar="DOMAIN...", help="DNS names.", show_default=False, autocompletion=completing.domains),
]
domains = typer.Typer(
    name="domains", help="Add, remove, rename or list the domains of a project.", no_args_is_help=True
)


ANY_ARGUMENTS = {"ignore_unknown_options": True, "allow_extra_args": True}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("add")(add)
    app.command("update")(update)
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("rename", hidden=True, context_settings=ANY_ARGUMENTS)(rename)
    app.add_typer(domains)


def add(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Name of the project.", show_default=False)] = None,
    host: Annotated[
        str | None,
        typer.Option(help="Host to run on; else the one with the most room.", autocompletion=completing.hosts),
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(help="shared or isolated.", show_default="shared", autocompletion=completing.architectures),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="dedicated: a PostgreSQL of its own, if isolated.",
            show_default="shared",
            autocompletion=completing.databases,
        ),
    ] = None,
    domain: Annotated[list[str] | None, typer.Option(help="DNS name of the project; may be given again.")] = None,
    idle_timeout: Annotated[str | None, typer.Option(help="Such as 15min, 1h or never.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Take a host that has no room for it.")] = False,
    no_apply: Annotated[bool, typer.Option("--no-apply", help="Only declare it; berth apply does the rest.")] = False,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Declare a project and configure it on its host."""
    with told_in_one_line():
        if no_apply and (plan_only or show_playbook):
            raise BadInput("--no-apply: there is no play then to plan or to show; give one of the options")
        here = place(inventory)
        may_ask = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
        wanted = Wanted(name, host, architecture, database, domain, idle_timeout)

        def draft(wanted: Wanted) -> "Project":
            return here.store.draft_add(**wanted.settings).project

        choice = HostChoice(ctx, here, draft, force=force, measures=not show_playbook, asks=may_ask)
        wanted = ask_for_missing(wanted, list(here.environment.hosts), may_ask, draft, choice.suggest)
        decision = choice.decide(wanted)
        settings = wanted.settings | {"note": decision.note}
        change = _Change(
            draft=lambda: here.store.draft_add(**settings),
            write=lambda: here.store.add(**settings),
            told={"placement": decision.told} if decision.told else {},
        )
        if decision.is_news and not as_json:
            typer.echo(decision.words)
        if no_apply:
            _declare(here, change, as_json)
            return
        _carry_out(ctx, here, change, plan_only, show_playbook, as_json)


def update(
    ctx: typer.Context,
    name: Name,
    values: Annotated[
        list[str],
        typer.Argument(metavar="KEY=VALUE...", help="Such as limits.connections=50; null for the default."),
    ],
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Change keys of a project's declaration and configure the project."""
    with told_in_one_line():
        _update(ctx, name, assignments(values), inventory, plan_only, show_playbook, as_json)


def pause(
    ctx: typer.Context,
    name: Name,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Let a project answer 503 and run nothing; its data and keys stay."""
    with told_in_one_line():
        _update(ctx, name, {"state": "paused"}, inventory, plan_only, show_playbook, as_json)


def resume(
    ctx: typer.Context,
    name: Name,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Let a paused project answer again."""
    with told_in_one_line():
        _update(ctx, name, {"state": "present"}, inventory, plan_only, show_playbook, as_json)


def rename() -> None:
    """Say that a project keeps its name."""
    with told_in_one_line():
        raise BadInput("rename: a project keeps its name; rename a domain with berth domains rename NAME OLD NEW")


@domains.command("add")
def add_domains(
    ctx: typer.Context,
    name: Name,
    domain: Domains,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Let a project answer under further domains."""
    with told_in_one_line():
        _change_domains(ctx, name, {"add": domain}, inventory, plan_only, show_playbook, as_json)


@domains.command("remove")
def remove_domains(
    ctx: typer.Context,
    name: Name,
    domain: OwnDomains,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Take domains from a project."""
    with told_in_one_line():
        _change_domains(ctx, name, {"remove": domain}, inventory, plan_only, show_playbook, as_json)


@domains.command("rename")
def rename_domain(
    ctx: typer.Context,
    name: Name,
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD", help="DNS name that it has.", show_default=False, autocompletion=completing.domains
        ),
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="DNS name to have instead.", show_default=False)],
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Let a project answer under another domain in place of one."""
    with told_in_one_line():
        here = place(inventory)
        store = here.store
        change = _Change(lambda: store.draft_rename(name, old, new), lambda: store.rename_domain(name, old, new))
        _carry_out(ctx, here, change, plan_only, show_playbook, as_json)


@domains.command("list")
def list_domains(name: Name, inventory: Inventory = None, as_json: Json = False) -> None:
    """Show the domains of a project."""
    with told_in_one_line():
        found = place(inventory).store.project(name).domains
    if as_json:
        print_json(found)
    else:
        typer.echo("".join(f"{domain}\n" for domain in found), nl=False)


class _Change:
    """A change of one declaration: as a draft, and for good; `told` goes into what is told of it."""

    def __init__(
        self, draft: Callable[[], "Draft"], write: Callable[[], "Project"], told: dict[str, Any] | None = None
    ) -> None:
        self.draft = draft
        self.write = write
        self.told = told or {}


def _update(ctx: typer.Context, name: str, values: dict[str, Any], inventory: str | None, *how: bool) -> None:
    here = place(inventory)
    change = _Change(lambda: here.store.draft_update(name, values), lambda: here.store.update(name, values))
    _carry_out(ctx, here, change, *how)


def _change_domains(ctx: typer.Context, name: str, which: dict, inventory: str | None, *how: bool) -> None:
    here = place(inventory)
    change = _Change(lambda: here.store.draft_domains(name, **which), lambda: here.store.change_domains(name, **which))
    _carry_out(ctx, here, change, *how)


def _carry_out(
    ctx: typer.Context, here: Place, change: _Change, plan_only: bool, show_playbook: bool, as_json: bool
) -> None:
    from berth.host_projects import require_secrets
    from berth.playbooks import configure_project, repository
    from berth.staging import staged

    repository()  # before anything is written
    draft = change.draft()
    require_secrets(here.environment.directory, [draft.project])
    if show_playbook:
        show_line(configure_project(here.inventory, draft.project.name, plan_only), as_json)
        tell(f"{draft.project.name}: that line does what the declaration says, which is not changed yet")
    elif plan_only:
        with staged(here.inventory, draft) as inventory:
            play = configure_project(inventory, draft.project.name, check=True)
            told = {"project": _told(here, draft.project)} | change.told
            show_plan(ctx.obj, play, told, as_json, draft.project.host)
    else:
        project = change.write()
        told = {"project": _told(here, project)} | change.told
        again = f"the declaration stays as it is now; berth apply {project.name} completes it"
        converge(ctx.obj, configure_project(here.inventory, project.name), told, as_json, again)


def _declare(here: Place, change: _Change, as_json: bool) -> None:
    project = change.write()
    if as_json:
        print_json({"project": _told(here, project)} | change.told)
    elif sys.stdout.isatty():
        typer.echo(f"{project.name}: declared; berth apply {project.name} configures it")


def _told(here: Place, project: "Project") -> dict[str, Any]:
    return here.row(project) | {"number": project.number}
