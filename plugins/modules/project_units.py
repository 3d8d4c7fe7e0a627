#!/usr/bin/python
"""Ansible module: the systemd units of all projects of a host."""

DOCUMENTATION = r"""
module: project_units
short_description: Sockets and services of projects
description:
  - Ensures, for all projects in one pass, that requests wake the services of those that are present, and that those
    that are paused neither run nor wake. Never wakes a project that sleeps, unless it is meant to be always awake.
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
        choices: [present, paused]
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
        is older than one of them is restarted.
    type: dict
    default: {}
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

RETURN = r""" # """

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.units import Systemd, newest, wall_clock

PROPERTIES = ("ActiveState", "UnitFileState", "ActiveEnterTimestampMonotonic")
DEFINITIONS = ("/etc/containers/systemd/**", "/etc/systemd/system/berth-*", "/etc/systemd/system/berth-*.d/*")


class Service:
    """One service of one project: the socket that requests wake it by, the proxy that holds it awake, the worker."""

    def __init__(self, name, project, wanted=True):
        self.name, self.project = name, project["name"]
        self.socket = f"berth-{name}-wake@{self.project}.socket"
        self.proxy = f"berth-{name}-wake@{self.project}.service"
        self.worker = f"berth-{name}@{self.project}.service"
        self.is_present = wanted and project["state"] == "present"
        self.is_always_awake = self.is_present and project["idle_timeout"] == "never"

    def units(self):
        return [self.socket, self.proxy, self.worker]

    def enabled(self):
        """Returns for each unit that can be enabled whether it should be."""
        return {self.socket: self.is_present, self.proxy: self.is_always_awake}

    def started(self):
        """Returns the units that must run; a proxy that runs beside them is a project that happens to be awake."""
        return [unit for unit, wanted in self.enabled().items() if wanted]

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


class Found:
    """The units as systemd sees them now."""

    def __init__(self, systemd, names):
        self.units = systemd.show(names, PROPERTIES)

    def is_active(self, name):
        return self.units.get(name, {}).get("ActiveState") in ("active", "activating", "reloading")

    def is_enabled(self, name):
        return self.units.get(name, {}).get("UnitFileState") == "enabled"

    def started_at(self, name):
        return wall_clock(self.units[name]["ActiveEnterTimestampMonotonic"])


def services_of(params):
    """Returns all services of all projects; those that only isolated projects have are unwanted for the others."""
    for project in params["projects"]:
        yield from (Service(name, project) for name in params["services"])
        isolated = project["architecture"] == "isolated"
        yield from (Service(name, project, wanted=isolated) for name in params["services_isolated"])
        yield Health(project)


def converge(systemd, services, files):
    """Brings all units to where they should be, with one systemctl command for each kind of change."""
    found = Found(systemd, [unit for service in services for unit in service.units()])
    enabled = {unit: wanted for service in services for unit, wanted in service.enabled().items()}
    systemd.run("disable", [unit for unit, wanted in enabled.items() if found.is_enabled(unit) and not wanted])
    systemd.run("stop", [unit for service in services for unit in service.stopped(found) if found.is_active(unit)])
    stale = []
    for service in services:
        patterns = [pattern.replace("NAME", service.project) for pattern in files.get(service.name, [])]
        running = service.is_present and service.worker and found.is_active(service.worker)
        if running and found.started_at(service.worker) < newest(patterns):
            stale.append(service.worker)
    systemd.run("try-restart", stale)
    systemd.run("enable", [unit for unit, wanted in enabled.items() if wanted and not found.is_enabled(unit)])
    systemd.run("start", [unit for service in services for unit in service.started() if not found.is_active(unit)])


def main():
    project_options = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "required": True, "choices": ["present", "paused"]},
        "idle_timeout": {"type": "str", "required": True},
        "architecture": {"type": "str", "choices": ["shared", "isolated"], "default": "shared"},
    }
    module = AnsibleModule(
        argument_spec={
            "services": {"type": "list", "elements": "str", "required": True},
            "services_isolated": {"type": "list", "elements": "str", "default": []},
            "projects": {"type": "list", "elements": "dict", "required": True, "options": project_options},
            "files": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    systemd = Systemd(module)
    systemd.load_definitions(DEFINITIONS)
    converge(systemd, list(services_of(module.params)), module.params["files"])
    systemd.exit()


if __name__ == "__main__":
    main()
