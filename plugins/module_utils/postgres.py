"""What Berth's modules share to talk to the PostgreSQL clusters of a host."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.basic import missing_required_lib

try:
    import psycopg
    from psycopg import sql
    from psycopg.rows import namedtuple_row
except ImportError:
    psycopg = sql = None
    PSYCOPG_ERROR = traceback.format_exc()

SOCKET_DIRECTORY = "/run/postgresql"
SUPERUSER = "supabase_admin"
TEMPLATE = "berth_template"
SERVICES = ("rest", "auth", "storage", "realtime", "owner")

CONNECTION_SPEC = {
    "port": {"type": "int", "default": 5432},
    "socket_directory": {"type": "path", "default": SOCKET_DIRECTORY},
}
CLUSTERS_SPEC = {"clusters": {"type": "list", "elements": "dict", "options": CONNECTION_SPEC, "required": True}}


class Cluster:
    """A cluster seen by its superuser: reads now, writes unless in check mode, and remembers what it wrote.

    `place` has its port and the directory of its socket.
    """

    def __init__(self, module, place):
        self.module, self.place = module, place
        self.check_mode = module.check_mode
        self.statements = []
        self.connection = self.connect("postgres")

    def connect(self, database, user=SUPERUSER, options=""):
        """Returns a connection that finds nothing but the catalog by itself, so that no project's object is called."""
        return psycopg.connect(
            host=self.place["socket_directory"],
            port=self.place["port"],
            user=user,
            dbname=database,
            autocommit=True,
            row_factory=namedtuple_row,
            options=f"-c search_path=pg_catalog -c client_min_messages=warning {options}",
        )

    def rows(self, query, parameters=()):
        """Returns the rows of a query that changes nothing."""
        return self.connection.execute(query, parameters).fetchall()

    def change(self, statement, *, shown=None, connection=None):
        """Runs a composed statement, or only notes it in check mode; `shown` stands for one that holds a secret."""
        connection = connection or self.connection
        self.statements.append(shown or statement.as_string(connection))
        if not self.check_mode:
            connection.execute(statement)

    @contextmanager
    def database(self, name):
        """Gives a superuser connection to one database."""
        with self.connect(name) as connection:
            yield connection


class Clusters:
    """The clusters that a module works on; what it changed in all of them is its diff."""

    def __init__(self, module):
        self.module = module
        self.opened, self.absent = [], []

    def open(self, place, when_absent):
        """Returns a cluster; None in check mode where it is not there yet, which counts as `when_absent` to be made."""
        if psycopg is None and not self.module.check_mode:
            self.module.fail_json(msg=missing_required_lib("psycopg"), exception=PSYCOPG_ERROR)
        try:
            cluster = Cluster(self.module, place) if psycopg else None
        except psycopg.OperationalError as error:
            if not self.module.check_mode:
                self.module.fail_json(
                    msg=f"PostgreSQL does not answer on {place['socket_directory']}, port {place['port']}: {error}. "
                    "Run the role postgres first, or look at: journalctl -u postgresql@*"
                )
            cluster = None
        if cluster:
            self.opened.append(cluster)
        else:
            self.absent.append(when_absent)
        return cluster

    def exit(self, **values):
        """Ends the module with what was changed as its diff."""
        statements = [statement for cluster in self.opened for statement in cluster.statements]
        after = "".join(self.absent) + "".join(f"{statement};\n" for statement in statements)
        told = {"msg": "PostgreSQL is not there yet"} if self.absent else {}
        self.module.exit_json(
            changed=bool(statements or self.absent), diff={"before": "", "after": after}, **told, **values
        )


def by_cluster(items):
    """Returns (place, items) for each cluster that items, with CONNECTION_SPEC among their options, are in."""
    found = {}
    for item in items:
        found.setdefault((item["socket_directory"], item["port"]), []).append(item)
    return [({"socket_directory": directory, "port": port}, items) for (directory, port), items in found.items()]


def is_installed():
    """Returns whether this host may have a cluster of Berth: the role postgres has begun its work here once."""
    return psycopg is not None or Path("/etc/postgresql").is_dir()


def compose(text, **parts):
    """Returns a composed statement: strings are quoted as identifiers, sql objects stay as they are."""
    return sql.SQL(text).format(**{k: sql.Identifier(v) if isinstance(v, str) else v for k, v in parts.items()})


def literal(value):
    """Returns a quoted literal for compose()."""
    return sql.Literal(value)


def drop_database(cluster, database):
    """Drops the database of a project with whoever is connected to it, then its roles."""
    if cluster.rows("SELECT 1 FROM pg_database WHERE datname = %s", [database]):
        cluster.change(compose("DROP DATABASE {name} WITH (FORCE)", name=database))
    roles = [f"{database}_{service}" for service in SERVICES] + [database]
    there = {row.rolname for row in cluster.rows("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [roles])}
    for role in (role for role in roles if role in there):
        cluster.change(compose("DROP ROLE {role}", role=role))


@dataclass
class Grants:
    """Roles and databases of the cluster as they are now."""

    roles: dict
    memberships: dict
    databases: dict
    privileges: dict


def role_grants(cluster):
    """Returns roles, memberships, databases and their privileges in four queries, however many projects there are."""
    roles = cluster.rows(
        "SELECT rolname, rolpassword, (CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END)"
        " || (CASE WHEN rolinherit THEN ' INHERIT' ELSE ' NOINHERIT' END) AS attributes,"
        " rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS mighty FROM pg_authid"
    )
    members = cluster.rows(
        "SELECT m.rolname AS member, g.rolname AS grouped FROM pg_auth_members a"
        " JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid"
    )
    databases = cluster.rows(
        "SELECT datname, datconnlimit, shobj_description(d.oid, 'pg_database') AS note,"
        " EXISTS (SELECT FROM pg_subscription WHERE subdbid = d.oid AND subname = 'berth_move') AS is_following"
        " FROM pg_database d"
    )
    privileges = cluster.rows(
        "SELECT d.datname, coalesce(r.rolname, 'PUBLIC') AS grantee, x.privilege_type FROM pg_database d,"
        " aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x LEFT JOIN pg_roles r ON r.oid = x.grantee"
        " WHERE x.grantee <> d.datdba"
    )
    return Grants(
        roles={row.rolname: row for row in roles},
        memberships=_sets((row.member, row.grouped) for row in members),
        databases={row.datname: row for row in databases},
        privileges=_sets((row.datname, (row.grantee, row.privilege_type)) for row in privileges),
    )


def _sets(pairs):
    grouped = {}
    for key, value in pairs:
        grouped.setdefault(key, set()).add(value)
    return grouped


def role_settings(cluster):
    """Returns the settings of roles in databases as {(role, database): {name: value}}."""
    rows = cluster.rows(
        "SELECT r.rolname, d.datname, s.setconfig FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole"
        " JOIN pg_database d ON d.oid = s.setdatabase"
    )
    return {(row.rolname, row.datname): dict(item.split("=", 1) for item in row.setconfig) for row in rows}
