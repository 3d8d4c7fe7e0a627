#!/usr/bin/python
"""Ansible module: the PostgreSQL cluster of a project, gone."""

DOCUMENTATION = r"""
module: absent_cluster
short_description: Stops and drops the PostgreSQL cluster of a project
description:
  - Stops the cluster of that name, whatever its version, and drops it with its settings, data and logs. There is no way
    back. Refuses the cluster of the host.
options:
  name:
    description: Name of the cluster, which begins with C(berth_).
    type: str
    required: true
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the commands.
"""

EXAMPLES = r"""
- name: Ensure the cluster of the project is gone
  berth.supabase.absent_cluster:
    name: berth_shop
"""

RETURN = r""" # """

import re

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.own_cluster import drop, versions
from ansible_collections.berth.supabase.plugins.module_utils.units import Systemd

NAME = re.compile(r"berth_[a-z][a-z0-9_]*", re.ASCII)


def main():
    module = AnsibleModule(argument_spec={"name": {"type": "str", "required": True}}, supports_check_mode=True)
    name = module.params["name"]
    if not NAME.fullmatch(name):
        module.fail_json(msg=f"name: found {name!r}, allowed: the cluster of a project such as berth_shop")
    systemd = Systemd(module)
    for version in versions(name):
        drop(systemd, version, name)
    systemd.exit()


if __name__ == "__main__":
    main()
