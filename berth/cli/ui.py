"""The web UI: serve it, and let its first admin in."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from berth.cli.common import Inventory, told_in_one_line

if TYPE_CHECKING:
    from webui.config import Config

ui = typer.Typer(name="ui", help="Serve the web UI; let people in.", invoke_without_command=True)

Bind = Annotated[str, typer.Option(help="Address and port to listen on.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="How many runs at a time, each on other hosts.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name to log in with.", show_default=False)]
Minutes = Annotated[float, typer.Option(min=0.1, max=60, help="Minutes between two measurements of the hosts.")]
LOOPBACK = "127.0.0.1:8080"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(ui)


@ui.callback()
def serve_by_default(ctx: typer.Context) -> None:
    """Serve the web UI; let people in."""
    if ctx.invoked_subcommand is None:
        serve()


@ui.command()
def serve(bind: Bind = LOOPBACK, workers: Workers = 4, every: Minutes = 3, inventory: Inventory = None) -> None:
    """Serve the web UI in the foreground, with the workers that run playbooks, and measure the hosts."""
    with told_in_one_line():
        _config(inventory)
        from webui.server import serve_all

        raise typer.Exit(serve_all(bind, workers, every))


@ui.command()
def web(bind: Bind = LOOPBACK, inventory: Inventory = None) -> None:
    """Serve the pages alone."""
    with told_in_one_line():
        config = _config(inventory)
        from webui.server import serve_web

        serve_web(config, bind)


@ui.command()
def worker(workers: Workers = 4, inventory: Inventory = None) -> None:
    """Run the workers alone."""
    with told_in_one_line():
        config = _config(inventory)
        from webui.server import serve_worker

        serve_worker(config, workers)


@ui.command()
def measure(every: Minutes = 3, inventory: Inventory = None) -> None:
    """Measure the hosts alone, again and again."""
    with told_in_one_line():
        config = _config(inventory)
        from webui.server import serve_measuring

        serve_measuring(config, every)


@ui.command()
def admin(name: Name, inventory: Inventory = None) -> None:
    """Add an admin and print the one-time link to set a password."""
    with told_in_one_line():
        _print_link(name, inventory, add=True)


@ui.command()
def link(name: Name, inventory: Inventory = None) -> None:
    """Print a fresh one-time link for somebody who cannot log in any more."""
    with told_in_one_line():
        _print_link(name, inventory, add=False)


def _config(inventory: str | None) -> "Config":
    from berth.inventory import VARIABLE
    from webui.config import from_environment

    if inventory:
        # the processes that `serve` starts read it from there too
        os.environ[VARIABLE] = str(Path(inventory).absolute())
    return from_environment()


def _print_link(name: str, inventory: str | None, add: bool) -> None:
    from webui.accounts import AccountError
    from webui.core import make_core
    from webui.roles import ADMIN
    from webui.services.audit import Actor
    from webui.users import welcome_url

    config = _config(inventory)
    accounts = make_core(config).accounts
    shell = Actor("berth ui", "shell")
    if add:
        token = accounts.add(shell, name, ADMIN)
    else:
        user = accounts.named(name)
        if user is None:
            raise AccountError(
                f"name: found {name!r}, allowed: {', '.join(u.name for u, _ in accounts.all()) or 'none yet'}"
            )
        token = accounts.new_link(shell, user.id)
    typer.echo(welcome_url(config.url, token))
