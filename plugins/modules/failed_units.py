#!/usr/bin/python
"""Ansible module: no unit of Berth stays failed, and what wakes projects listens."""

DOCUMENTATION = r"""
module: failed_units
short_description: Gets units of Berth out of failure
description:
  - Starts services of the host and sockets of projects that have failed or whose file is gone, and forgets the failure
    of services that the next request starts anyway. Touches no other unit.
options: {}
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
- name: Ensure nothing of Berth stays failed
  berth.supabase.failed_units:
"""

RETURN = r""" # """

import os
import re

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.units import Systemd

OURS = re.compile(r"berth-.*|postgresql@.*-berth\.service|nginx\.service")
PROPERTIES = ("ActiveState", "Listen", "UnitFileState")


def is_deaf(name, unit):
    """Returns whether a socket listens on a file that is gone."""
    if not name.endswith(".socket") or unit["ActiveState"] != "active":
        return False
    path = unit.get("Listen", "").removesuffix(" (Stream)")
    return path.startswith("/") and not os.path.exists(path)  # noqa: PTH110


def main():
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    systemd = Systemd(module)
    units = systemd.show(["--type=service,socket", "*"], PROPERTIES)
    ours = {name: unit for name, unit in units.items() if OURS.fullmatch(name)}
    failed = sorted(name for name, unit in ours.items() if unit["ActiveState"] == "failed")
    deaf = sorted(name for name, unit in ours.items() if is_deaf(name, unit))
    systemd.run("reset-failed", failed)
    # a socket cannot start beside the proxy that it started
    systemd.run("stop", [f"{name.removesuffix('.socket')}.service" for name in deaf])
    systemd.run("restart", deaf)
    # a service of a project has no unit file that is enabled: a request starts it
    systemd.run("start", [name for name in failed if name.endswith(".socket") or "@" not in name or "-berth." in name])
    systemd.exit()


if __name__ == "__main__":
    main()
