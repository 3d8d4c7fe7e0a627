"""The command that shows what the services of a project wrote: logs."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from berth.cli import completing
from berth.cli.common import RUN_FAILED, Inventory, Json, Name, place, print_json, tell, told_in_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence


MOST_LINES = 100_000


def _line_count(text: str) -> int:
    text = str(text)  # the default comes as a number
    if text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MOST_LINES:
        return int(text)
    raise typer.BadParameter(f"found {text!r}, allowed: 1 to {MOST_LINES}; correct it")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("logs")(logs)


def logs(
    name: Name,
    service: Annotated[
        list[str] | None,
        typer.Option(
            help="rest, auth, gateway, postgres, or meta of an isolated one; else all.",
            autocompletion=completing.services,
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(help="Such as 15min, 2h or 2026-11-25T10:00.")] = None,
    lines: Annotated[
        int, typer.Option(parser=_line_count, metavar="NUMBER", help=f"Most lines of the past, 1 to {MOST_LINES}.")
    ] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new lines come.")] = False,
    inventory: Inventory = None,
    as_json: Json = False,
) -> None:
    """Show what the services of a project and the gateway wrote of it."""
    from berth import logs as reading
    from berth.cli.questions import BadInput
    from berth.clusters import cluster_of
    from berth.ssh import command

    with told_in_one_line():
        here = place(inventory)
        project = here.store.project(name)
        has = reading.services_of(project.architecture)
        wanted = service or list(has)
        if unknown := [one for one in wanted if one not in has]:
            raise BadInput(f"--service: found {unknown[0]!r}, allowed: {', '.join(has)}; correct it")
        if follow and as_json:
            raise BadInput("--follow: has no end that JSON could have; leave out one of them")
        begin = reading.since(since, datetime.now(UTC)) if since else None
        cluster = cluster_of(project, here.environment.hosts[project.host])
        line = reading.remote_command(project.name, wanted, begin, lines, follow, cluster.name)
        variables = here.environment.connection(project.host)
        arguments = command(project.host, variables, line, terminal=follow)
    if follow:
        _follow(project.host, arguments, begin)
        return
    done = subprocess.run(arguments, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        tell(f"host {project.host}: {' '.join(done.stderr.split())}")
        raise typer.Exit(RUN_FAILED)
    found = reading.in_order(done.stdout.splitlines(), begin, lines)
    if as_json:
        print_json(found)
        return
    typer.echo("".join(f"{text}\n" for text in found), nl=False)
    if not found:
        when = f"since {begin.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if begin else "yet"
        tell(f"{name}: {', '.join(wanted)} wrote nothing {when}")


def _follow(host: str, arguments: "Sequence[str]", begin: datetime | None) -> None:
    from berth.logs import readable

    # without an input of its own ssh leaves Ctrl-C to this process
    with (
        _termination_as_interrupt(),
        subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
        ) as reading,
    ):
        try:
            for text in readable((line.rstrip("\r\n") for line in reading.stdout or ()), begin):
                typer.echo(text)
        except KeyboardInterrupt:
            return
        finally:
            reading.terminate()
    tell(f"host {host}: ended the connection; look at it with berth doctor {host}")
    raise typer.Exit(RUN_FAILED)


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """What reads on the host must end with this process."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
