"""The command `berth`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from berth.errors import BerthError

if TYPE_CHECKING:
    from berth.declarations import Project
    from berth.inventory import Environment

app = typer.Typer(
    name="berth",
    help="Many Supabase projects on a few servers of one's own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Inventory = Annotated[
    str | None,
    typer.Option(
        "--inventory",
        "-i",
        metavar="PATH",
        help="Directory of the environment, or its hosts file. [env: BERTH_INVENTORY; default: inventory/local]",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def berth() -> None:
    """Many Supabase projects on a few servers of one's own."""


@app.command("list")
def list_projects(inventory: Inventory = None, as_json: Json = False) -> None:
    """Show every declared project with its host and its addresses."""
    from berth.urls import project_urls

    with _told_in_one_line():
        environment, projects = _load(inventory)
        rows = [
            {
                "name": project.name,
                "host": project.host,
                "architecture": project.architecture,
                "state": project.state,
                "domains": project.domains,
                "urls": project_urls(project, environment.hosts[project.host]),
            }
            for project in projects.values()
        ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        _print_table(rows)


@app.command("keys")
def show_keys(
    name: Annotated[str, typer.Argument(help="Name of the project.", show_default=False)],
    inventory: Inventory = None,
    as_json: Json = False,
) -> None:
    """Show the address, the API keys and the database address of a project."""
    from berth.secrets import SecretStore
    from berth.urls import database_url, project_url

    with _told_in_one_line():
        environment, projects = _load(inventory)
        if name not in projects:
            known = ", ".join(projects) or "none yet"
            raise BerthError(f"project {name!r} is not declared in {environment.directory}/projects; declared: {known}")
        project = projects[name]
        host = environment.hosts[project.host]
        secrets = SecretStore(environment.directory).project(name, create=False)
        values = {
            "url": project_url(project, host),
            "anon_key": secrets.anon_key,
            "service_role_key": secrets.service_role_key,
            "db_url": database_url(project, host, secrets),
        }
    if as_json:
        typer.echo(json.dumps(values, indent=2))
        return
    # A line for each, never a table: a wrapped or cut key could not be copied
    for label, value in values.items():
        typer.echo(f"{label:<16}  {value}")


def _load(inventory: str | None) -> tuple["Environment", dict[str, "Project"]]:
    from berth.declarations import load
    from berth.inventory import Environment, find_inventory

    environment = Environment(find_inventory(inventory))
    return environment, load(environment.directory, environment.hosts)


def _print_table(rows: list[dict]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("Project", "Host", "Architecture", "State", "Addresses", box=None, pad_edge=False)
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        table.add_row(row["name"], row["host"], row["architecture"], row["state"], "\n".join(row["urls"]))
    console = Console(highlight=False, markup=False)
    # An address must stay whole, so the table may be wider than the terminal
    needed = console.measure(table, options=console.options.update(width=10_000)).maximum
    console.width = max(console.width, needed)
    console.print(table)


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    """End with code 2 and the message alone, one line for each problem, on standard error."""
    try:
        yield
    except BerthError as error:
        for line in str(error).splitlines():
            print(f"berth: {line}", file=sys.stderr)
        raise typer.Exit(2) from None
