"""Commands about the keys of a project: keys, rotate."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli.common import (
    Inventory,
    Json,
    Name,
    Place,
    Plan,
    ShowPlaybook,
    place,
    print_json,
    print_table,
    told_in_one_line,
)
from berth.cli.converge import show_line, show_plan_of_secrets
from berth.cli.questions import BadInput
from berth.cli.run import converge, read_reports

if TYPE_CHECKING:
    from berth.project_secrets import ProjectSecrets
    from berth.secrets import Change


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("keys")(show_keys)
    app.command("rotate")(rotate)


def show_keys(
    ctx: typer.Context,
    name: Name,
    usage: Annotated[bool, typer.Option("--usage", help="Ask the host who still uses which.")] = False,
    inventory: Inventory = None,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Show the addresses and the API keys of a project."""
    from berth.playbooks import count_key_usage
    from berth.secrets import SecretStore
    from berth.urls import database_url, project_url

    with told_in_one_line():
        here = place(inventory)
        project = here.store.project(name)
        host = here.environment.hosts[project.host]
        if show_playbook:
            if not usage:
                raise BadInput("--show-playbook: only --usage asks a host; give both")
            show_line(count_key_usage(here.inventory, name, project.host), as_json)
            return
        secrets = SecretStore(here.environment.directory).project(name, create=False)
        values = {
            "url": project_url(project, host),
            "anon_key": secrets.anon_key,
            "service_role_key": secrets.service_role_key,
            "publishable_key": secrets.current.publishable_key,
            "secret_key": secrets.current.secret_key,
            "db_url": database_url(project, host, secrets),
        }
        counted = {}
        if usage:
            play = count_key_usage(here.inventory, name, project.host)
            counted = read_reports(ctx.obj, play)[project.host]["key_usage"]
    keys = [key | ({"usage": counted.get(key["id"], NEVER)} if usage else {}) for key in _keys(secrets, values=True)]
    if as_json:
        print_json(values | {"keys": keys})
    elif usage:
        _print_usage(keys)
    else:
        _print_keys(name, values, keys)


NEVER = {"requests": 0, "last_request": None}


def rotate(
    ctx: typer.Context,
    name: Name,
    now: Annotated[bool, typer.Option("--now", help="Cut: no key or session of before works any more.")] = False,
    retire: Annotated[bool, typer.Option("--retire", help="End the overlap: the former keys work no more.")] = False,
    retire_at: Annotated[
        str | None,
        typer.Option("--retire-at", metavar="TIME", help="Let the former keys work until then, as 2027-01-31T18:00Z."),
    ] = None,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Give a project new keys; those of before work too until they retire."""
    from berth.playbooks import configure_project, repository
    from berth.secrets import SecretStore

    with told_in_one_line():
        change = _rotation(name, now, retire, retire_at)
        here = place(inventory)
        project = here.store.project(name)
        repository()  # before anything is written
        store = SecretStore(here.environment.directory, ephemeral=plan_only or show_playbook)
        store.project(name, create=False)
        if show_playbook:
            show_line(configure_project(here.inventory, name, plan_only), as_json)
        elif plan_only:
            secrets = store.change_project(name, change)
            show_plan_of_secrets(ctx.obj, here, store, project, secrets, _told(name, secrets), as_json)
        else:
            secrets = store.change_project(name, change)
            _apply(ctx, here, name, secrets, as_json)


def _rotation(name: str, now: bool, retire: bool, retire_at: str | None) -> "Change":
    from berth import rotation

    if now + retire + (retire_at is not None) > 1:
        raise BadInput("--now, --retire and --retire-at exclude each other; give one of them")
    end = _end(retire_at) if retire_at is not None else None
    return rotation.change("now" if now else "retire" if retire else "start", name, end)


def _end(text: str) -> datetime:
    from berth.rotation import BadEnd, end_of_overlap

    try:
        return end_of_overlap(text, datetime.now(UTC))
    except BadEnd as error:
        raise BadInput(f"--retire-at: {error}") from error


def _apply(ctx: typer.Context, here: Place, name: str, secrets: "ProjectSecrets", as_json: bool) -> None:
    from berth.playbooks import configure_project

    again = f"the keys stay as they are now; berth apply {name} brings them to the host"
    converge(ctx.obj, configure_project(here.inventory, name), _told(name, secrets), as_json, again)
    if as_json or not sys.stdout.isatty():
        return
    former = secrets.key_sets[:-1]
    if former:
        until = f"{secrets.retire_at:%Y-%m-%d %H:%M %Z}, or" if secrets.retire_at else "until:"
        typer.echo(f"keys of {', '.join(one.id for one in former)} work {until} berth rotate {name} --retire")
    typer.echo(f"the new keys: berth keys {name}")


def _told(name: str, secrets: "ProjectSecrets") -> dict[str, Any]:
    return {"project": name, "keys": _keys(secrets, values=False)}


def _keys(secrets: "ProjectSecrets", values: bool) -> list[dict[str, Any]]:
    return [
        {
            "id": key.id,
            "role": key.role,
            "kind": key.kind,
            "created": one.created.isoformat(),
            "in_use": one is secrets.current,
            "retire_at": secrets.retire_at.isoformat() if secrets.retire_at and one is not secrets.current else None,
        }
        | ({"key": key.value} if values else {})
        for one in reversed(secrets.key_sets)
        for key in one.api_keys
    ]


def _print_keys(name: str, values: dict[str, str], keys: list[dict[str, Any]]) -> None:
    # A line for each, never a table: a wrapped or cut key could not be copied
    for label, value in values.items():
        typer.echo(f"{label:<16}  {value}")
    former = [key for key in keys if not key["in_use"]]
    if former:
        typer.echo(f"\nformer keys, {_former(name, former[0])}:")
    for key in former:
        typer.echo(f"{key['id']:<16}  {key['key']}")


def _former(name: str, key: dict[str, Any]) -> str:
    if _has_ended(key):
        # the file does not tell whether there was such a run
        return f"which {_state(key)}: berth apply {name}"
    return f"which work {_state(key)}"


def _print_usage(keys: list[dict[str, Any]]) -> None:
    rows = [
        [
            key["id"],
            key["role"],
            key["kind"],
            _state(key),
            str(key["usage"]["requests"]),
            key["usage"]["last_request"] or "never",
        ]
        for key in keys
    ]
    print_table(["Key", "Role", "Kind", "State", "Requests", "Last request"], rows)


def _state(key: dict[str, Any]) -> str:
    if key["in_use"]:
        return "in use"
    if _has_ended(key):
        return f"ended at {key['retire_at']}, still accepted until the first run after it"
    return f"until {key['retire_at']}" if key["retire_at"] else "until they are retired"


def _has_ended(key: dict[str, Any]) -> bool:
    return key["retire_at"] is not None and datetime.fromisoformat(key["retire_at"]) <= datetime.now(UTC)
