#!/usr/bin/python
"""Ansible module: files and directories of projects, gone."""

DOCUMENTATION = r"""
module: absent_files
short_description: Removes what projects have of files
description:
  - Removes the files, links, sockets and whole directories that match patterns, in the order of the patterns.
options:
  projects:
    description: Names of the projects; anything but such a name is refused.
    type: list
    elements: str
    required: true
  paths:
    description: Absolute patterns, in each of which C(NAME) stands for the name of the project or C(DATABASE) for
      that of its database.
    type: list
    elements: str
    required: true
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the paths.
"""

EXAMPLES = r"""
- name: Ensure the log files of the project are gone
  berth.supabase.absent_files:
    projects: [blog]
    paths: ["/var/log/nginx/berth/NAME.log*"]
"""

RETURN = r"""
removed:
  description: Paths that were there.
  type: list
  elements: str
  returned: always
"""

import glob
import re
import shutil
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

NAME = re.compile(r"[a-z][a-z0-9-]{0,22}[a-z0-9]", re.ASCII)


def matching(project, patterns):
    """Returns what is there, in the order of the patterns; ValueError for a bad argument."""
    if not NAME.fullmatch(project):
        raise ValueError(f"projects: found {project!r}, allowed: the name of a project such as blog")
    found = {}
    for pattern in patterns:
        if not pattern.startswith("/") or not ("NAME" in pattern or "DATABASE" in pattern):
            raise ValueError(f"paths: found {pattern!r}, allowed: an absolute path with NAME or DATABASE in it")
        own = pattern.replace("NAME", project).replace("DATABASE", project.replace("-", "_"))
        # Path.glob takes no absolute patterns, and glob keeps links that lead nowhere
        found |= dict.fromkeys(map(Path, sorted(glob.glob(own))))  # noqa: PTH207
    return list(found)


def remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main():
    module = AnsibleModule(
        argument_spec={
            "projects": {"type": "list", "elements": "str", "required": True},
            "paths": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        found = [path for name in module.params["projects"] for path in matching(name, module.params["paths"])]
    except ValueError as error:
        module.fail_json(msg=f"{error}; correct the task")
    if not module.check_mode:
        for path in found:
            remove(path)
    removed = [str(path) for path in found]
    before = "".join(f"{path}\n" for path in removed)
    module.exit_json(changed=bool(found), removed=removed, diff={"before": before, "after": ""})


if __name__ == "__main__":
    main()
