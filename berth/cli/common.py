"""What the commands share: their options, the environment, and how they tell of mistakes."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli import completing
from berth.errors import BerthError

if TYPE_CHECKING:
    from berth.inventory import Environment
    from berth.models import Project
    from berth.store import DeclarationStore

RUN_FAILED = 1
BAD_INPUT = 2

Inventory = Annotated[
    str | None,
    typer.Option(
        "--inventory",
        "-i",
        metavar="PATH",
        help=r"Directory of the environment, or its hosts file. \[env: BERTH_INVENTORY; default: inventory/local]",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Plan = Annotated[bool, typer.Option("--plan", help="Show what would change; change nothing.")]
ShowPlaybook = Annotated[
    bool, typer.Option("--show-playbook", help="Print the line that runs the same playbook; do nothing.")
]
Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Name of the project.", show_default=False, autocompletion=completing.projects),
]


@dataclass(frozen=True)
class Place:
    """Where a command works: the inventory as it was named, what is in it, and its declarations."""

    inventory: Path
    environment: "Environment"
    store: "DeclarationStore"

    def row(self, project: "Project") -> dict[str, Any]:
        """What the commands tell of a project in JSON."""
        from berth.urls import project_urls

        return {
            "name": project.name,
            "host": project.host,
            "architecture": project.architecture,
            "state": project.state,
            "domains": project.domains,
            "urls": project_urls(project, self.environment.hosts[project.host]),
        }


def place(inventory: str | None) -> Place:
    """The environment to work in; raise BerthError."""
    from berth.inventory import Environment, find_inventory
    from berth.store import DeclarationStore

    path = find_inventory(inventory)
    environment = Environment(path)
    return Place(path, environment, DeclarationStore(environment.directory, environment.hosts))


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    typer.echo(json.dumps(value, indent=2))


def print_table(headings: list[str], rows: list[list[str]]) -> None:
    """Print a table whose cells are whole, on a narrow terminal too."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*headings, box=None, pad_edge=False)
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False)
    # An address must stay whole, so the table may be wider than the terminal
    needed = console.measure(table, options=console.options.update(width=10_000)).maximum
    console.width = max(console.width, needed)
    console.print(table)


def tell(text: str) -> None:
    """Print on standard error, each line after the name of the command."""
    for line in text.splitlines():
        print(f"berth: {line}", file=sys.stderr)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """End with code 2 and the message alone, one line for each problem, on standard error."""
    try:
        yield
    except BerthError as error:
        tell(str(error))
        raise typer.Exit(BAD_INPUT) from None
