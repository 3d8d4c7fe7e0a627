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
  database:
    description: PostgreSQL cluster to convert to; without it an isolated project keeps its own.
    type: str
    choices: [shared, dedicated]
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
    description: Shows what the project is.
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
database:
  description: The PostgreSQL cluster that has its database in the end, V(shared) or V(dedicated).
  type: str
  returned: always
"""
