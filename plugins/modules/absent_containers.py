#!/usr/bin/python
"""Ansible module: containers and networks of projects, gone."""

DOCUMENTATION = r"""
module: absent_containers
short_description: Removes the containers and the networks of projects
description:
  - Removes what Podman still has of projects, whether it runs or was left over by a crash.
  - A host that Podman was never installed on has neither.
options:
  projects:
    description: Names of the projects.
    type: list
    elements: str
    required: true
  services:
    description: Services that have a container of their own.
    type: list
    elements: str
    default: [rest, auth, meta]
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the podman commands.
"""

EXAMPLES = r"""
- name: Ensure the project has no containers
  berth.supabase.absent_containers:
    projects: [shop]
"""

RETURN = r""" # """

import shutil

from ansible.module_utils.basic import AnsibleModule

KINDS = {"container": ["--all"], "network": []}


def names(module, kind):
    """Returns the names of all containers or networks of this host."""
    command = ["podman", kind, "ls", *KINDS[kind], "--format", "{{.Names}}" if kind == "container" else "{{.Name}}"]
    code, out, err = module.run_command(command)
    if code != 0:
        module.fail_json(msg=f"podman {kind} ls failed: {err.strip()}")
    return set(out.split())


def main():
    module = AnsibleModule(
        argument_spec={
            "projects": {"type": "list", "elements": "str", "required": True},
            "services": {"type": "list", "elements": "str", "default": ["rest", "auth", "meta"]},
        },
        supports_check_mode=True,
    )
    if not shutil.which("podman"):
        module.exit_json(changed=False, msg="Podman was never installed here")
    services, projects = module.params["services"], module.params["projects"]
    unwanted = {
        "container": [f"berth-{service}-{project}" for service in services for project in projects],
        "network": [f"berth-{project}" for project in projects],
    }
    found = {kind: sorted(names(module, kind).intersection(mine)) for kind, mine in unwanted.items()}
    commands = [["podman", kind, "rm", "--force", *there] for kind, there in found.items() if there]
    if not module.check_mode:
        for command in commands:
            module.run_command(command, check_rc=True)
    after = "".join(" ".join(command) + "\n" for command in commands)
    module.exit_json(changed=bool(commands), diff={"before": "", "after": after})


if __name__ == "__main__":
    main()
