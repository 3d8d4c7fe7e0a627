"""The schema of a database in another cluster, made by a login that may do no more than the project itself.

PostgreSQL calls immutable functions of the project where it takes a definition (generated columns, partition keys,
defaults), so that only what belongs to the superuser is made by the superuser.
https://www.postgresql.org/docs/current/app-pgrestore.html
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import tempfile
from pathlib import Path

from ansible_collections.berth.supabase.plugins.module_utils.postgres import SUPERUSER, compose, literal
from ansible_collections.berth.supabase.plugins.module_utils.replication import NAME, MoveFailed, logins

# By the catalog that an entry comes from: names are the project's, numbers are not.
SCHEMA, EXTENSION = "2615", "3079"
PUBLICATION = "6104"
FIRST = (SCHEMA, EXTENSION)
# pg_default_acl, pg_event_trigger, pg_publication with its tables and schemas: nothing that PostgreSQL would call
LAST = ("826", "3466", PUBLICATION, "6106", "6237")
OF_NO_CATALOG = "0"
LAST_WORDS = ("ACL ", "COMMENT ", "SECURITY LABEL ")
ENTRY = re.compile(r"^\d+; (?P<catalog>\d+) \d+ (?P<entry>.*)$")
GROUPS = ("postgres", "supabase_auth_admin", "anon", "authenticated", "service_role", "berth_customer")
LOCK_PATIENCE = "30s"


def restore_schema(source, target, database):
    """Makes the schema in a database that is empty; raises MoveFailed."""
    with tempfile.TemporaryDirectory(prefix="berth-move-") as directory:
        dump = Path(directory) / "schema"
        command = ["pg_dump", *options(source), "--schema-only", "--no-subscriptions", "--format=custom"]
        _run([*command, f"--lock-wait-timeout={LOCK_PATIENCE}", f"--file={dump}", database])
        listed = subprocess.run(["pg_restore", "--list", dump], capture_output=True, text=True, check=True).stdout
        first, middle, last = parts(listed.splitlines())
        _restore(dump, first, [*options(target), f"--dbname={database}"])
        with _builder(target, database) as builder:
            _restore(dump, middle, [*options(target, builder.name), f"--dbname={database}"], builder.password)
        _restore(dump, last, [*options(target), f"--dbname={database}"])


def parts(lines):
    """Returns the entries of a dump that come first, those that are the project's own, and those that come last."""
    first, middle, last = [], [], []
    for line in lines:
        found = ENTRY.match(line)
        if found and not found["entry"].startswith(f"PUBLICATION - {NAME} "):
            _place(found["catalog"], found["entry"], first, middle, last).append(line)
    return first, middle, last


def _place(catalog, entry, first, middle, last):
    if catalog in FIRST or (catalog == OF_NO_CATALOG and entry.startswith("ACL - SCHEMA ")):
        return first
    if catalog in LAST or (catalog == OF_NO_CATALOG and entry.startswith(LAST_WORDS)):
        return last
    # the owner is the last word, and empty for what has none
    return first if entry.endswith(f" {SUPERUSER}") else middle


def options(cluster, user=SUPERUSER):
    """Returns the options by which PostgreSQL's programs reach a cluster."""
    place = cluster.place
    return [f"--host={place['socket_directory']}", f"--port={place['port']}", f"--username={user}", "--no-password"]


class _builder:
    """A login for the time of a block that may be each role of the project, and not the superuser."""

    def __init__(self, cluster, database):
        self.cluster, self.database = cluster, database
        self.name, self.password = f"{NAME}_{database}", secrets.token_urlsafe(32)

    def __enter__(self):
        self._drop()
        there = {row.rolname for row in self.cluster.rows("SELECT rolname FROM pg_roles")}
        text = "CREATE ROLE {name} LOGIN INHERIT PASSWORD {password}"
        create = compose(text, name=self.name, password=literal(self.password))
        self.cluster.change(create, shown=f"CREATE ROLE {self.name}")
        for role in (*GROUPS, self.database, *logins(self.database)):
            if role in there:
                self.cluster.change(compose("GRANT {role} TO {name}", role=role, name=self.name))
        self._limit(4)
        return self

    def __exit__(self, *_exception):
        self._limit(0)
        self._drop()

    def _limit(self, connections):
        self.cluster.change(compose(f"ALTER DATABASE {{name}} CONNECTION LIMIT {connections}", name=self.database))
        verb = "GRANT" if connections else "REVOKE"
        link = "TO" if connections else "FROM"
        text = f"{verb} CONNECT, CREATE, TEMPORARY ON DATABASE {{database}} {link} {{name}}"
        self.cluster.change(compose(text, database=self.database, name=self.name))

    def _drop(self):
        self.cluster.change(compose("DROP ROLE IF EXISTS {name}", name=self.name))


def _restore(dump, lines, where, password=""):
    if not lines:
        return
    listed = dump.with_suffix(".list")
    listed.write_text("".join(f"{line}\n" for line in lines))
    _run(["pg_restore", *where, "--exit-on-error", f"--use-list={listed}", str(dump)], password)


def _run(command, password=""):
    environment = {**os.environ, "PGPASSWORD": password} if password else None
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.decode(errors="replace").splitlines() if "error:" in line]
        raise MoveFailed(f"the schema could not be copied: {' | '.join(errors[:3]) or done.returncode}")
