#!/usr/bin/python
"""Ansible module: the systemd units of all projects of a host."""

DOCUMENTATION = r"""
module: project_units
short_description: Sockets and services of projects
description:
  - Ensures, for all projects in one pass, that requests wake the services of those that are present, and that those
    that are paused neither run nor wake. Never wakes a project that sleeps, unless it is meant to be always awake.
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
        choices: [present, paused]
        required: true
      idle_timeout:
        description: V(never) keeps it awake from boot on.
        type: str
        required: true
  restart:
    description: Names of projects whose settings have changed; what runs of them is restarted.
    type: list
    elements: str
    default: []
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


class Units:
    """Units by name as systemd sees them, and the commands that were needed."""

    def __init__(self, module, names):
        self.module = module
        self.commands = []
        self.found = self._show(names) if names else {}

    def _show(self, names):
        code, out, err = self.module.run_command(
            ["systemctl", "show", "--property=Id,ActiveState,UnitFileState", *names]
        )
        if code != 0:
            self.module.fail_json(msg=f"systemctl show failed: {err.strip()}")
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in out.strip().split("\n\n")]
        return {block["Id"]: block for block in blocks}

    def is_active(self, name):
        return self.found.get(name, {}).get("ActiveState") in ("active", "activating", "reloading")

    def is_enabled(self, name):
        return self.found.get(name, {}).get("UnitFileState") == "enabled"

    def systemctl(self, verb, names):
        """Runs one command for all units that need it."""
        if not names:
            return
        self.commands.append(f"systemctl {verb} {' '.join(names)}")
        if self.module.check_mode:
            return
        code, _out, err = self.module.run_command(["systemctl", *verb.split(), *names])
        if code != 0:
            self.module.fail_json(
                msg=f"systemctl {verb} failed: {err.strip()}. Look at: journalctl -u {names[0]}", units=names
            )


def main():
    project_options = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "required": True, "choices": ["present", "paused"]},
        "idle_timeout": {"type": "str", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            "services": {"type": "list", "elements": "str", "required": True},
            "projects": {"type": "list", "elements": "dict", "required": True, "options": project_options},
            "restart": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    wanted, unwanted, running = [], [], []
    for project in module.params["projects"]:
        for service in module.params["services"]:
            wake = f"berth-{service}-wake@{project['name']}"
            socket, proxy, worker = f"{wake}.socket", f"{wake}.service", f"berth-{service}@{project['name']}.service"
            present = project["state"] == "present"
            always = present and project["idle_timeout"] == "never"
            (wanted if present else unwanted).append(socket)
            (wanted if always else unwanted).append(proxy)
            if not present:
                unwanted.append(worker)
            elif project["name"] in module.params["restart"]:
                running.append(worker)
    units = Units(module, wanted + unwanted + running)
    units.systemctl("disable", [name for name in unwanted if units.is_enabled(name)])
    closing = [name for name in unwanted if units.is_active(name) and may_stop(name, wanted)]
    units.systemctl("stop", closing)
    units.systemctl("try-restart", [name for name in running if units.is_active(name)])
    units.systemctl("enable", [name for name in wanted if not units.is_enabled(name)])
    units.systemctl("start", [name for name in wanted if not units.is_active(name)])
    after = "".join(f"{command}\n" for command in units.commands)
    module.exit_json(changed=bool(units.commands), diff={"before": "", "after": after})


def may_stop(name, wanted):
    """Returns whether a running unit is to be stopped: the proxy of a project that is awake runs rightly."""
    return name.removesuffix(".service") + ".socket" not in wanted


if __name__ == "__main__":
    main()
