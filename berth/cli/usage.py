"""How the command tells that it was called in a wrong way: one line and code 2, as of any other bad input."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from berth.cli.common import BAD_INPUT, tell

# typer brings a click of its own in some versions: of either this is what BadParameter comes from
UsageError = typer.BadParameter.__base__


class OneLineGroup(TyperGroup):
    """All commands; what was typed wrongly is told in one line, without the box that typer draws."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """The context of what was typed."""
        with _usage_in_one_line():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: typer.Context) -> Any:
        """Run the command that was typed."""
        with _usage_in_one_line():
            return super().invoke(ctx)


@contextmanager
def _usage_in_one_line() -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        # a group without a command shows its help, which is told by an error too
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        said = " ".join(error.format_message().split()).removesuffix(".")
        command = error.ctx.command_path if error.ctx else "berth"
        tell(f"{said[:1].lower()}{said[1:]}; see {command} --help")
        raise typer.Exit(BAD_INPUT) from None
