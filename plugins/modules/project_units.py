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
PROPERTIES = ("ActiveState", STARTED, CHANGED, "ControlGroup")
UNITS = Path("/etc/systemd/system")
REMEDY = "Restore its file in projects/, then run berth remove to be rid of it."
PROJECTS = Path("/etc/berth/projects")
WANTED_BY = {".socket": "sockets.target", ".service": "multi-user.target", ".timer": "timers.target"}
DEFINITIONS = ("/etc/containers/systemd/**", "/etc/systemd/system/berth-*", "/etc/systemd/system/berth-*.d/*")


class Service:
    """One service of one project: the socket that requests wake it by, the proxy that holds it awake, the worker."""

    def __init__(self, name, project, wanted=True):
        self.name, self.project = name, project["name"]
        self.socket = f"berth-{name}-wake@{self.project}.socket"
        self.proxy = f"berth-{name}-wake@{self.project}.service"
        self.worker = f"berth-{name}@{self.project}.service"
        self.door = Door(name, project["name"])
        self.is_present = wanted and project["state"] == "present"
        self.is_absent = project["state"] == "absent"
        self.slice = slice_of(project)
        self.is_isolated = project["architecture"] == "isolated"
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


class Health:
    """The timer that asks the containers of an isolated project whether they are well."""

    def __init__(self, project):
        self.name, self.project = "health", project["name"]
        self.timer = f"berth-health@{self.project}.timer"
        self.is_present = project["architecture"] == "isolated" and project["state"] == "present"
        self.is_absent = project["state"] == "absent"
        self.worker = None

    def units(self):
        return [self.timer]

    def enabled(self):
        """Returns whether the timer should be enabled."""
        return {self.timer: self.is_present}

    def started(self):
        """Returns the timer where it must run."""
        return [self.timer] if self.is_present else []

    def stopped(self, _found):
        """Returns the timer where it must not run."""
        return [] if self.is_present else [self.timer]


class Enclosure:
    """The slice and the network of an isolated project, which come with its services and outlast them."""

    def __init__(self, project):
        self.is_present = project["architecture"] == "isolated" and project["state"] != "absent"
        self.is_absent = project["state"] == "absent"
        self.names = [f"berth-{project['name']}-network.service", slice_of(project)]

    def units(self):
        return self.names


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


def slice_of(project):
    """Returns the slice of a project that is isolated; with '-' it would lie inside another project's."""
    return f"berth-{project['name'].replace('-', '_')}.slice"


def services_of(params):
    """Returns all services of all projects; those that only isolated projects have are unwanted for the others."""
    for project in params["projects"]:
        yield from (Service(name, project) for name in params["services"])
        isolated = project["architecture"] == "isolated"
        if isolated or project["state"] == "absent" or was_isolated(project):
            yield from (Service(name, project, wanted=isolated) for name in params["services_isolated"])
            yield Health(project)


def enclosures_of(params):
    """Returns what is around the services of each project that is isolated, was so, or is to go."""
    for project in params["projects"]:
        if project["architecture"] == "isolated" or project["state"] == "absent" or was_isolated(project):
            yield Enclosure(project)


def was_isolated(project):
    """Returns whether containers were ever meant to run: the directory stays when its file goes."""
    return (UNITS / f"berth-rest-wake@{project['name']}.service.d").is_dir()


def converge(systemd, services, enclosures, files, reload):
    """Brings all units to where they should be, with one systemctl command for each kind of change."""
    found = Found(systemd, [unit for one in (*services, *enclosures) for unit in one.units()])
    enabled = {unit: wanted for service in services for unit, wanted in service.enabled().items()}
    systemd.run("disable", [unit for unit, wanted in enabled.items() if found.is_enabled(unit) and not wanted])
    systemd.run("stop", [unit for service in services for unit in service.stopped(found) if found.is_active(unit)])
    awake = [one for one in services if one.is_present and one.worker and found.is_active(one.worker)]
    moved = [one for one in awake if found.is_inside(one.worker, one.slice) != one.is_isolated]
    staying = [one for one in awake if one not in moved]
    stale = [one for one in staying if found.started_at(one.worker) < one.newest(files)]
    fresh = [one for one in staying if one not in stale]
    # First: PostgREST must know a new key before GoTrue signs with it.
    systemd.run("reload", [one.worker for one in fresh if found.read_at(one.worker) < one.newest(reload)])
    restart_held(systemd, {one.worker: one.door for one in stale}, moved)
    outlasted = [unit for enclosure in enclosures if not enclosure.is_present for unit in enclosure.units()]
    systemd.run("stop", [unit for unit in outlasted if found.is_active(unit)])
    # A reload reads the units of all projects anew, which takes seconds; what is enabled matters at boot only.
    systemd.run(
        "enable --no-reload", [unit for unit, wanted in enabled.items() if wanted and not found.is_enabled(unit)]
    )
    systemd.run("start", [unit for service in services for unit in service.started() if not found.is_active(unit)])
    doors = [one.door for one in services if one.is_present and one.worker]
    release(systemd, [door for door in doors if door.is_disturbed()])
    gone = [unit for one in (*services, *enclosures) if one.is_absent for unit in one.units()]
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
        "architecture": {"type": "str", "choices": ["shared", "isolated"], "default": "shared"},
    }
    module = AnsibleModule(
        argument_spec={
            "services": {"type": "list", "elements": "str", "required": True},
            "services_isolated": {"type": "list", "elements": "str", "default": []},
            "projects": {"type": "list", "elements": "dict", "required": True, "options": project_options},
            "files": {"type": "dict", "default": {}},
            "reload": {"type": "dict", "default": {}},
            "declared": {"type": "list", "elements": "str"},
        },
        supports_check_mode=True,
    )
    systemd = Systemd(module)
    systemd.load_definitions(DEFINITIONS)
    services, enclosures = list(services_of(module.params)), list(enclosures_of(module.params))
    converge(systemd, services, enclosures, module.params["files"], module.params["reload"])
    found = orphans(module.params["declared"]) if module.params["declared"] is not None else []
    if found:
        module.warn(f"{', '.join(found)}: here, but no file declares it; it runs on. {REMEDY}")
    systemd.exit(report={"orphans": found})


if __name__ == "__main__":
    main()
