#!/usr/bin/python
"""Documentation of the action plugin of the same name, which runs on the controller only."""

DOCUMENTATION = r"""
module: undeclared
short_description: Removes secrets and declaration of a project from the inventory
description:
  - Removes the secrets first and the declaration last, so that an interrupted removal can be run again.
  - The number of the project is never given to another.
  - Runs on the controller and needs the Python package berth there.
options:
  project:
    description: Name of a declared project.
    type: str
    required: true
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the files.
"""

EXAMPLES = r"""
- name: Ensure secrets and declaration of the project are gone
  berth.supabase.undeclared:
    project: blog
"""

RETURN = r""" # """
