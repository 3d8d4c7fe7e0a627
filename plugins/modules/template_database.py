#!/usr/bin/python
"""Ansible module: the database that every project's database is a copy of."""

DOCUMENTATION = r"""
module: template_database
short_description: Template database of projects
description:
  - Creates the database C(berth_template) and runs a definition in it whenever that definition has changed.
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
  definition:
    description: SQL text that may run again and again.
    type: str
    required: true
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
- name: Ensure the template database is complete
  berth.supabase.template_database:
    clusters: [{port: 5432}]
    definition: "{{ lookup('ansible.builtin.file', 'template.sql') }}"
"""

RETURN = r""" # """

import hashlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.postgres import (
    CLUSTERS_SPEC,
    TEMPLATE,
    Clusters,
    compose,
)


def ensure_database(cluster):
    """Creates the database and returns whether it can be looked into."""
    if cluster.rows("SELECT FROM pg_database WHERE datname = %s", (TEMPLATE,)):
        return True
    cluster.change(compose("CREATE DATABASE {name} TEMPLATE template0", name=TEMPLATE))
    return not cluster.check_mode


def ensure_grants(cluster):
    [row] = cluster.rows(
        "SELECT datistemplate, coalesce((SELECT bool_or(grantee = 0) FROM aclexplode(datacl)), datacl IS NULL) AS open,"
        " has_database_privilege(%s, datname, 'CONNECT') AND datacl IS NOT NULL AS may_migrate"
        " FROM pg_database WHERE datname = %s",
        (f"{TEMPLATE}_auth", TEMPLATE),
    )
    if row.open:
        cluster.change(compose("REVOKE ALL ON DATABASE {name} FROM PUBLIC", name=TEMPLATE))
    if not row.may_migrate:
        cluster.change(compose("GRANT CONNECT ON DATABASE {name} TO {role}", name=TEMPLATE, role=f"{TEMPLATE}_auth"))
    if not row.datistemplate:
        cluster.change(compose("ALTER DATABASE {name} IS_TEMPLATE true", name=TEMPLATE))


def ensure_definition(cluster, definition):
    """Runs the definition in one transaction with the note of its digest, unless that note is there."""
    digest = hashlib.sha256(definition.encode()).hexdigest()
    with cluster.database(TEMPLATE) as connection:
        row = connection.execute("SELECT to_regclass('berth.definition') IS NOT NULL AS noted").fetchone()
        if row.noted and connection.execute("SELECT digest FROM berth.definition").fetchone().digest == digest:
            return
        cluster.statements.append(f"-- definition {digest[:12]} of the template\n{definition.strip()}")
        if cluster.check_mode:
            return
        with connection.transaction():
            connection.execute(definition)
            connection.execute("CREATE SCHEMA IF NOT EXISTS berth")
            connection.execute("CREATE TABLE IF NOT EXISTS berth.definition (digest text NOT NULL)")
            connection.execute("DELETE FROM berth.definition")
            connection.execute("INSERT INTO berth.definition VALUES (%s)", (digest,))


def main():
    module = AnsibleModule(
        argument_spec={**CLUSTERS_SPEC, "definition": {"type": "str", "required": True}}, supports_check_mode=True
    )
    clusters = Clusters(module)
    for place in module.params["clusters"]:
        cluster = clusters.open(place, when_absent=module.params["definition"])
        if cluster and ensure_database(cluster):
            ensure_grants(cluster)
            ensure_definition(cluster, module.params["definition"])
    clusters.exit()


if __name__ == "__main__":
    main()
