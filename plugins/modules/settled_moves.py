#!/usr/bin/python
"""Ansible module: what moves of databases between clusters have left."""

DOCUMENTATION = r"""
module: settled_moves
short_description: Closes, and in the end drops, databases that have moved
description:
  - Drops the copy of a move that came to nothing, and has the database go on as if it had never begun.
  - Closes the old database of a move that took place, its own cluster stopped, and drops it after a day, or at once
    where the move is committed.
options:
  projects:
    description: Projects to work on.
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
  commit:
    description: Whether old databases are dropped before their day is over.
    type: bool
    default: false
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows what is closed and dropped.
"""

EXAMPLES = r"""
- name: Ensure nothing is left of databases that have moved
  berth.supabase.settled_moves:
    projects:
      - {name: shop, database: shop, dedicated: true}
"""

RETURN = r"""
former:
  description: Names of the projects whose own cluster was dropped.
  type: list
  elements: str
  returned: always
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.moves import KEPT_SECONDS, Move, locked
from ansible_collections.berth.supabase.plugins.module_utils.own_cluster import PLACES, drop, unit_of, versions
from ansible_collections.berth.supabase.plugins.module_utils.postgres import Cluster, compose, psycopg
from ansible_collections.berth.supabase.plugins.module_utils.replication import (
    MoveFailed,
    drop_copy,
    drop_slots,
    end_sessions,
    follow_no_more,
)
from ansible_collections.berth.supabase.plugins.module_utils.units import Systemd


class Settling:
    """One move and what there is to do about it; commands are noted and not run in check mode."""

    def __init__(self, systemd, move):
        self.systemd, self.move, self.module = systemd, move, systemd.module
        self.own = f"berth_{move.database}"

    def cluster(self, side):
        return Cluster(self.module, self.move.places[side])

    def note(self, words):
        """Notes a change; returns whether it is to be made."""
        self.systemd.commands.append(words)
        return not self.module.check_mode

    def abandon(self):
        """Drops a copy that did not take over, and opens the database it was made of."""
        move = self.move
        source = self.cluster(move.origin)
        self.drop(move.target)
        if self.note(f"-- open database {move.database} in the {move.origin} cluster"):
            follow_no_more(source, move.database, move.connections)
            move.forget()

    def rest(self):
        """Closes the old database until its time is over."""
        if self.move.origin == "shared":
            self._close()
        else:
            for version in versions(self.own):
                self._stop(version)

    def drop(self, side):
        """Drops the database on one side, with its cluster where that is the project's own."""
        if side == "dedicated":
            for version in versions(self.own):
                drop(self.systemd, version, self.own)
            return
        cluster = self.cluster(side)
        if not cluster.rows("SELECT FROM pg_database WHERE datname = %s", [self.move.database]):
            return
        if self.note(f"-- drop database {self.move.database} in the {side} cluster"):
            drop_copy(cluster, self.move.database)

    def _close(self):
        cluster, database = self.cluster("shared"), self.move.database
        row = cluster.rows("SELECT datconnlimit FROM pg_database WHERE datname = %s", [database])
        if row and row[0].datconnlimit and self.note(f"-- close database {database} in the shared cluster"):
            cluster.change(compose("ALTER DATABASE {name} CONNECTION LIMIT 0", name=database))
            end_sessions(cluster, database)
            drop_slots(cluster, database)

    def _stop(self, version):
        unit, start = unit_of(version, self.own), PLACES[0] / version / self.own / "start.conf"
        if self.systemd.show([unit], ("ActiveState",))[unit]["ActiveState"] not in ("inactive", "failed"):
            if not self.module.check_mode:
                drop_slots(self.cluster("dedicated"), self.move.database)
            self.systemd.run("stop", [unit])
        if start.read_text().split()[-1:] != ["manual"] and self.note(f"echo manual > {start}"):
            start.write_text("manual\n")


def settle(systemd, move, is_dedicated, commit):
    """Does what is to be done about one move; returns whether the project's own cluster was dropped."""
    settling = Settling(systemd, move)
    if move.live != ("dedicated" if is_dedicated else "shared"):
        return False  # a conversion that has yet to be completed or undone
    if not move.switched:
        settling.abandon()
        return move.target == "dedicated"
    if not commit and time.time() < move.switched + KEPT_SECONDS:
        settling.rest()
        return False
    settling.drop(move.origin)
    if not systemd.module.check_mode:
        move.forget()
    return move.origin == "dedicated"


def main():
    options = {
        "name": {"type": "str", "required": True},
        "database": {"type": "str", "required": True},
        "dedicated": {"type": "bool", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            "projects": {"type": "list", "elements": "dict", "required": True, "options": options},
            "commit": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    systemd, former = Systemd(module), []
    for project in (one for one in module.params["projects"] if Move.read(one["database"])):
        try:
            with locked(project["database"]):
                move = Move.read(project["database"])
                if move and settle(systemd, move, project["dedicated"], module.params["commit"]):
                    former.append(project["name"])
        except (MoveFailed, psycopg.Error) as error:
            module.fail_json(msg=f"{project['name']}: what its move has left cannot be settled: {error}; run it again")
    systemd.exit(former=former)


if __name__ == "__main__":
    main()
