#!/usr/bin/python
"""Ansible module: the systemd units of all projects of a host."""

DOCUMENTATION = r"""
module: project_units
short_description: Sockets and services of projects
description:
  - Ensures, for all projects in one pass, that requests wake the services of those that are present, and that those
    that are paused or absent neither run nor wake. Never wakes a project that sleeps, unless it is meant to be
    always awake.
  - New settings fail no request of a project that is awake.
  - Lets the copy of a database that M(berth.supabase.database_copy) has made take over while requests wait.
  - Has systemd read its files anew first where they are newer than what it knows.
options:
  services:
    description: Services of each project.
    type: list
    elements: str
    required: true
  services_isolated:
    description: Further services of each isolated project.
    type: list
    elements: str
    default: []
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
      state:
        description: Whether it answers.
        type: str
        choices: [present, paused, absent]
        required: true
      idle_timeout:
        description: V(never) keeps it awake from boot on.
        type: str
        required: true
      architecture:
        description: Whether it has containers of its own, which are also asked for their health.
        type: str
        choices: [shared, isolated]
        default: shared
      cluster:
        description: PostgreSQL cluster that holds its database.
        type: str
        default: berth
      dedicated:
        description: Whether that cluster belongs to it alone, and is stopped and restarted with it.
        type: bool
        default: false
  keep_former:
    description:
      - Whether the services that only isolated projects have run on where a project is isolated no longer, since the
        gateway still leads to them.
    type: bool
    default: false
  files:
    description:
      - For each service the patterns of files that it reads at start, C(NAME) standing for the project. What runs and
        is older than one of them is restarted; requests wait meanwhile.
    type: dict
    default: {}
  postgres_version:
    description: Major version of PostgreSQL.
    type: str
    default: ""
  cluster_files:
    description: Patterns of files that a cluster of a project reads at start. It is restarted as its services are.
    type: list
    elements: str
    default: []
  reload:
    description: The same as O(files) for files that it reads again when it is reloaded.
    type: dict
    default: {}
  declared:
    description: Names of all projects that the host should have; a warning tells of what else it has.
    type: list
    elements: str
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the systemctl commands.
"""

EXAMPLES = r"""
- name: Ensure requests wake the services
  berth.supabase.project_units:
    services: [rest, auth]
    projects:
      - {name: blog, state: present, idle_timeout: 15min}
"""

RETURN = r"""
report:
  description:
    - Under C(orphans) the projects of the host that are not in O(declared), under C(held_seconds) for how long requests
      waited where services were restarted.
  type: dict
  returned: always
former:
  description: Names of the projects that were isolated and are so no longer.
  type: list
  elements: str
  returned: always
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.database_copy import Copy
from ansible_collections.berth.supabase.plugins.module_utils.handover import finish, release, restart_held
from ansible_collections.berth.supabase.plugins.module_utils.moves import Move
from ansible_collections.berth.supabase.plugins.module_utils.project_services import (
    UNITS,
    clusters_of,
    enclosures_of,
    services_of,
    was_isolated,
)
from ansible_collections.berth.supabase.plugins.module_utils.replication import MoveFailed
from ansible_collections.berth.supabase.plugins.module_utils.units import STARTED, Systemd, wall_clock

CHANGED = "StateChangeTimestampMonotonic"
PROPERTIES = ("ActiveState", STARTED, CHANGED, "ControlGroup")
REMEDY = "Restore its file in projects/, then run berth remove to be rid of it."
PROJECTS = Path("/etc/berth/projects")
WANTED_BY = {".socket": "sockets.target", ".service": "multi-user.target", ".timer": "timers.target"}
DEFINITIONS = ("/etc/containers/systemd/**", "/etc/systemd/system/berth-*", "/etc/systemd/system/berth-*.d/*")


class Found:
    """The units as systemd sees them now."""

    def __init__(self, systemd, names):
        self.units = systemd.show(names, PROPERTIES)

    def is_active(self, name):
        return self.units.get(name, {}).get("ActiveState") in ("active", "activating", "reloading")

    def is_failed(self, name):
        return self.units.get(name, {}).get("ActiveState") == "failed"

    @staticmethod
    def is_enabled(name):
        """Returns what the disk says: systemd itself is not told of what was enabled without a reload."""
        return (UNITS / f"{WANTED_BY[Path(name).suffix]}.wants" / name).is_symlink()

    def is_inside(self, name, slice_name):
        """Returns whether a unit runs in a slice: its definition may say otherwise by now."""
        return slice_name in Path(self.units[name]["ControlGroup"]).parts

    def started_at(self, name):
        return wall_clock(self.units[name][STARTED])

    def read_at(self, name):
        """Returns when the unit was last started or reloaded."""
        return wall_clock(self.units[name][CHANGED])


def converge(systemd, services, enclosures, clusters, files, reload, cluster_files, switch=None):
    """Brings all units to where they should be, with one systemctl command for each kind of change.

    Returns for how many seconds requests waited.
    """
    around = [*enclosures, *clusters]
    found = Found(systemd, [unit for one in (*services, *around) for unit in one.units()])
    enabled = {unit: wanted for service in services for unit, wanted in service.enabled().items()}
    systemd.run("disable", [unit for unit, wanted in enabled.items() if found.is_enabled(unit) and not wanted])
    former = [one for one in services if one.is_former and one.worker and found.is_active(one.worker)]
    if former and not systemd.module.check_mode:
        finish([one.door.open for one in former])
    systemd.run("stop", [unit for service in services for unit in service.stopped(found) if found.is_active(unit)])
    awake = [one for one in services if one.is_present and one.worker and found.is_active(one.worker)]
    moved = [one for one in awake if found.is_inside(one.worker, one.slice) != one.is_isolated]
    staying = [one for one in awake if one not in moved]
    stale = [one for one in staying if found.started_at(one.worker) < one.newest(files)]
    fresh = [one for one in staying if one not in stale]
    # First: PostgREST must know a new key before GoTrue signs with it.
    systemd.run("reload", [one.worker for one in fresh if found.read_at(one.worker) < one.newest(reload)])
    restarting = [one.unit for one in clusters if one.is_present and one.is_stale(found, cluster_files)]
    held = restart_held(systemd, stale, moved, restarting, switch)
    outlasted = [unit for one in around if not one.is_present for unit in one.units()]
    systemd.run("stop", [unit for unit in outlasted if found.is_active(unit)])
    # A reload reads the units of all projects anew, which takes seconds; what is enabled matters at boot only.
    systemd.run(
        "enable --no-reload", [unit for unit, wanted in enabled.items() if wanted and not found.is_enabled(unit)]
    )
    systemd.run("start", [unit for service in services for unit in service.started() if not found.is_active(unit)])
    doors = [one.door for one in services if one.is_present and one.worker]
    release(systemd, [door for door in doors if door.is_disturbed()])
    gone = [unit for one in (*services, *around) if one.is_absent for unit in one.units()]
    gone += [one.worker for one in former]
    now = Found(systemd, gone) if former else found
    systemd.run("reset-failed", [unit for unit in gone if now.is_failed(unit)])
    return held


def switch_of(module):
    """Returns what lets the copies of databases take over that are to do so now, None where there are none."""
    found = []
    for project in module.params["projects"]:
        move = Move.read(project["name"].replace("-", "_"))
        declared = "dedicated" if project["dedicated"] else "shared"
        if move and not move.switched and move.target == declared:
            found.append(move)
    if not found or module.check_mode:
        return None
    return lambda: [Copy(module, move).finish() for move in found]


def orphans(declared):
    """Returns the projects that the host has and that no file declares."""
    there = [path.name for path in PROJECTS.iterdir()] if PROJECTS.is_dir() else []
    return sorted(set(there) - set(declared))


def main():
    project_options = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "required": True, "choices": ["present", "paused", "absent"]},
        "idle_timeout": {"type": "str", "required": True},
        "architecture": {"type": "str", "choices": ["shared", "isolated"], "default": "shared"},
        "cluster": {"type": "str", "default": "berth"},
        "dedicated": {"type": "bool", "default": False},
    }
    module = AnsibleModule(
        argument_spec={
            "services": {"type": "list", "elements": "str", "required": True},
            "services_isolated": {"type": "list", "elements": "str", "default": []},
            "projects": {"type": "list", "elements": "dict", "required": True, "options": project_options},
            "keep_former": {"type": "bool", "default": False},
            "files": {"type": "dict", "default": {}},
            "postgres_version": {"type": "str", "default": ""},
            "cluster_files": {"type": "list", "elements": "str", "default": []},
            "reload": {"type": "dict", "default": {}},
            "declared": {"type": "list", "elements": "str"},
        },
        supports_check_mode=True,
    )
    systemd = Systemd(module)
    systemd.load_definitions(DEFINITIONS)
    services, enclosures = list(services_of(module.params)), list(enclosures_of(module.params))
    what = {key: module.params[key] for key in ("files", "reload", "cluster_files")}
    try:
        held = converge(systemd, services, enclosures, clusters_of(module.params), **what, switch=switch_of(module))
    except MoveFailed as error:
        module.fail_json(msg=str(error))
    found = orphans(module.params["declared"]) if module.params["declared"] is not None else []
    if found:
        module.warn(f"{', '.join(found)}: here, but no file declares it; it runs on. {REMEDY}")
    former = [project["name"] for project in module.params["projects"] if was_isolated(project)]
    report = ({"orphans": found} if found else {}) | ({"held_seconds": round(held, 2)} if held else {})
    systemd.exit(report=report, former=former)


if __name__ == "__main__":
    main()
