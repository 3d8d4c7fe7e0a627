"""The command `berth`."""

import os

import typer

from berth.cli import access, change, converge, convert, doctor, keys, logs, read, remove, secrets, status, ui
from berth.cli.common import told_in_one_line
from berth.cli.usage import OneLineGroup

app = typer.Typer(
    name="berth",
    cls=OneLineGroup,
    help="Many Supabase projects on a few servers of one's own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def berth(ctx: typer.Context) -> None:
    """Many Supabase projects on a few servers of one's own."""
    from berth.playbooks import CONFIG_VARIABLE, ansible_config
    from berth.runner import AnsibleRunner

    ctx.obj = ctx.obj or AnsibleRunner()
    with told_in_one_line():
        # what Ansible is told must not depend on the working directory
        os.environ.setdefault(CONFIG_VARIABLE, ansible_config())


for module in (read, keys, access, status, logs, doctor, change, convert, converge, secrets, remove, ui):
    module.register(app)
