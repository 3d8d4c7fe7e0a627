"""A database is copied to another server while it is written to, and the copy takes over: nothing is lost or left."""

import threading
from types import SimpleNamespace

import ansible_plugins  # noqa: F401
import psycopg
import pytest
from ansible_collections.berth.supabase.plugins.module_utils import moves
from ansible_collections.berth.supabase.plugins.module_utils.database_copy import Copy, MoveFailed
from ansible_collections.berth.supabase.plugins.module_utils.replication import (
    drop_copy,
    drop_slots,
    follow_no_more,
)
from postgres_server import PostgresServer

EVIL = """
CREATE FUNCTION evil(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ALTER ROLE blog_owner SUPERUSER; END IF;
    RETURN n;
END $$
"""
TOLD = {
    "rows": "SELECT array_agg(id || ' ' || word ORDER BY id) FROM kept",
    "loose": "SELECT array_agg(word ORDER BY word) FROM loose",
    "policies": "SELECT array_agg(policyname || tablename) FROM pg_policies",
    "view": "SELECT count FROM many",
    "function": "SELECT twice(4)",
    "owner": "SELECT tableowner FROM pg_tables WHERE tablename = 'loose'",
    "sequence": "SELECT last_value FROM pg_sequences WHERE sequencename = 'kept_id_seq'",
    "identities": "SELECT array_agg(concat(relname, relreplident) ORDER BY relname) FROM pg_class WHERE relkind = 'r'"
    " AND relname ~ 'kept|loose'",
    "publications": "SELECT count(*) FROM pg_publication",
    "schemas": "SELECT array_agg(nspname ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_'",
}


def told(server: PostgresServer) -> dict[str, object]:
    """Return what the database on a server says of itself."""
    with psycopg.connect(server.url("blog"), options="-c default_transaction_read_only=off") as connection:
        return {name: connection.execute(query).fetchone()[0] for name, query in TOLD.items()}


def settings(server: PostgresServer) -> tuple[int, bool]:
    """Return the connection limit of the database, and whether clients may only read, and services not even that."""
    with psycopg.connect(server.url("postgres")) as connection:
        limit = connection.execute("SELECT datconnlimit FROM pg_database WHERE datname = 'blog'").fetchone()[0]
        closed = connection.execute(
            "SELECT (SELECT count(*) FROM pg_db_role_setting) = 1 AND NOT bool_or(rolcanlogin)"
            " AND NOT pg_has_role('blog_owner', 'postgres', 'member') FROM pg_roles WHERE rolname ~ '_(rest|auth)$'"
        ).fetchone()[0]
    return limit, closed


class Writer(threading.Thread):
    """Inserts, updates and deletes until it is stopped."""

    def __init__(self, server: PostgresServer) -> None:
        super().__init__()
        self.server, self.ended, self.written = server, threading.Event(), 0

    def run(self) -> None:
        """Write one row after the other."""
        with psycopg.connect(self.server.url("blog"), autocommit=True) as connection:
            while not self.ended.wait(0.005):
                self.written += 1
                connection.execute("INSERT INTO kept (word) VALUES (%s)", [f"late {self.written}"])
                connection.execute("UPDATE loose SET word = word || 'x' WHERE word LIKE 'o%'")
                connection.execute("DELETE FROM kept WHERE word = %s", [f"word {self.written}"])


def test_copy_follows_and_takes_over(servers: tuple[PostgresServer, PostgresServer], copy: Copy) -> None:
    before, writer = told(servers[0]), Writer(servers[0])
    writer.start()
    copy.make()
    assert settings(servers[1]) == (0, False)
    writer.ended.set()
    writer.join()
    expected = told(servers[0])
    copy.finish()
    assert writer.written > 0
    moved = told(servers[1])
    assert moved.pop("view") >= before["view"]
    assert {"identities", "publications", "schemas"} < set(moved)
    undone = {name: before[name] for name in ("identities", "publications", "schemas")}
    assert moved == {name: value for name, value in expected.items() if name != "view"} | undone
    assert (settings(servers[0])[1], settings(servers[1])) == (True, (7, False))
    assert moves.Move.read("blog").live == "dedicated"


def test_schema_that_changes_meanwhile_stays_where_it_is(
    servers: tuple[PostgresServer, PostgresServer], copy: Copy
) -> None:
    copy.make()
    with psycopg.connect(servers[0].url("blog"), autocommit=True) as connection:
        connection.execute("TRUNCATE loose")
        connection.execute("ALTER TABLE kept ADD COLUMN more text")
    with pytest.raises(MoveFailed, match="blog: its schema was changed while the database was copied"):
        copy.finish()
    assert settings(servers[0]) == (7, False)
    assert moves.Move.read("blog").live == "shared"


def test_rows_alone_do_not_count_as_a_change_of_the_schema(
    servers: tuple[PostgresServer, PostgresServer], copy: Copy
) -> None:
    copy.make()
    with psycopg.connect(servers[0].url("blog"), autocommit=True) as connection:
        connection.execute("TRUNCATE loose")
        connection.execute("INSERT INTO loose VALUES ('only')")
        connection.execute("VACUUM ANALYZE kept")
        connection.execute("CREATE TEMPORARY TABLE passing (id int PRIMARY KEY)")
    copy.finish()
    assert told(servers[1])["loose"] == ["only"]


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("CREATE UNLOGGED TABLE fast (id int)", "unlogged table public.fast"),
        ("SELECT lo_create(99)", "large object 99"),
    ],
)
def test_what_replication_leaves_out_is_refused_before_any_change(
    servers: tuple[PostgresServer, PostgresServer], copy: Copy, made: str, named: str
) -> None:
    with psycopg.connect(servers[0].url("blog"), autocommit=True) as connection:
        connection.execute(made)
    before = told(servers[0])
    with pytest.raises(MoveFailed, match=f"blog: its database has {named}, which logical replication leaves out"):
        copy.make()
    assert told(servers[0]) == before


def test_module_that_outlived_its_run_changes_nothing_after_the_switch(
    servers: tuple[PostgresServer, PostgresServer], copy: Copy
) -> None:
    copy.make()
    stale = Copy(SimpleNamespace(check_mode=False), moves.Move.read("blog"))
    copy.finish()
    stale.finish()
    for cluster in (stale.source, stale.target):
        cluster.connection.close()
    assert (settings(servers[0])[1], settings(servers[1])) == (True, (7, False))
    assert moves.Move.read("blog").live == "dedicated"


def test_owner_cannot_write_to_the_old_database(servers: tuple[PostgresServer, PostgresServer], copy: Copy) -> None:
    address, write = servers[0].url("blog").replace("postgres@", "blog_owner@"), "INSERT INTO loose VALUES ('mine')"
    with psycopg.connect(servers[0].url("blog"), autocommit=True) as connection:
        connection.execute("GRANT postgres TO blog_owner; ALTER TABLE loose OWNER TO postgres")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(write)
    copy.make()
    copy.finish()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("BEGIN READ WRITE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(write)


OWN_SETTINGS = """
ALTER ROLE blog_owner SET statement_timeout = '7s';
ALTER ROLE blog_owner IN DATABASE blog SET search_path = "$user", "my schema", public;
ALTER ROLE blog_owner IN DATABASE blog SET work_mem = '8MB';
"""


def test_owner_keeps_what_it_has_set_for_itself(servers: tuple[PostgresServer, PostgresServer], copy: Copy) -> None:
    with psycopg.connect(servers[0].url("blog"), autocommit=True) as connection:
        connection.execute("ALTER ROLE blog_owner IN DATABASE blog SET temp_file_limit = '1GB'")
        connection.execute("ALTER ROLE blog_owner IN DATABASE blog SET role = 'postgres'")
        connection.execute("SET SESSION AUTHORIZATION blog_owner")
        connection.execute(OWN_SETTINGS)
    copy.make()
    query = "SELECT setdatabase <> 0, unnest(setconfig) FROM pg_db_role_setting WHERE setrole = 'blog_owner'::regrole"
    assert sorted(map(tuple, copy.target.rows(query))) == [
        (False, "statement_timeout=7s"),
        (True, 'search_path="$user", "my schema", public'),
        (True, "work_mem=8MB"),
    ]


ATTACKS = {
    "generated column": "CREATE TABLE trap (a int, b int GENERATED ALWAYS AS (a + evil(1)) STORED)",
    "partition key": "CREATE TABLE trap (a int) PARTITION BY RANGE ((a + evil(1)))",
    "default": "CREATE DOMAIN checked AS int CHECK (evil(VALUE) > 0); CREATE TYPE pair AS (n checked);"
    ' CREATE SCHEMA "ACL"; CREATE TABLE "ACL"."DEFAULT PRIVILEGES FOR" (p pair DEFAULT \'(5)\'::pair)',
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_code_of_the_project_never_runs_as_the_superuser(
    servers: tuple[PostgresServer, PostgresServer], copy: Copy, attack: str
) -> None:
    with psycopg.connect(servers[0].url("blog"), autocommit=True) as connection:
        connection.execute("GRANT CREATE ON DATABASE blog TO blog_owner")
        connection.execute("SET SESSION AUTHORIZATION blog_owner")
        connection.execute(EVIL)
        for statement in ATTACKS[attack].split(";"):
            connection.execute(statement)
    copy.make()
    assert copy.target.rows("SELECT rolsuper FROM pg_roles WHERE rolname = 'blog_owner'") == [(False,)]
    assert copy.target.rows("SELECT FROM pg_roles WHERE rolname = 'berth_move_blog'") == []


def test_schema_that_a_project_made_is_not_believed(servers: tuple[PostgresServer, PostgresServer], copy: Copy) -> None:
    with psycopg.connect(servers[0].url("blog"), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA berth_move; CREATE TABLE berth_move.identity (name text, was text)")
        connection.execute("INSERT INTO berth_move.identity VALUES ('kept; ALTER ROLE blog SUPERUSER; --', 'd')")
        connection.execute("ALTER SCHEMA berth_move OWNER TO blog_owner")
    follow_no_more(copy.source, "blog", 7)
    with pytest.raises(MoveFailed, match="blog: its database has a schema berth_move, which Berth needs"):
        copy.make()
    assert copy.source.rows("SELECT rolsuper FROM pg_roles WHERE rolname = 'blog'") == [(False,)]


def test_half_a_copy_is_cleared_and_made_anew(servers: tuple[PostgresServer, PostgresServer], copy: Copy) -> None:
    before = told(servers[0])
    copy.make()
    drop_copy(copy.target, "blog")
    follow_no_more(copy.source, "blog", 7)
    assert told(servers[0]) == before
    assert not drop_slots(copy.source, "blog")
    copy.make()
    copy.finish()
    assert told(servers[1])["rows"] == before["rows"]
