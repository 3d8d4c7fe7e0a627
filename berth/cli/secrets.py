"""Commands for the secrets of a declaration's section auth: secrets set, list, unset."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli import completing
from berth.cli.common import Inventory, Json, Name, Place, Plan, ShowPlaybook, place, print_json, tell, told_in_one_line
from berth.cli.converge import show_line, show_plan_of_secrets
from berth.cli.questions import BadInput
from berth.cli.run import converge

if TYPE_CHECKING:
    from berth.models import Project
    from berth.project_secrets import ProjectSecrets
    from berth.secrets import SecretStore

Secret = Annotated[
    str,
    typer.Argument(
        metavar="SECRET",
        help="smtp_password, oauth_github_secret ...",
        show_default=False,
        autocompletion=completing.secrets,
    ),
]
secrets = typer.Typer(name="secrets", help="Set, list or unset the secrets of auth.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(secrets)


@secrets.command("set")
def set_secret(
    ctx: typer.Context,
    name: Name,
    secret: Secret,
    inventory: Inventory = None,
    plan_only: Plan = False,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Keep a secret in the vault, read from the terminal or from standard input, and let auth use it."""
    from berth.auth_secrets import needed, require_name, require_value
    from berth.playbooks import configure_project

    with told_in_one_line():
        here = place(inventory)
        project = here.store.project(name)
        require_name(secret)
        is_used = secret in needed(project)
        if show_playbook and not is_used:
            raise BadInput(
                f"--show-playbook: nothing in the declaration of {name} uses {secret}, so that no play is run"
            )
        if show_playbook:
            show_line(configure_project(here.inventory, name), as_json)
            return
        value = _read(secret)
        require_value(secret, value)
        store, changed = _change(here, project, secret, value, ephemeral=plan_only)
        told = _told(project, secret, is_set=True)
        if plan_only:
            show_plan_of_secrets(ctx.obj, here, store, project, changed, told, as_json)
        elif is_used:
            again = f"the secret is kept; berth apply {name} brings it to the host"
            converge(ctx.obj, configure_project(here.inventory, name), told, as_json, again)
        elif as_json:
            print_json(told)
        elif sys.stdout.isatty():
            tell(f"{secret} is kept; nothing in the declaration of {name} uses it yet")


@secrets.command("unset")
def unset_secret(name: Name, secret: Secret, inventory: Inventory = None, as_json: Json = False) -> None:
    """Take a secret out of the vault; refused as long as the declaration needs it."""
    from berth.auth_secrets import AuthSecretError, needed, require_name

    with told_in_one_line():
        here = place(inventory)
        project = here.store.project(name)
        require_name(secret)
        if key := needed(project).get(secret):
            raise AuthSecretError(f"{secret}: {key} needs it; first run: berth update {name} {key}=null")
        if secret not in _kept(here, project):
            raise AuthSecretError(f"{secret}: not set for {name}; set are: {_listed(_kept(here, project))}")
        _change(here, project, secret, None)
        if as_json:
            print_json(_told(project, secret, is_set=False))


@secrets.command("list")
def list_secrets(name: Name, inventory: Inventory = None, as_json: Json = False) -> None:
    """Show the names of the secrets that are set, and of those that are missing; never a value."""
    from berth.auth_secrets import needed

    with told_in_one_line():
        here = place(inventory)
        project = here.store.project(name)
        kept, wanted = _kept(here, project), needed(project)
    rows = [{"name": each, "set": each in kept, "used_by": wanted.get(each)} for each in sorted({*kept, *wanted})]
    if as_json:
        print_json(rows)
    for row in rows if not as_json else []:
        state = "set" if row["set"] else "MISSING"
        typer.echo(f"{row['name']:<32}  {state:<8} {row['used_by'] or 'not used'}")


def _kept(here: Place, project: "Project") -> list[str]:
    from berth.secrets import SecretsMissing, SecretStore

    try:
        return list(SecretStore(here.environment.directory).project(project.name, create=False).auth)
    except SecretsMissing:
        return []


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _read(secret: str) -> str:
    if sys.stdin.isatty():
        return typer.prompt(f"{secret} (not shown)", hide_input=True)
    return sys.stdin.read().removesuffix("\n")


def _change(
    here: Place, project: "Project", secret: str, value: str | None, *, ephemeral: bool = False
) -> "tuple[SecretStore, ProjectSecrets]":
    """The secrets with this one among them, or without it; kept unless ephemeral."""
    from berth.auth_secrets import with_secret
    from berth.playbooks import repository
    from berth.secrets import SecretStore

    repository()  # before anything is written
    store = SecretStore(here.environment.directory, ephemeral=ephemeral)
    store.project(project.name)

    def changed(found: "ProjectSecrets") -> "ProjectSecrets":
        return replace(found, auth=with_secret(found.auth, secret, value))

    return store, store.change_project(project.name, changed)


def _told(project: "Project", secret: str, *, is_set: bool) -> dict[str, Any]:
    return {"project": project.name, "secret": secret, "set": is_set}
