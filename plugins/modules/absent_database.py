#!/usr/bin/python
"""Ansible module: the database of a project and its roles, gone."""

DOCUMENTATION = r"""
module: absent_database
short_description: Drops the database and the roles of a project
description:
  - Drops the database with whoever is connected to it, then the roles that belong to it. There is no way back.
  - A host that PostgreSQL was never installed on has neither.
options:
  port:
    description: Port of the cluster, which names its unix socket.
    type: int
    default: 5432
  socket_directory:
    description: Directory of that socket.
    type: path
    default: /run/postgresql
  database:
    description: Name of the database, which also begins the names of its roles.
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
- name: Ensure the database of the project is gone
  berth.supabase.absent_database:
    database: blog
"""

RETURN = r""" # """

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.postgres import (
    CONNECTION_SPEC,
    TEMPLATE,
    Clusters,
    drop_database,
    is_installed,
)

NEVER = {"postgres", "template0", "template1", TEMPLATE}


def main():
    module = AnsibleModule(
        argument_spec={**CONNECTION_SPEC, "database": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    database = module.params["database"]
    if database in NEVER:
        module.fail_json(msg=f"database: found {database!r}, which belongs to the cluster; name that of a project")
    if not is_installed():
        module.exit_json(changed=False, msg="PostgreSQL was never installed here")
    clusters = Clusters(module)
    cluster = clusters.open(module.params, when_absent=f"database {database} with its roles\n")
    if cluster:
        drop_database(cluster, database)
    clusters.exit()


if __name__ == "__main__":
    main()
