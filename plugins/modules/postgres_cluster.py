#!/usr/bin/python
"""Ansible module: what every PostgreSQL cluster for projects has."""

DOCUMENTATION = r"""
module: postgres_cluster
short_description: Group roles and closed doors of clusters for Supabase projects
description:
  - Ensures the roles that Supabase's SQL names literally (C(anon), C(authenticated), C(service_role), C(postgres),
    C(supabase_auth_admin)) exist, without login and without settings of their own.
  - Ensures nobody but the superuser may connect to the maintenance databases.
options:
  clusters:
    description: Clusters to work on.
    type: list
    elements: dict
    required: true
    suboptions:
      port:
        description: Port of the cluster, which names its unix socket.
        type: int
        default: 5432
      socket_directory:
        description: Directory of that socket.
        type: path
        default: /run/postgresql
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the SQL statements.
"""

EXAMPLES = r"""
- name: Ensure the group roles exist
  berth.supabase.postgres_cluster:
    clusters: [{port: 5432}]
"""

RETURN = r""" # """

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.postgres import (
    CLUSTERS_SPEC,
    TEMPLATE,
    Clusters,
    compose,
    literal,
)

TEMPLATE_LOGIN = f"{TEMPLATE}_auth"
# name: (LOGIN, INHERIT, BYPASSRLS)
ROLES = {
    "anon": (False, True, False),
    "authenticated": (False, True, False),
    "service_role": (False, True, True),
    "postgres": (False, True, True),
    "supabase_auth_admin": (False, True, False),
    "berth_service": (False, True, False),
    "berth_customer": (False, True, False),
    TEMPLATE_LOGIN: (True, True, False),
}
MEMBERSHIPS = {
    "postgres": ("anon", "authenticated", "service_role"),
    TEMPLATE_LOGIN: ("supabase_auth_admin",),
}
SET = "ALTER ROLE {login} SET {name} = {value}"
ATTRIBUTES = ("LOGIN", "INHERIT", "BYPASSRLS")


def attribute_words(values):
    """Returns SQL role attributes, for instance "NOLOGIN INHERIT NOBYPASSRLS"."""
    return " ".join(word if on else f"NO{word}" for word, on in zip(ATTRIBUTES, values, strict=True))


def ensure_roles(cluster):
    found = {
        row.rolname: row
        for row in cluster.rows(
            "SELECT rolname, rolcanlogin, rolinherit, rolbypassrls,"
            " rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication AS mighty FROM pg_roles"
        )
    }
    for name, attributes in ROLES.items():
        row = found.get(name)
        words = attribute_words(attributes)
        if row is None:
            cluster.change(compose(f"CREATE ROLE {{role}} {words}", role=name))
        elif (row.rolcanlogin, row.rolinherit, row.rolbypassrls) != attributes or row.mighty:
            plain = "NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION"
            cluster.change(compose(f"ALTER ROLE {{role}} {words} {plain}", role=name))


def ensure_no_settings(cluster):
    """Takes back what projects have set on the group roles they act as, everywhere and in single databases."""
    rows = cluster.rows(
        "SELECT r.rolname, d.datname FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole"
        " LEFT JOIN pg_database d ON d.oid = s.setdatabase WHERE r.rolname = ANY(%s)",
        ([name for name in ROLES if name != TEMPLATE_LOGIN],),
    )
    for row in rows:
        place = compose(" IN DATABASE {name}", name=row.datname) if row.datname else compose("")
        cluster.change(compose("ALTER ROLE {role}{place} RESET ALL", role=row.rolname, place=place))


def ensure_memberships(cluster):
    found = {
        (row.member, row.grouped)
        for row in cluster.rows(
            "SELECT member::regrole::text AS member, roleid::regrole::text AS grouped FROM pg_auth_members"
        )
    }
    for member, groups in MEMBERSHIPS.items():
        for group in groups:
            if (member, group) not in found:
                cluster.change(compose("GRANT {group} TO {member}", group=group, member=member))


def ensure_closed_doors(cluster):
    """Takes the right to connect to databases that belong to no project from everybody."""
    for database in ("postgres", "template1"):
        # With no access list of its own, a database is open to PUBLIC.
        [row] = cluster.rows(
            "SELECT datacl IS NULL OR EXISTS (SELECT FROM aclexplode(datacl) WHERE grantee = 0) AS open"
            " FROM pg_database WHERE datname = %s",
            (database,),
        )
        if row.open:
            cluster.change(compose("REVOKE ALL ON DATABASE {database} FROM PUBLIC", database=database))


def ensure_template_login(cluster):
    """Lets the login that migrates the template act as GoTrue's role there."""
    rows = cluster.rows(
        "SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = 0 AND setrole = to_regrole(%s)", (TEMPLATE_LOGIN,)
    )
    wanted = {"role": "supabase_auth_admin", "search_path": "auth"}
    found = dict(item.split("=", 1) for row in rows for item in row.setconfig)
    for name, value in wanted.items():
        if found.get(name) != value:
            cluster.change(compose(SET, login=TEMPLATE_LOGIN, name=name, value=literal(value)))


def main():
    module = AnsibleModule(argument_spec=CLUSTERS_SPEC, supports_check_mode=True)
    clusters = Clusters(module)
    for place in module.params["clusters"]:
        cluster = clusters.open(place, when_absent="the group roles of all projects\n")
        if cluster:
            ensure_roles(cluster)
            ensure_no_settings(cluster)
            ensure_memberships(cluster)
            ensure_closed_doors(cluster)
            ensure_template_login(cluster)
    clusters.exit()


if __name__ == "__main__":
    main()
