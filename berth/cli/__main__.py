"""`python -m berth.cli` is the command `berth`."""

from berth.cli import app

app(prog_name="berth")
