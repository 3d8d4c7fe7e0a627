"""Whether logical replication can bring a database over as a whole, and whether there is room for that."""

from __future__ import annotations

import shutil

from ansible_collections.berth.supabase.plugins.module_utils.replication import NAME, MoveFailed, inside

DATA = "/var/lib/postgresql"
LEAST_VERSION = 160000
ROOM = 2  # times the size of the database: its rows, and the write-ahead log of writing them

UNFIT = """
    SELECT 'unlogged table ' || oid::regclass AS what FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'
    UNION ALL SELECT 'large object ' || min(oid) FROM pg_largeobject_metadata HAVING count(*) > 0
    UNION ALL SELECT format('trigger %s on %s, which is enabled always or for replicas,', tgname, tgrelid::regclass)
    FROM pg_trigger WHERE tgenabled IN ('A', 'R') AND NOT tgisinternal
"""
TAKEN = "SELECT FROM pg_namespace WHERE nspname = %s AND nspowner <> current_user::regrole"


def require_fit(source, project, database):
    """Raises MoveFailed where a database cannot move from its cluster; changes nothing."""
    _require_room(source, database)
    _require_versions(source)
    with inside(source, database) as old:
        require_whole(old, project)


def require_whole(old, project):
    """Raises MoveFailed where replication would leave out something of a database, given a connection to it."""
    unfit = [row.what for row in old.execute(UNFIT)]
    if unfit:
        raise MoveFailed(
            f"{project}: its database has {', '.join(unfit[:3])}, which logical replication leaves out; "
            "change or drop it (ALTER TABLE ... SET LOGGED, SELECT lo_unlink(oid), ALTER TABLE ... ENABLE "
            "TRIGGER), then convert it again"
        )
    if old.execute(TAKEN, [NAME]).rowcount:
        raise MoveFailed(f"{project}: its database has a schema {NAME}, which Berth needs; rename it")


def _require_room(source, database):
    size = source.rows("SELECT pg_database_size(%s::name) AS bytes", [database])[0].bytes
    free = shutil.disk_usage(DATA).free
    if free < ROOM * size:
        raise MoveFailed(
            f"{DATA}: found {free >> 20} MB free, needed {ROOM * size >> 20} MB for a copy of database {database}; "
            "make room"
        )


def _require_versions(source):
    if source.connection.info.server_version < LEAST_VERSION:
        raise MoveFailed("PostgreSQL: found a version before 16, allowed: 16 and later, which copy as the owner")
    level = source.rows("SELECT current_setting('wal_level') AS value")[0].value
    if level != "logical":
        raise MoveFailed(
            f"wal_level of PostgreSQL: found {level}, needed: logical; run playbooks/site.yml, which restarts it so"
        )
