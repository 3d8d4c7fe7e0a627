"""A database on one of two real servers, and its move to the other."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import ansible_plugins  # noqa: F401
import psycopg
import pytest
from ansible_collections.berth.supabase.plugins.module_utils import moves
from ansible_collections.berth.supabase.plugins.module_utils.database_copy import Copy
from postgres_server import PostgresServer

OF_CLUSTER = "CREATE ROLE supabase_admin SUPERUSER LOGIN; CREATE ROLE anon"
ROLES = """
CREATE ROLE blog NOLOGIN; CREATE ROLE blog_rest; CREATE ROLE blog_auth; CREATE ROLE blog_owner LOGIN;
"""
CONTENT = """
CREATE EXTENSION citext; GRANT ALL ON SCHEMA public TO postgres, blog_owner;
CREATE TABLE kept (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word citext CHECK (word <> 'never'));
CREATE TABLE loose (word text); ALTER TABLE loose OWNER TO blog_owner;
INSERT INTO kept (word) SELECT 'word ' || n FROM generate_series(1, 500) n;
INSERT INTO loose VALUES ('one'), ('two'), ('three');
CREATE MATERIALIZED VIEW many AS SELECT count(*) FROM kept;
ALTER TABLE kept ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON kept FOR SELECT TO anon USING (word = 'word 1');
GRANT SELECT ON kept TO anon;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
"""


@pytest.fixture(scope="package")
def servers() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """Two servers with the roles of a cluster."""
    both = tuple(PostgresServer("wal_level=logical") for _ in range(2))
    for server in both:
        server.start()
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(OF_CLUSTER)
    yield both
    for server in both:
        server.stop()
        server.remove()


@pytest.fixture
def move(
    servers: tuple[PostgresServer, PostgresServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[moves.Move]:
    """The move of a database with all kinds of content; nothing of it is left afterwards."""
    monkeypatch.setattr(moves, "MOVES", tmp_path / "moves")
    monkeypatch.setattr(moves, "LOCKS", tmp_path / "locks")
    with psycopg.connect(servers[0].url("postgres"), autocommit=True) as connection:
        connection.execute(ROLES)
        connection.execute("CREATE DATABASE blog")
    with psycopg.connect(servers[0].url("blog"), autocommit=True) as connection:
        connection.execute(CONTENT)
    sides = zip(("shared", "dedicated"), servers, strict=True)
    places = {side: {"port": 5432, "socket_directory": str(server.directory)} for side, server in sides}
    yield moves.Move("blog", "blog", "shared", "dedicated", places, 7)
    for server in reversed(servers):
        drop(server)


def drop(server: PostgresServer) -> None:
    """Drop the database on a server and its roles, whatever a test has left of it."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for (slot,) in connection.execute("SELECT slot_name FROM pg_replication_slots").fetchall():
            connection.execute("SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots")
            connection.execute("SELECT pg_drop_replication_slot(%s)", [slot])
        if connection.execute("SELECT FROM pg_database WHERE datname = 'blog'").rowcount:
            with psycopg.connect(server.url("blog"), autocommit=True) as inside:
                if inside.execute("SELECT FROM pg_subscription").rowcount:
                    inside.execute("ALTER SUBSCRIPTION berth_move DISABLE")
                    inside.execute("ALTER SUBSCRIPTION berth_move SET (slot_name = NONE)")
                    inside.execute("DROP SUBSCRIPTION berth_move")
        connection.execute("DROP DATABASE IF EXISTS blog WITH (FORCE)")
        connection.execute("DROP ROLE IF EXISTS blog, blog_rest, blog_auth, blog_owner")


@pytest.fixture
def copy(move: moves.Move) -> Iterator[Copy]:
    """The copy as a module has it."""
    made = Copy(SimpleNamespace(check_mode=False), move)
    yield made
    for cluster in (made.source, made.target):
        cluster.connection.close()
