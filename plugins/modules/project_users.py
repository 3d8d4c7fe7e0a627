#!/usr/bin/python
"""Ansible module: the system users of all projects of a host."""

DOCUMENTATION = r"""
module: project_users
short_description: System users of projects
description:
  - Ensures, for all projects in one pass, that the system user of each exists, with a group of its own and without a
    home or a login, and tells its numbers. Users that are there already are left as they are.
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
      system_user:
        description: User that its services run as.
        type: str
        required: true
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the users that are made.
"""

EXAMPLES = r"""
- name: Ensure the system users exist
  berth.supabase.project_users:
    projects:
      - {name: blog, system_user: berth-blog}
"""

RETURN = r"""
numbers:
  description:
    - For each system user C(user) and C(group), its numbers; in check mode 65534 for one that is not there yet.
  type: dict
  returned: always
"""

import pwd

from ansible.module_utils.basic import AnsibleModule

NOBODY = {"user": 65534, "group": 65534}


def numbers(user):
    """Returns the numbers of a user and its group; None where there is no such user."""
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        return None
    return {"user": found.pw_uid, "group": found.pw_gid}


def line(project):
    """Returns what has systemd-sysusers make a user (man sysusers.d)."""
    return f'u {project["system_user"]} - "Services of project {project["name"]}" /nonexistent /usr/sbin/nologin'


def main():
    options = {"name": {"type": "str", "required": True}, "system_user": {"type": "str", "required": True}}
    module = AnsibleModule(
        argument_spec={"projects": {"type": "list", "elements": "dict", "required": True, "options": options}},
        supports_check_mode=True,
    )
    projects = module.params["projects"]
    missing = [line(project) for project in projects if not numbers(project["system_user"])]
    if missing and not module.check_mode:
        module.run_command(["systemd-sysusers", "--inline", *missing], check_rc=True)
    module.exit_json(
        changed=bool(missing),
        numbers={project["system_user"]: numbers(project["system_user"]) or NOBODY for project in projects},
        diff={"before": "", "after": "".join(f"{one}\n" for one in missing)},
    )


if __name__ == "__main__":
    main()
