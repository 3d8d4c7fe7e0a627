"""The command that changes what a project is, shared or isolated, while its users go on."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli import completing
from berth.cli.common import Inventory, Json, Name, Plan, ShowPlaybook, place, told_in_one_line
from berth.cli.converge import show_line
from berth.cli.placing import check
from berth.cli.questions import BadInput
from berth.cli.run import converge, show_plan
from berth.conversion_words import Intent

if TYPE_CHECKING:
    from berth.conversions import Conversions

BACK = "for a day berth convert {name} --rollback returns in the same way; --commit ends that earlier"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("convert")(convert)


def convert(
    ctx: typer.Context,
    name: Name,
    to: Annotated[
        str | None,
        typer.Option("--to", help="isolated or shared.", show_default=False, autocompletion=completing.architectures),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="Of an isolated project: shared (the host's PostgreSQL) or dedicated.",
            show_default=False,
            autocompletion=completing.databases,
        ),
    ] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Return to what it was before.")] = False,
    commit: Annotated[bool, typer.Option("--commit", help="Keep what it is; no rollback any more.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Convert though the host has no room for it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Make a shared project isolated or an isolated one shared; URL, keys, users and data stay, no request fails."""
    from berth.conversions import Conversions, moment
    from berth.host_projects import require_secrets
    from berth.playbooks import convert_project

    with told_in_one_line():
        word = _word(to, database, rollback, commit)
        here = place(inventory)
        conversions = Conversions(here.store)
        aim = conversions.aim(name, word, moment(), database)
        before, draft = here.store.project(name), here.store.draft_side(name, aim.architecture, aim.database)
        require_secrets(here.environment.directory, [draft.project])
        play = convert_project(here.inventory, name, word, plan_only, database)
        if show_playbook:
            show_line(play, as_json)
            return
        intent = _Intent(name, word, aim, moves=before.database != aim.database)
        told = {"project": here.row(draft.project), "conversion": intent.told()}
        if word == "isolated":
            check(here, draft.project.host, draft.project, force, else_do="give it less limits.memory")
        if plan_only:
            if not as_json:
                typer.echo(intent.plan())
            more = {"steps": intent.steps()} if as_json else {}
            show_plan(ctx.obj, play, told | more, as_json, before.host)
            return
        _require_consent(intent, yes or as_json)

        def learned() -> dict[str, Any]:
            return {"conversion": intent.told() | _open(conversions, name)}

        converge(ctx.obj, play, told, as_json, intent.completes(), learned, may_refuse=True)
        if not as_json and sys.stdout.isatty():
            typer.echo(intent.done())


class _Intent(Intent):
    """What one call of the command is about."""

    def told(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "to": self.aim.architecture,
            "database": self.aim.database,
        }

    def plan(self) -> str:
        lines = [f"{number}. {step}" for number, step in enumerate(self.steps(), 1)]
        if self.changes:
            lines.append(self.pause)
        if self.begins:
            lines.append(BACK.format(name=self.name))
        return "\n".join(lines)

    def completes(self) -> str:
        from berth.conversions import command

        again = command(self.name, self.aim) if self.begins else f"berth convert {self.name} --{self.word}"
        back = f"; berth convert {self.name} --rollback undoes it" if self.begins else ""
        return f"{again} goes on where it was{back}"

    def done(self) -> str:
        if self.word == "commit":
            return f"{self.name} stays {self.aim}"
        if self.word == "rollback":
            return f"{self.name} is {self.aim} again"
        return f"{self.name} is {self.aim}; {BACK.format(name=self.name)}"


def _word(to: str | None, database: str | None, rollback: bool, commit: bool) -> str:
    from berth.conversions import ARCHITECTURES, COMMIT, ROLLBACK

    if [to is not None, rollback, commit].count(True) != 1:
        raise BadInput("what to do: give one of --to isolated, --to shared, --rollback and --commit")
    if to is not None and to not in ARCHITECTURES:
        raise BadInput(f"--to: found {to!r}, allowed: shared or isolated; correct it")
    if database is not None and to is None:
        raise BadInput(f"--database: found {database!r} without --to isolated; leave it out, or say what to convert to")
    return to or (ROLLBACK if rollback else COMMIT)


def _require_consent(intent: _Intent, given: bool) -> None:
    if given or not intent.changes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    typer.echo(intent.pause)
    if not typer.confirm(f"Make {intent.name} {intent.aim}?", default=True):
        raise BadInput("nothing was changed")


def _open(conversions: "Conversions", name: str) -> dict[str, Any]:
    from berth.conversions import moment

    conversion = conversions.open(name, moment())
    return {"open_until": conversion.open_until.isoformat() if conversion and conversion.done else None}
