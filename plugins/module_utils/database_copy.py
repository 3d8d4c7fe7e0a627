"""A copy of a database in another cluster of its host, which follows it by logical replication until it takes over.

https://www.postgresql.org/docs/current/logical-replication.html
"""

from __future__ import annotations

import math
import time
import uuid

from ansible_collections.berth.supabase.plugins.module_utils.move_fitness import require_whole
from ansible_collections.berth.supabase.plugins.module_utils.moves import Move, locked
from ansible_collections.berth.supabase.plugins.module_utils.owner_settings import copy_settings
from ansible_collections.berth.supabase.plugins.module_utils.postgres import (
    SUPERUSER,
    Cluster,
    compose,
    literal,
    psycopg,
    sql,
)
from ansible_collections.berth.supabase.plugins.module_utils.replication import (
    NAME,
    SYNCING,
    MoveFailed,
    close,
    inside,
    logins,
    reopen,
    slot_of,
    unpublish,
    unsubscribe,
)
from ansible_collections.berth.supabase.plugins.module_utils.schema_copy import restore_schema
from ansible_collections.berth.supabase.plugins.module_utils.schema_state import fingerprint
from ansible_collections.berth.supabase.plugins.module_utils.waiting import comes_true

PATIENCE = 30.0  # seconds for the last row: requests wait meanwhile
SLOT_PATIENCE = 120  # seconds until all transactions of the cluster that wrote before have ended
POLL = 0.02

WITHOUT_IDENTITY = """
    SELECT c.oid::regclass::text AS name, relreplident::text AS was FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE relkind = 'r' AND relpersistence = 'p' AND nspname NOT IN ('pg_catalog', 'information_schema')
    AND (relreplident = 'n'
    OR relreplident = 'd' AND NOT EXISTS
    (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary AND indimmediate AND indisvalid)
    OR relreplident = 'i' AND NOT EXISTS
    (SELECT FROM pg_index WHERE indrelid = c.oid AND indisreplident AND indisvalid))
"""
OF_EXTENSIONS = """
    SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_depend d ON d.objid = c.oid
    WHERE relkind = 'r' AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
"""


class Copy:
    """The database of a move at both of its places."""

    def __init__(self, module, move):
        self.move, self.database = move, move.database
        self.source, self.target = (Cluster(module, move.places[side]) for side in (move.origin, move.target))

    def make(self):
        """Makes the copy and returns once it follows; what a killed run left of one must be gone before."""
        with inside(self.source, self.database) as old:
            require_whole(old, self.move.project)
            self._publish(old)
            self.move.schema = fingerprint(old)
            self.move.write()
            self._create()
            restore_schema(self.source, self.target, self.database)
            if fingerprint(old) != self.move.schema:
                raise MoveFailed(_changed(self.move))
            with inside(self.target, self.database) as new:
                copy_settings(old, new, logins(self.database)[-1], self.database)
                self._subscribe(new)
                self._wait_for_rows(new)
                self._refresh(old, new)
                self._follow(old, new)
                new.execute("ANALYZE")

    def finish(self):
        """Closes the old database, has the copy take over, and opens it; on MoveFailed the old one is open again."""
        with locked(self.database):
            self.move = Move.read(self.database)
            if self.move.switched:
                return
            try:
                self._switch()
            except (MoveFailed, psycopg.Error) as error:
                if not Move.read(self.database).switched:
                    reopen(self.source, self.database, self.move.connections)
                raise MoveFailed(str(error)) from error
            reopen(self.target, self.database, self.move.connections)

    def _switch(self):
        close(self.source, self.database)
        with inside(self.source, self.database) as old, inside(self.target, self.database) as new:
            require_whole(old, self.move.project)
            if fingerprint(old) != self.move.schema:
                raise MoveFailed(_changed(self.move))
            self._follow(old, new, PATIENCE)
            _copy_sequences(old, new)
            unsubscribe(new)
            unpublish(new)
        self.move.switched = time.time()
        self.move.write()

    def _publish(self, old):
        """Notes what it changes in the database itself, so that each side can be brought back on its own."""
        old.execute("CREATE SCHEMA berth_move")
        old.execute("CREATE TABLE berth_move.identity (name text PRIMARY KEY, was text)")
        old.execute("CREATE TABLE berth_move.mark (mark text PRIMARY KEY)")
        for table in old.execute(WITHOUT_IDENTITY).fetchall():
            old.execute("INSERT INTO berth_move.identity VALUES (%s, %s)", [table.name, table.was])
            old.execute(sql.SQL("ALTER TABLE ") + sql.SQL(table.name) + sql.SQL(" REPLICA IDENTITY FULL"))
        old.execute("CREATE PUBLICATION berth_move FOR ALL TABLES")

    def _create(self):
        row = self.source.rows(
            "SELECT pg_encoding_to_char(encoding) AS encoding, datcollate, datctype,"
            " shobj_description(oid, 'pg_database') AS note FROM pg_database WHERE datname = %s",
            [self.database],
        )[0]
        there = {role.rolname for role in self.target.rows("SELECT rolname FROM pg_roles")}
        for role in (self.database, *logins(self.database)):
            if role not in there:
                self.target.change(compose("CREATE ROLE {role} NOLOGIN", role=role))
        values = {name: literal(getattr(row, name)) for name in ("encoding", "datcollate", "datctype")}
        # Closed to all but the superuser until it takes over.
        text = (
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING {encoding} LC_COLLATE {datcollate}"
            " LC_CTYPE {datctype} CONNECTION LIMIT 0"
        )
        self.target.change(compose(text, name=self.database, **values))
        self.target.change(compose("REVOKE ALL ON DATABASE {name} FROM PUBLIC", name=self.database))
        if row.note:
            self.target.change(
                compose("COMMENT ON DATABASE {name} IS {note}", name=self.database, note=literal(row.note))
            )

    def _subscribe(self, new):
        tables = [row.name for row in new.execute(OF_EXTENSIONS)]
        if tables:
            new.execute(sql.SQL("TRUNCATE ") + sql.SQL(", ").join(map(sql.SQL, tables)))
        place = self.source.place
        address = f"host={place['socket_directory']} port={place['port']} user={SUPERUSER} dbname={self.database}"
        text = "CREATE SUBSCRIPTION berth_move CONNECTION {address} PUBLICATION berth_move WITH (slot_name = {slot})"
        new.execute(f"SET statement_timeout = '{SLOT_PATIENCE}s'")
        try:
            new.execute(compose(text, address=literal(address), slot=literal(slot_of(self.database))))
        except psycopg.errors.QueryCanceled as error:
            raise MoveFailed(
                f"{self.move.project}: PostgreSQL has waited {SLOT_PATIENCE} s for a transaction of any project to end "
                "before it can follow; look at xact_start in pg_stat_activity, then convert it again"
            ) from error
        new.execute("RESET statement_timeout")

    def _wait_for_rows(self, new):
        def are_there():
            row = new.execute(SYNCING, [NAME]).fetchone()
            if row.missing and row.errors:
                raise MoveFailed(_stuck(self.move))
            return not row.missing

        comes_true(are_there, poll=0.2)

    def _follow(self, old, new, patience=math.inf):
        """Returns when all that was written until now is in the copy: rows arrive in the order of their commits."""
        mark = str(uuid.uuid4())
        old.execute("INSERT INTO berth_move.mark VALUES (%s)", [mark])

        def is_there():
            there = new.execute("SELECT FROM berth_move.mark WHERE mark = %s", [mark]).rowcount
            if not there and new.execute(SYNCING, [NAME]).fetchone().errors:
                raise MoveFailed(_stuck(self.move))
            return there

        if not comes_true(is_there, patience, POLL):
            raise MoveFailed(
                f"{self.move.project}: the copy of its database is more than {PATIENCE:.0f} s behind; convert it "
                "again when less is written"
            )

    @staticmethod
    def _refresh(old, new):
        query = "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'm' AND relispopulated ORDER BY oid"
        for view in old.execute(query).fetchall():
            new.execute(sql.SQL("REFRESH MATERIALIZED VIEW ") + sql.SQL(view.name))


def _copy_sequences(old, new):
    """Replication leaves out where sequences are."""
    query = "SELECT format('%I.%I', schemaname, sequencename) AS name FROM pg_sequences"
    for sequence in old.execute(query).fetchall():
        at = old.execute(sql.SQL("SELECT last_value, is_called FROM ") + sql.SQL(sequence.name)).fetchone()
        new.execute("SELECT setval(%s::regclass, %s, %s)", [sequence.name, at.last_value, at.is_called])


def _changed(move):
    return (
        f"{move.project}: its schema was changed while the database was copied, and replication brings rows only; "
        "convert it again when nobody changes tables, functions or policies"
    )


def _stuck(move):
    return (
        f"{move.project}: the copy of its database met an error and does not follow; PostgreSQL says why in "
        "/var/log/postgresql; mend the cause, then convert it again"
    )
