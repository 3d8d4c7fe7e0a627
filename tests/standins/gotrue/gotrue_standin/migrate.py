"""`auth migrate`: brings schema auth to the state the server needs."""

from pathlib import Path

import psycopg

from .log import log

FOLDER = Path(__file__).resolve().parent / "migrations"


def migrate(database_url: str) -> None:
    """Apply what is missing in one transaction; psycopg.Error leaves the database as it was.

    Like GoTrue, `schema_migrations` is named without a schema: the login role's search_path must be auth.
    """
    with psycopg.connect(database_url, connect_timeout=10) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(255) PRIMARY KEY)")
        done = {row[0] for row in connection.execute("SELECT version FROM schema_migrations")}
        missing = [path for path in sorted(FOLDER.glob("*.up.sql")) if version(path) not in done]
        for path in missing:
            connection.execute(path.read_text(encoding="utf-8"))
            connection.execute("INSERT INTO schema_migrations (version) VALUES (%s)", (version(path),))
    log("info", "GoTrue migrations applied successfully", applied=len(missing), component="stand-in")


def version(path: Path) -> str:
    """Return the version in a migration's file name."""
    return path.name.split("_", 1)[0]
