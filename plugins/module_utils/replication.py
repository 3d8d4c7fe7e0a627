"""What logical replication leaves in databases while one follows the other, and how it is taken away again."""

from __future__ import annotations

from ansible_collections.berth.supabase.plugins.module_utils.postgres import compose, drop_database, literal, sql
from ansible_collections.berth.supabase.plugins.module_utils.waiting import comes_true

NAME = "berth_move"  # of publication, subscription and schema
SYNCING = """
    SELECT count(*) FILTER (WHERE srsubstate NOT IN ('s', 'r')) AS missing,
    (SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats t WHERE t.subid = s.oid) AS errors
    FROM pg_subscription s LEFT JOIN pg_subscription_rel r ON r.srsubid = s.oid
    JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database() WHERE s.subname = %s GROUP BY s.oid
"""
# What a project has put into a schema of that name must not be believed.
OWN_SCHEMA = "SELECT FROM pg_namespace WHERE nspname = %s AND nspowner = current_user::regrole"
SLOTS = (
    "SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = %s AND (slot_name = %s OR slot_name ~ %s)"
)
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
SESSION_PATIENCE = 10.0  # seconds
IDENTITIES = {"d": "DEFAULT", "n": "NOTHING", "i": "NOTHING"}


class MoveFailed(Exception):
    """A move that cannot go on, with the reason and the remedy."""


def slot_of(database):
    """Returns the name of the replication slot."""
    return f"{NAME}_{database}"


def close(cluster, database):
    """Ends all sessions of a project's logins, and leaves the owner alone, who can only read from then on.

    What is written for a project must be written where it moves to: the services cannot log in any more, and the owner
    has lost the rights to write. postgres-meta, which is the owner, reads until the gateway leads to another one.
    """
    rest, auth, owner = logins(database)
    for role in (rest, auth):
        cluster.change(compose("ALTER ROLE {role} NOLOGIN", role=role))
    cluster.change(compose("REVOKE postgres FROM {owner}", owner=owner))
    cluster.change(compose("GRANT pg_read_all_data TO {owner}", owner=owner))
    cluster.change(compose("ALTER DATABASE {name} SET default_transaction_read_only = on", name=database))
    end_sessions(cluster, database)


def end_sessions(cluster, database):
    """Ends the sessions that clients have in a database now; replication goes on. Raises MoveFailed where one stays."""
    own = cluster.connection.info.backend_pid
    found = [row.pid for row in cluster.rows(SESSIONS, [database]) if row.pid != own]
    cluster.rows("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [found])

    def ended():
        return not {row.pid for row in cluster.rows(SESSIONS, [database])} & set(found)

    if not comes_true(ended, SESSION_PATIENCE, poll=0.02):
        raise MoveFailed(f"database {database}: a session in it does not end; look at pg_stat_activity")


def reopen(cluster, database, connections):
    """Lets the logins of a project write to a database again."""
    rest, auth, owner = logins(database)
    for role in (rest, auth):
        cluster.change(compose("ALTER ROLE {role} LOGIN", role=role))
    cluster.change(compose("GRANT postgres TO {owner}", owner=owner))
    cluster.change(compose("REVOKE pg_read_all_data FROM {owner}", owner=owner))
    cluster.change(compose("ALTER DATABASE {name} RESET default_transaction_read_only", name=database))
    cluster.change(compose(f"ALTER DATABASE {{name}} CONNECTION LIMIT {int(connections)}", name=database))


def logins(database):
    """Returns the login roles of PostgREST, of GoTrue and of the owner."""
    return tuple(f"{database}_{service}" for service in ("rest", "auth", "owner"))


def unsubscribe(new):
    """Ends the subscription without asking the other side, where its slot stays."""
    if new.execute(SYNCING, [NAME]).rowcount:
        for text in (
            "ALTER SUBSCRIPTION {} DISABLE",
            "ALTER SUBSCRIPTION {} SET (slot_name = NONE)",
            "DROP SUBSCRIPTION {}",
        ):
            new.execute(text.format(NAME))


def unpublish(connection):
    """Takes back what publishing has changed in a database."""
    connection.execute("DROP PUBLICATION IF EXISTS berth_move")
    if not connection.execute(OWN_SCHEMA, [NAME]).rowcount:
        return
    if connection.execute("SELECT FROM pg_class WHERE oid = to_regclass(%s)", [f"{NAME}.identity"]).rowcount:
        query = "SELECT name::regclass::text AS name, was FROM berth_move.identity WHERE to_regclass(name) IS NOT NULL"
        for table in connection.execute(query).fetchall():
            text = f" REPLICA IDENTITY {IDENTITIES[table.was]}"
            connection.execute(sql.SQL("ALTER TABLE ") + sql.SQL(table.name) + sql.SQL(text))
    connection.execute("DROP SCHEMA berth_move CASCADE")


def drop_slots(cluster, database):
    """Drops the slots by which a copy followed this database; returns whether there were any."""
    found = cluster.rows(SLOTS, [database, slot_of(database), r"^pg_\d+_sync_\d+_"])
    for slot in found:
        if slot.active_pid:
            cluster.rows("SELECT pg_terminate_backend(%s, 5000)", [slot.active_pid])
        cluster.change(compose("SELECT pg_drop_replication_slot({name})", name=literal(slot.slot_name)))
    return bool(found)


def drop_copy(cluster, database):
    """Drops a database that follows another one, or once did, with its roles."""
    if cluster.rows("SELECT FROM pg_database WHERE datname = %s", [database]):
        with inside(cluster, database) as copied:
            unsubscribe(copied)
        drop_slots(cluster, database)
    drop_database(cluster, database)


def follow_no_more(cluster, database, connections):
    """Brings a database to where no copy ever followed it, open to its clients."""
    drop_slots(cluster, database)
    reopen(cluster, database, connections)
    with inside(cluster, database) as old:
        unpublish(old)


def inside(cluster, database):
    """Returns a connection that may write to a closed database and waits for no lock for long."""
    return cluster.connect(database, options="-c default_transaction_read_only=off -c lock_timeout=5s")
