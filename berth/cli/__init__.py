"""The command `berth`."""

import os
from importlib.metadata import version
from typing import Annotated

import typer

from berth.cli import access, change, converge, convert, doctor, keys, logs, prove, read, remove, secrets, status, ui
from berth.cli.common import told_in_one_line
from berth.cli.usage import OneLineGroup

app = typer.Typer(
    name="berth",
    cls=OneLineGroup,
    help="Many Supabase projects on a few servers of one's own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"berth {version('berth')}")
        raise typer.Exit


@app.callback()
def berth(
    ctx: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Many Supabase projects on a few servers of one's own."""
    from berth.playbooks import CONFIG_VARIABLE, ansible_config
    from berth.runner import AnsibleRunner

    ctx.obj = ctx.obj or AnsibleRunner()
    with told_in_one_line():
        # what Ansible is told must not depend on the working directory
        os.environ.setdefault(CONFIG_VARIABLE, ansible_config())


for module in (read, keys, access, status, logs, doctor, prove, change, convert, converge, secrets, remove, ui):
    module.register(app)
