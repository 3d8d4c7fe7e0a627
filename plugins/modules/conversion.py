#!/usr/bin/python
"""Documentation of the action plugin of the same name, which runs on the controller only."""

DOCUMENTATION = r"""
module: conversion
short_description: Keeps account of the conversion of a project in the inventory
description:
  - Refuses a conversion that may not begin, be rolled back or be committed.
  - Writes what a killed run needs to be completed or undone, and in the end the declaration.
  - Runs on the controller and needs the Python package berth there.
options:
  project:
    description: Name of a declared project.
    type: str
    required: true
  convert:
    description: The architecture to convert to, V(rollback) to that of before, or V(commit).
    type: str
    choices: [shared, isolated, rollback, commit]
    required: true
  step:
    description:
      - V(required) changes nothing, V(begun) comes before the host is changed and V(done) after that; V(abandoned) says
        that the host is as declared.
    type: str
    choices: [required, begun, done, abandoned]
    required: true
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the architecture.
"""

EXAMPLES = r"""
- name: Require a conversion that may begin
  berth.supabase.conversion:
    project: blog
    convert: isolated
    step: required
"""

RETURN = r"""
architecture:
  description: The architecture that the project has in the end.
  type: str
  returned: always
"""
