#!/usr/bin/python
"""Ansible module: a unit that runs, and runs with the files as they are now."""

DOCUMENTATION = r"""
module: fresh_unit
short_description: Ensures a unit runs with its present files
description:
  - Ensures a unit is enabled and active, and restarts or reloads it when a file that it read has changed since.
  - Compares times instead of waiting for a notification, so that a run that was killed between a changed file and the
    restart is completed by the next run.
options:
  name:
    description: Unit.
    type: str
    required: true
  restart:
    description: Patterns of files that are read at start only.
    type: list
    elements: str
    default: []
  reload:
    description: Patterns of files that are read again at a reload.
    type: list
    elements: str
    default: []
  state:
    description: V(unchanged) neither enables nor starts the unit, but restarts or reloads it if it runs.
    type: str
    choices: [started, unchanged]
    default: started
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
- name: Ensure the gateway runs with this configuration
  berth.supabase.fresh_unit:
    name: nginx.service
    reload: [/etc/nginx/nginx.conf, /etc/nginx/berth/**]
"""

RETURN = r""" # """

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.units import STARTED, Systemd, newest, wall_clock

PROPERTIES = (
    "ActiveState",
    "UnitFileState",
    "ConditionResult",
    "ConditionTimestampMonotonic",
    STARTED,
    "StateChangeTimestampMonotonic",
)


def is_skipped(unit):
    """Returns whether systemd leaves the unit alone because a condition of it does not hold on this host."""
    return unit["ConditionResult"] == "no" and int(unit["ConditionTimestampMonotonic"] or 0) > 0


def needed(unit, restart, reload):
    """Returns "start", "restart", "reload" or None for a unit as it is and the times of its newest files."""
    if is_skipped(unit):
        return "start" if wall_clock(unit["ConditionTimestampMonotonic"]) < max(restart, reload) else None
    if unit["ActiveState"] not in ("active", "activating", "reloading"):
        return "start"
    if wall_clock(unit[STARTED]) < restart:
        return "restart"
    if wall_clock(unit["StateChangeTimestampMonotonic"]) < reload:
        return "reload"
    return None


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "restart": {"type": "list", "elements": "str", "default": []},
            "reload": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["started", "unchanged"], "default": "started"},
        },
        supports_check_mode=True,
    )
    name = module.params["name"]
    systemd = Systemd(module)
    [unit] = systemd.show([name], PROPERTIES).values()
    verb = needed(unit, newest(module.params["restart"]), newest(module.params["reload"]))
    starts = module.params["state"] == "started"
    if starts and unit["UnitFileState"] == "disabled":
        systemd.run("enable", [name])
    if verb and (starts or verb != "start"):
        systemd.run(verb, [name])
    systemd.exit()


if __name__ == "__main__":
    main()
