"""The command line of the stand-in: migrate, serve, both, version."""

import os
import sys

from . import VERSION
from .log import log
from .settings import Settings, SettingsError

USAGE = "usage: auth [migrate | serve | version]   (without a command: migrate, then serve)"
COMMANDS = {(): ("migrate", "serve"), ("migrate",): ("migrate",), ("serve",): ("serve",), ("version",): ()}


def main(arguments: list[str]) -> int:
    """Return the exit status of one command: 0 done, 1 refused or failed (said on stderr)."""
    steps = COMMANDS.get(tuple(arguments))
    if steps is None:
        print(f'unknown command {" ".join(arguments)!r} for "auth"\n{USAGE}', file=sys.stderr)
        return 1
    if not steps:
        print(VERSION)
        return 0
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        log("fatal", f"Failed to load configuration: {error}")
        return 1
    return 0 if all(run(step, settings) for step in steps) else 1


def run(step: str, settings: Settings) -> bool:
    """Return whether one step went well; `serve` comes back only after a signal."""
    if step == "migrate":
        import psycopg

        from .migrate import migrate

        try:
            migrate(settings.database_url)
        except psycopg.Error as error:
            log("fatal", f"Unable to run migrations: {str(error).strip()}")
            return False
        return True
    from .server import serve

    serve(settings)
    return True
