"""What the owner of a project has set for itself (ALTER ROLE ... SET), which belongs to the cluster: no dump has it."""

from __future__ import annotations

from contextlib import suppress

from ansible_collections.berth.supabase.plugins.module_utils.postgres import compose, psycopg, sql

SET = """
    SELECT setdatabase <> 0 AS is_here, unnest(setconfig) AS item FROM pg_db_role_setting
    WHERE setrole = to_regrole(%s) AND setdatabase IN
    (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
OF_SESSIONS = ("role", "session_authorization")  # Berth's own, and nothing to be had while they are set


def copy_settings(old, new, owner, database):
    """Sets for the owner in another cluster what it has in this one, with no more rights than its own.

    What only the superuser may set is Berth's, which sets it anew.
    """
    for row in old.execute(SET, [owner]).fetchall():
        name, value = row.item.split("=", 1)
        if name not in OF_SESSIONS:
            with suppress(psycopg.errors.InsufficientPrivilege), new.transaction():
                _set(new, owner, database if row.is_here else "", name, value)


def _set(new, owner, database, name, value):
    new.execute(compose("SET LOCAL ROLE {owner}", owner=owner))
    new.execute("SELECT set_config(%s, %s, true)", [name, value])
    where = compose(" IN DATABASE {database}", database=database) if database else sql.SQL("")
    # FROM CURRENT: lists such as search_path need no quoting of ours
    text = "ALTER ROLE {owner}{where} SET {name} FROM CURRENT"
    new.execute(compose(text, owner=owner, where=where, name=sql.Identifier(*name.split("."))))
