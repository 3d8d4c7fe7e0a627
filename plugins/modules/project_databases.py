#!/usr/bin/python
"""Ansible module: databases and login roles of all projects of a host."""

DOCUMENTATION = r"""
module: project_databases
short_description: Databases and login roles of projects
description:
  - Ensures, for all projects in one pass, the database (a copy of C(berth_template)), its login roles, their
    memberships, rights, limits and settings. Never drops anything.
options:
  projects:
    description: Projects to work on.
    type: list
    elements: dict
    required: true
    suboptions:
      database:
        description: Name of the database, which also begins the names of its roles.
        type: str
        required: true
      port:
        description: Port of its cluster, which names the unix socket.
        type: int
        default: 5432
      socket_directory:
        description: Directory of that socket.
        type: path
        default: /run/postgresql
      owner_password:
        description: Password of the customer's own login.
        type: str
        required: true
      connections:
        description: Most connections to the database.
        type: int
        required: true
      statement_timeout:
        description: Longest statement of a request, for instance V(15s).
        type: str
        required: true
      temp_file_limit:
        description: Most temporary disk of one session, for instance V(1GB).
        type: str
        required: true
      request_timeouts:
        description:
          - Longest statement of a request by its role. PostgREST has the values; where there are any, it calls a
            function that sets them.
        type: dict
        default: {}
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the SQL statements, without passwords.
"""

EXAMPLES = r"""
- name: Ensure the databases of the projects exist
  berth.supabase.project_databases:
    projects:
      - database: blog
        owner_password: "{{ secrets.blog.owner_password }}"
        connections: 20
        statement_timeout: 15s
        temp_file_limit: 1GB
"""

RETURN = r"""
created:
  description: Databases that were not there before.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils import scram
from ansible_collections.berth.supabase.plugins.module_utils.postgres import (
    CONNECTION_SPEC,
    TEMPLATE,
    Clusters,
    by_cluster,
    compose,
    literal,
    role_grants,
    role_settings,
)

SERVICE = "berth_service"
CUSTOMER = "berth_customer"
TEMPORARY_TABLES = ("anon", "authenticated", "service_role", "supabase_auth_admin")


BEFORE_REQUEST = """
    SELECT pg_catalog.set_config('statement_timeout', wanted, true)
    FROM pg_catalog.current_setting('app.settings.statement_timeout_' || CURRENT_USER, true) wanted
    WHERE wanted <> ''
"""


class Project:
    """What the roles and the database of one project must be."""

    def __init__(self, params):
        self.params = params
        self.database = database = params["database"]
        self.rest, self.auth, self.owner = (f"{database}_{service}" for service in ("rest", "auth", "owner"))

    def roles(self):
        """Returns the role attributes by role; pg_hba.conf goes by the role that is named like the database."""
        return {
            self.database: "NOLOGIN INHERIT",
            self.rest: "LOGIN NOINHERIT",
            self.auth: "LOGIN INHERIT",
            self.owner: "LOGIN INHERIT",
        }

    def groups(self):
        """Returns the group roles of each login role."""
        return {
            self.rest: {"anon", "authenticated", "service_role", self.database, SERVICE},
            self.auth: {"supabase_auth_admin", self.database, SERVICE},
            self.owner: {"postgres", self.database, CUSTOMER},
        }

    def privileges(self):
        """Returns (grantee, privilege) pairs on the database; nobody else may even connect."""
        connect = {(role, "CONNECT") for role in (self.rest, self.auth, self.owner)}
        temporary = {(role, "TEMPORARY") for role in (*TEMPORARY_TABLES, "postgres")}
        return connect | temporary | {("postgres", "CREATE")}

    def settings(self):
        """Returns the settings of each login role in this database."""
        limits = {
            "temp_file_limit": self.params["temp_file_limit"],
            "idle_in_transaction_session_timeout": "60s",
        }
        request = {**limits, "statement_timeout": self.params["statement_timeout"]}
        return {
            self.rest: request,
            self.auth: {**request, "role": "supabase_auth_admin", "search_path": "auth"},
            self.owner: {**limits, "role": "postgres", "search_path": '"$user", public, extensions'},
        }


def ensure_roles(cluster, project, found):
    for role, attributes in project.roles().items():
        row = found.get(role)
        if row is None:
            cluster.change(compose(f"CREATE ROLE {{role}} {attributes}", role=role))
        elif row.attributes != attributes or row.mighty:
            plain = "NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS"
            cluster.change(compose(f"ALTER ROLE {{role}} {attributes} {plain}", role=role))
    password = project.params["owner_password"]
    owner = found.get(project.owner)
    if owner is None or not scram.matches(password, owner.rolpassword):
        set_it = compose(
            "ALTER ROLE {role} PASSWORD {value}", role=project.owner, value=literal(scram.verifier(password))
        )
        cluster.change(set_it, shown=f"ALTER ROLE {project.owner} PASSWORD '********'")


def ensure_memberships(cluster, project, found):
    for member, groups in project.groups().items():
        for group in sorted(groups - found.get(member, set())):
            cluster.change(compose("GRANT {group} TO {member}", group=group, member=member))
        for group in sorted(found.get(member, set()) - groups):
            cluster.change(compose("REVOKE {group} FROM {member}", group=group, member=member))


def ensure_database(cluster, project, databases):
    """Creates the database and returns whether it is new."""
    row = databases.get(project.database)
    # A copy that still follows another database lets nobody in.
    limit = 0 if row and row.is_following else project.params["connections"]
    if row is None:
        text = f"CREATE DATABASE {{name}} TEMPLATE {{template}} CONNECTION LIMIT {limit}"
        cluster.change(compose(text, name=project.database, template=TEMPLATE))
        # The copy has the migrations of its template, but not what notes them.
        if TEMPLATE in databases and (note := databases[TEMPLATE].note):
            cluster.change(compose("COMMENT ON DATABASE {name} IS {note}", name=project.database, note=literal(note)))
    elif row.datconnlimit != limit:
        cluster.change(compose(f"ALTER DATABASE {{name}} CONNECTION LIMIT {limit}", name=project.database))
    return row is None


def ensure_privileges(cluster, project, found):
    wanted = project.privileges()
    for grantee, privilege in sorted(found - wanted):
        who = compose("PUBLIC") if grantee == "PUBLIC" else grantee
        text = f"REVOKE {privilege} ON DATABASE {{name}} FROM {{who}}"
        cluster.change(compose(text, name=project.database, who=who))
    for grantee, privilege in sorted(wanted - found):
        text = f"GRANT {privilege} ON DATABASE {{name}} TO {{who}}"
        cluster.change(compose(text, name=project.database, who=grantee))


def ensure_settings(cluster, project, found):
    for role, settings in project.settings().items():
        for name, value in settings.items():
            if found.get((role, project.database), {}).get(name) == value:
                continue
            text = "ALTER ROLE {role} IN DATABASE {database} SET {name} = {value}"
            # search_path is a list of names: as one literal it would be one name.
            value_sql = compose(value) if name == "search_path" else literal(value)
            cluster.change(compose(text, role=role, database=project.database, name=name, value=value_sql))


def ensure_request_timeouts(cluster, project):
    """Has the function that PostgREST calls in the transaction of each request, out of reach of the project."""
    with cluster.database(project.database) as connection:
        row = connection.execute("SELECT prosrc FROM pg_proc WHERE oid = to_regproc('berth.before_request')").fetchone()
        if row and row.prosrc == BEFORE_REQUEST:
            return
        for text in (
            "CREATE SCHEMA IF NOT EXISTS berth",
            f"CREATE OR REPLACE FUNCTION berth.before_request() RETURNS text LANGUAGE sql AS $${BEFORE_REQUEST}$$",
            "GRANT USAGE ON SCHEMA berth TO anon, authenticated, service_role",
        ):
            cluster.change(compose(text), connection=connection)


def ensure_projects(cluster, projects):
    """Ensures all that projects have in one cluster and returns the databases that are new."""
    state, settings, created = role_grants(cluster), role_settings(cluster), []
    for project in projects:
        ensure_roles(cluster, project, state.roles)
        ensure_memberships(cluster, project, state.memberships)
        if ensure_database(cluster, project, state.databases):
            created.append(project.database)
        # A fresh database is open to PUBLIC until the next statement.
        open_to_all = {("PUBLIC", "CONNECT"), ("PUBLIC", "TEMPORARY")}
        ensure_privileges(cluster, project, state.privileges.get(project.database, open_to_all))
        ensure_settings(cluster, project, settings)
        is_there = project.database in state.databases or not cluster.check_mode
        if any(project.params["request_timeouts"].values()) and is_there:
            ensure_request_timeouts(cluster, project)
    return created


def main():
    options = {
        **CONNECTION_SPEC,
        "database": {"type": "str", "required": True},
        "owner_password": {"type": "str", "required": True, "no_log": True},
        "connections": {"type": "int", "required": True},
        "statement_timeout": {"type": "str", "required": True},
        "temp_file_limit": {"type": "str", "required": True},
        "request_timeouts": {"type": "dict", "default": {}},
    }
    module = AnsibleModule(
        argument_spec={"projects": {"type": "list", "elements": "dict", "required": True, "options": options}},
        supports_check_mode=True,
    )
    clusters, created = Clusters(module), []
    for place, projects in by_cluster(module.params["projects"]):
        absent = "".join(f"database {params['database']} with its roles\n" for params in projects)
        cluster = clusters.open(place, when_absent=absent)
        created += ensure_projects(cluster, [Project(params) for params in projects]) if cluster else []
    clusters.exit(created=created)


if __name__ == "__main__":
    main()
