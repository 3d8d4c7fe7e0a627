#!/usr/bin/python
"""Ansible module: a copy of a project's database in the other cluster of its host."""

DOCUMENTATION = r"""
module: database_copy
short_description: Has a copy follow the database of a project in its other cluster
description:
  - Copies the database of a project, which goes on meanwhile, from the host's cluster to the project's own or back, by
    logical replication, and returns once the copy follows. M(berth.supabase.project_units) lets it take over.
  - Wakes the services of the project, so that no request waits for one that starts while its database moves.
  - A copy that a killed run has left, or that was kept after an earlier move, is made anew.
  - Refuses a database that logical replication would not bring over as a whole.
options:
  project:
    description: Name of the project.
    type: str
    required: true
  database:
    description: Name of its database.
    type: str
    required: true
  to:
    description: Whose cluster the copy is in.
    type: str
    choices: [shared, dedicated]
    required: true
  connections:
    description: Most connections to the database when it is open.
    type: int
    required: true
  shared:
    description: The host's cluster.
    type: dict
    required: true
    suboptions: &place
      port:
        description: Port of the cluster, which names its unix socket.
        type: int
        default: 5432
      socket_directory:
        description: Directory of that socket.
        type: path
        default: /run/postgresql
  dedicated:
    description: The project's own cluster.
    type: dict
    required: true
    suboptions: *place
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows what would be copied.
"""

EXAMPLES = r"""
- name: Ensure a copy follows the database
  berth.supabase.database_copy:
    project: blog
    database: blog
    to: dedicated
    connections: 20
    shared: {port: 5432, socket_directory: /run/postgresql}
    dedicated: {port: 10007, socket_directory: /run/berth/postgres/blog}
"""

RETURN = r""" # """

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.database_copy import Copy
from ansible_collections.berth.supabase.plugins.module_utils.move_fitness import require_fit
from ansible_collections.berth.supabase.plugins.module_utils.moves import Move, locked
from ansible_collections.berth.supabase.plugins.module_utils.postgres import CONNECTION_SPEC, Clusters, psycopg
from ansible_collections.berth.supabase.plugins.module_utils.replication import MoveFailed, drop_copy, follow_no_more
from ansible_collections.berth.supabase.plugins.module_utils.units import Systemd

SERVICES = ("rest", "auth")


def has_taken_over(move, target):
    """Returns whether a move to that cluster is over."""
    return bool(move and move.switched and move.target == target)


def wake(systemd, project):
    """Has the services of a project run before their files change: what starts in between waits for its database."""
    proxies = [f"berth-{service}-wake@{project}" for service in SERVICES]
    states = systemd.show([f"{proxy}.socket" for proxy in proxies], ("ActiveState",))
    listening = [proxy for proxy in proxies if states[f"{proxy}.socket"]["ActiveState"] == "active"]
    systemd.run("start", [f"{proxy}.service" for proxy in listening])


def main():
    place = {"type": "dict", "required": True, "options": CONNECTION_SPEC}
    sides = {"type": "str", "required": True, "choices": ["shared", "dedicated"]}
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "str", "required": True},
            "database": {"type": "str", "required": True},
            "to": sides,
            "connections": {"type": "int", "required": True},
            "shared": place,
            "dedicated": place,
        },
        supports_check_mode=True,
    )
    params = module.params
    database, target = params["database"], params["to"]
    diff = {"before": "", "after": f"copy of database {database} in the {target} cluster\n"}
    if module.check_mode:
        before = Move.read(database)
        module.exit_json(changed=not has_taken_over(before, target), diff=diff)
    origin = "shared" if target == "dedicated" else "dedicated"
    places = {side: params[side] for side in ("shared", "dedicated")}
    move = Move(params["project"], database, origin, target, places, params["connections"])
    clusters = Clusters(module)
    source, copied = (clusters.open(places[side], when_absent="") for side in (origin, target))
    try:
        with locked(database):
            if has_taken_over(Move.read(database), target):
                module.exit_json(changed=False, msg="The copy has taken over")
            require_fit(source, move.project, database)
            move.write()
            drop_copy(copied, database)
            follow_no_more(source, database, params["connections"])
            Copy(module, move).make()
        wake(Systemd(module), move.project)
    except (MoveFailed, psycopg.Error) as error:
        module.fail_json(msg=str(error).strip())
    module.exit_json(changed=True, diff=diff)


if __name__ == "__main__":
    main()
