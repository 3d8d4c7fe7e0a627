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
options:
  services:
    description: Services of each project.
    type: list
    elements: str
    required: true
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
  files:
    description:
      - For each service the patterns of files that it reads at start, C(NAME) standing for the project. What runs and
        is older than one of them is restarted; requests wait meanwhile.
    type: dict
    default: {}
  reload:
    description: The same for files that it reads again when it is reloaded.
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
  description: Under C(orphans) the projects of the host that are not in O(declared).
  type: dict
  returned: always
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.handover import Door, release, restart_held
from ansible_collections.berth.supabase.plugins.module_utils.units import STARTED, Systemd, newest, wall_clock

CHANGED = "StateChangeTimestampMonotonic"
PROPERTIES = ("ActiveState", STARTED, CHANGED)
UNITS = Path("/etc/systemd/system")
REMEDY = "Restore its file in projects/, then run berth remove to be rid of it."
PROJECTS = Path("/etc/berth/projects")
WANTED_BY = {".socket": "sockets.target", ".service": "multi-user.target"}


class Service:
    """One service of one project: the socket that requests wake it by, the proxy that holds it awake, the worker."""

    def __init__(self, name, project):
        self.name, self.project = name, project["name"]
        self.socket = f"berth-{name}-wake@{self.project}.socket"
        self.proxy = f"berth-{name}-wake@{self.project}.service"
        self.worker = f"berth-{name}@{self.project}.service"
        self.door = Door(name, project["name"])
        self.is_present = project["state"] == "present"
        self.is_absent = project["state"] == "absent"
        self.is_always_awake = self.is_present and project["idle_timeout"] == "never"

    def units(self):
        own = [self.socket, self.proxy, self.worker]
        return own if self.is_present else own + self.door.holding

    def enabled(self):
        """Returns for each unit that can be enabled whether it should be."""
        return {self.socket: self.is_present, self.proxy: self.is_always_awake}

    def started(self):
        """Returns the units that must run; a proxy that runs beside them is a project that happens to be awake."""
        return [unit for unit, wanted in self.enabled().items() if wanted]

    def newest(self, patterns):
        """Returns when the newest of the service's files was changed."""
        return newest([pattern.replace("NAME", self.project) for pattern in patterns.get(self.name, [])])

    def stopped(self, found):
        """Returns the units that must not run: a socket cannot start beside a proxy that runs without it."""
        if not self.is_present:
            return self.units()
        return [] if found.is_active(self.socket) else [self.proxy]


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

    def started_at(self, name):
        return wall_clock(self.units[name][STARTED])

    def read_at(self, name):
        """Returns when the unit was last started or reloaded."""
        return wall_clock(self.units[name][CHANGED])


def converge(systemd, services, files, reload):
    """Brings all units to where they should be, with one systemctl command for each kind of change."""
    found = Found(systemd, [unit for service in services for unit in service.units()])
    enabled = {unit: wanted for service in services for unit, wanted in service.enabled().items()}
    systemd.run("disable", [unit for unit, wanted in enabled.items() if found.is_enabled(unit) and not wanted])
    systemd.run("stop", [unit for service in services for unit in service.stopped(found) if found.is_active(unit)])
    awake = [service for service in services if service.is_present and found.is_active(service.worker)]
    stale = [service for service in awake if found.started_at(service.worker) < service.newest(files)]
    restart_held(systemd, {service.worker: service.door for service in stale})
    fresh = [service for service in awake if service not in stale]
    systemd.run("reload", [it.worker for it in fresh if found.read_at(it.worker) < it.newest(reload)])
    # A reload reads the units of all projects anew, which takes seconds; what is enabled matters at boot only.
    systemd.run(
        "enable --no-reload", [unit for unit, wanted in enabled.items() if wanted and not found.is_enabled(unit)]
    )
    systemd.run("start", [unit for service in services for unit in service.started() if not found.is_active(unit)])
    release(systemd, [service.door for service in services if service.is_present and service.door.is_disturbed()])
    gone = [unit for service in services if service.is_absent for unit in service.units()]
    systemd.run("reset-failed", [unit for unit in gone if found.is_failed(unit)])


def orphans(declared):
    """Returns the projects that the host has and that no file declares."""
    there = [path.name for path in PROJECTS.iterdir()] if PROJECTS.is_dir() else []
    return sorted(set(there) - set(declared))


def main():
    project_options = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "required": True, "choices": ["present", "paused", "absent"]},
        "idle_timeout": {"type": "str", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            "services": {"type": "list", "elements": "str", "required": True},
            "projects": {"type": "list", "elements": "dict", "required": True, "options": project_options},
            "files": {"type": "dict", "default": {}},
            "reload": {"type": "dict", "default": {}},
            "declared": {"type": "list", "elements": "str"},
        },
        supports_check_mode=True,
    )
    systemd = Systemd(module)
    services = [Service(name, project) for project in module.params["projects"] for name in module.params["services"]]
    converge(systemd, services, module.params["files"], module.params["reload"])
    found = orphans(module.params["declared"]) if module.params["declared"] is not None else []
    if found:
        module.warn(f"{', '.join(found)}: here, but no file declares it; it runs on. {REMEDY}")
    systemd.exit(report={"orphans": found})


if __name__ == "__main__":
    main()
