#!/usr/bin/python
"""Ansible module: the databases of projects are where their declarations say."""

DOCUMENTATION = r"""
module: database_places
short_description: Refuses projects whose database is in another cluster than declared
description:
  - Fails, before anything is changed, where the cluster that a declaration names has no database of the project while
    the other one has it. Changes nothing.
options:
  port:
    description: Port of the host's cluster, which names its unix socket.
    type: int
    default: 5432
  socket_directory:
    description: Directory of that socket.
    type: path
    default: /run/postgresql
  projects:
    description: Projects to check.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the project.
        type: str
        required: true
      database:
        description: Its database; its own cluster would be called berth_<database>.
        type: str
        required: true
      dedicated:
        description: Whether it is declared to have a cluster of its own.
        type: bool
        required: true
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
"""

EXAMPLES = r"""
- name: Require the databases where they are declared
  berth.supabase.database_places:
    projects:
      - {name: shop, database: shop, dedicated: true}
"""

RETURN = r""" # """

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils import postgres

SETTINGS = Path("/etc/postgresql")


def has_own(project):
    """Returns whether the project has a cluster of its own, running or not."""
    return any(SETTINGS.glob(f"[0-9]*/berth_{project['database']}/postgresql.conf"))


def shared_databases(module):
    """Returns the databases of the host's cluster; nothing where the host has none, None where it does not answer."""
    if postgres.psycopg is None or not any(SETTINGS.glob("[0-9]*/berth/postgresql.conf")):
        return set()
    try:
        cluster = postgres.Cluster(module, module.params)
        return {row.datname for row in cluster.rows("SELECT datname FROM pg_database")}
    except postgres.psycopg.OperationalError:
        return None


def problem(project):
    """Returns what is wrong with a project whose data is in the other place."""
    declared, found = ("dedicated", "shared") if project["dedicated"] else ("shared", "dedicated")
    return (
        f"{project['name']}: database: found {declared}, but its data is in the {found} one; write database: {found} "
        "again; moving it with the data is not there yet"
    )


def main():
    options = {
        "name": {"type": "str", "required": True},
        "database": {"type": "str", "required": True},
        "dedicated": {"type": "bool", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            **postgres.CONNECTION_SPEC,
            "projects": {"type": "list", "elements": "dict", "required": True, "options": options},
        },
        supports_check_mode=True,
    )
    odd = [project for project in module.params["projects"] if has_own(project) != project["dedicated"]]
    shared = shared_databases(module) if odd else set()
    if shared is None:
        names = ", ".join(project["name"] for project in odd)
        module.fail_json(
            msg=f"PostgreSQL of the host does not answer, so that nobody knows where the data of {names} is; start it: "
            "systemctl start 'postgresql@*-berth'"
        )
    wrong = [project for project in odd if (project["database"] in shared) == project["dedicated"]]
    if wrong:
        module.fail_json(msg=". ".join(problem(project) for project in wrong))
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
