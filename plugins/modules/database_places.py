#!/usr/bin/python
"""Ansible module: the databases of projects are where their declarations say."""

DOCUMENTATION = r"""
module: database_places
short_description: Refuses projects whose database is in another cluster than declared
description:
  - Fails, before anything is changed, where the database of a project is in another cluster than its declaration names,
    unless it is to move there, and where one that is to move cannot. Changes nothing.
options:
  port:
    description: Port of the host's cluster, which names its unix socket.
    type: int
    default: 5432
  socket_directory:
    description: Directory of that socket.
    type: path
    default: /run/postgresql
  move:
    description: Whether databases that are in the other cluster are to move, instead of a failure.
    type: bool
    default: false
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
      own_cluster:
        description: Cluster of its own that it has, or would have.
        type: dict
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
"""

EXAMPLES = r"""
- name: Require the databases where they are declared
  berth.supabase.database_places:
    projects:
      - name: shop
        database: shop
        dedicated: true
        own_cluster: {port: 10003, socket_directory: /run/berth/postgres/shop}
"""

RETURN = r"""
moving:
  description: Names of the projects whose database is in the other cluster than declared.
  type: list
  elements: str
  returned: always
moves:
  description: Names of the projects whose host notes a move, whatever has become of it.
  type: list
  elements: str
  returned: always
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils import postgres
from ansible_collections.berth.supabase.plugins.module_utils.move_fitness import require_fit
from ansible_collections.berth.supabase.plugins.module_utils.moves import Move
from ansible_collections.berth.supabase.plugins.module_utils.replication import MoveFailed

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


def place_of(project, shared):
    """Returns the cluster that has the project's data, None for a project that is not there yet.

    A cluster of its own that a conversion made and never filled counts for nothing beside a database in the host's.
    """
    if project["move"]:
        return project["move"].live
    if shared is not None and project["database"] in shared:
        return "shared"
    return "dedicated" if has_own(project) else None


def declared(project):
    """Returns the cluster that the declaration names."""
    return "dedicated" if project["dedicated"] else "shared"


def problem(project, found):
    """Returns what is wrong with a project whose data is in the other place."""
    named, to = declared(project), "isolated --database"
    start = f"{project['name']}: database: found {named}, but its data is in the {found} one"
    if project["move"] and project["move"].switched:
        return (
            f"{start} since a conversion that did not end; berth convert {project['name']} --to ... completes it, "
            "--rollback undoes it"
        )
    return (
        f"{start}; write database: {found} again, then berth convert {project['name']} --to {to} {named} moves it "
        "with the data"
    )


def require_movable(module, project, place):
    """Fails where the database of a project cannot leave the cluster that it is in."""
    where = project["own_cluster"] if place == "dedicated" else module.params
    cluster = postgres.Clusters(module).open(where, when_absent="")
    try:
        if cluster:
            require_fit(cluster, project["name"], project["database"])
    except (MoveFailed, postgres.psycopg.Error) as error:
        module.fail_json(msg=str(error).strip())


def main():
    options = {
        "name": {"type": "str", "required": True},
        "database": {"type": "str", "required": True},
        "dedicated": {"type": "bool", "required": True},
        "own_cluster": {"type": "dict", "required": True, "options": postgres.CONNECTION_SPEC},
    }
    module = AnsibleModule(
        argument_spec={
            **postgres.CONNECTION_SPEC,
            "move": {"type": "bool", "default": False},
            "projects": {"type": "list", "elements": "dict", "required": True, "options": options},
        },
        supports_check_mode=True,
    )
    projects = [{**project, "move": Move.read(project["database"])} for project in module.params["projects"]]
    unsure = [one for one in projects if not one["move"] and (one["dedicated"] or has_own(one))]
    shared = shared_databases(module) if unsure else set()
    odd = [one for one in unsure if module.params["move"] or has_own(one) != one["dedicated"]]
    if shared is None and odd:
        names = ", ".join(project["name"] for project in odd)
        module.fail_json(
            msg=f"PostgreSQL of the host does not answer, so that nobody knows where the data of {names} is; start it: "
            "systemctl start 'postgresql@*-berth'"
        )
    found = [(project, place_of(project, shared)) for project in projects]
    elsewhere = [(project, place) for project, place in found if place not in (None, declared(project))]
    if elsewhere and not module.params["move"]:
        module.fail_json(msg=". ".join(problem(project, place) for project, place in elsewhere))
    for project, place in elsewhere:
        require_movable(module, project, place)
    module.exit_json(
        changed=False,
        moving=[project["name"] for project, _place in elsewhere],
        moves=[project["name"] for project in projects if project["move"]],
    )


if __name__ == "__main__":
    main()
