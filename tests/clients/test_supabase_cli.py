"""The official supabase command against the database of a project, by --db-url, as its owner."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from clients import support
from psycopg.conninfo import conninfo_to_dict

FIRST, SECOND = "20260101000000", "20260102000000"
MIGRATIONS = {
    f"{FIRST}_notes.sql": """
        create extension if not exists citext with schema extensions;
        create table public.cli_notes (id bigint generated always as identity primary key, title extensions.citext);
        alter table public.cli_notes enable row level security;
        create policy "read" on public.cli_notes for select to anon using (true);
        insert into public.cli_notes (title) values ('pushed');
    """,
    f"{SECOND}_more.sql": "insert into public.cli_notes (title) values ('upgraded');",
}


class Cli:
    """The command in a directory of its own, with a home of its own."""

    def __init__(self, directory: Path, db_url: str) -> None:
        self.directory = directory
        self.db_url = db_url
        self.program = support.node_modules(support.CLI) / ".bin" / "supabase"
        self.environment = os.environ | {
            "HOME": str(directory),
            "DO_NOT_TRACK": "1",
            "SUPABASE_TELEMETRY_DISABLED": "1",
        }
        self.run("init", url=False)

    def run(self, *arguments: str, url: bool = True) -> str:
        """Return what the command printed; AssertionError with it when the command fails."""
        database = ["--db-url", self.db_url] if url else []
        done = subprocess.run(
            [self.program, *arguments, *database, "--yes"],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"supabase {arguments}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def declare(self, migration: str) -> None:
        """Put a migration where the command looks for it."""
        path = self.directory / "supabase" / "migrations" / migration
        path.parent.mkdir(exist_ok=True)
        path.write_text(MIGRATIONS[migration], encoding="utf-8")


@pytest.fixture
def cli(fleet, project, tmp_path) -> Iterator[Cli]:
    """Give the command for a project that has none of its migrations yet."""
    _forget(project.db_url)
    yield Cli(tmp_path, _over_the_network(fleet, project))
    _forget(project.db_url)


def test_migrations_reach_the_project_and_its_api(cli, project):
    """`db push` applies what is new, once; `migration up` the next; the API serves the table at once."""
    first, second = MIGRATIONS
    cli.declare(first)
    cli.run("db", "push")
    assert _titles(project) == ["pushed"]
    assert "up to date" in cli.run("db", "push")
    cli.declare(second)
    cli.run("migration", "up")
    assert _titles(project) == ["pushed", "upgraded"]
    listed = cli.run("migration", "list")
    assert [listed.count(version) for version in (FIRST, SECOND)] == [2, 2], listed  # here and in the database


def _titles(project) -> list[str]:
    answer = httpx.get(
        f"{project.url}/rest/v1/cli_notes?select=title&order=id",
        headers={"apikey": project.anon_key},
        timeout=support.PATIENCE,
    )
    assert answer.status_code == 200, answer.text
    return [row["title"] for row in answer.json()]


def _over_the_network(fleet, project) -> str:
    """Return the address of its database without a unix socket, which the command does not know."""
    if not project.cluster.dedicated:
        return project.db_url
    parts = conninfo_to_dict(project.db_url)
    where = f"{fleet.variables[project.host]['ansible_host']}:{project.cluster.port}"
    return f"postgresql://{parts['user']}:{parts['password']}@{where}/{project.database}?sslmode=require"


def _forget(db_url: str) -> None:
    with psycopg.connect(db_url, autocommit=True) as connection:
        connection.execute("drop table if exists public.cli_notes")
        connection.execute("drop schema if exists supabase_migrations cascade")
