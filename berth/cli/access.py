"""Commands that lead to a project: psql, open."""

import os
import sys
import webbrowser
from typing import Annotated

import typer

from berth.cli.common import Inventory, Json, Name, place, print_json, told_in_one_line


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("psql")(psql)
    app.command("open")(open_project)


def psql(
    name: Name,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ARGUMENT...]", help="For psql, after --.", show_default=False)
    ] = None,
    inventory: Inventory = None,
) -> None:
    """Open psql in a project's database as its owner; ends with psql's exit code."""
    from berth.database_access import run_with, way_to
    from berth.secrets import SecretStore

    with told_in_one_line():
        here = place(inventory)
        project = here.store.project(name)
        password = SecretStore(here.environment.directory).project(name, create=False).owner_password
        with way_to(here.environment, project, password) as variables:
            code = run_with(variables, ["psql", *(arguments or [])], os.environ)
    raise typer.Exit(code)


def open_project(name: Name, inventory: Inventory = None, as_json: Json = False) -> None:
    """Print the address of a project, and show it in the browser where there is one."""
    from berth.urls import project_url

    with told_in_one_line():
        here = place(inventory)
        project = here.store.project(name)
        url = project_url(project, here.environment.hosts[project.host])
    if as_json:
        print_json({"url": url})
        return
    typer.echo(url)
    if sys.stdout.isatty() and (sys.platform == "darwin" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ):
        webbrowser.open(url)
