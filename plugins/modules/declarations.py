#!/usr/bin/python
"""Documentation of the action plugin of the same name, which runs on the controller only."""

DOCUMENTATION = r"""
module: declarations
short_description: Checks declarations of projects and reads those of a host
description:
  - Without O(host), checks every file in C(projects/) beside the inventory and fails with all problems at once.
  - With O(host), sets the facts C(project_declared), C(project_projects), C(project_secrets), C(project_selected) and
    C(meta_crypto_key) for that host, with O(project) of that project alone. Secrets that do not exist yet are made,
    except in check mode.
  - Runs on the controller and needs the Python package berth there.
options:
  host:
    description: Host whose projects are wanted.
    type: str
  project:
    description: The only project to work on; it must exist. Empty means all.
    type: str
  architecture:
    description: The architecture of O(project) in place of the declared one, with O(database).
    type: str
  database:
    description: The PostgreSQL cluster of O(project) in place of the declared one, shared or dedicated.
    type: str
    default: shared
  secrets:
    description: Whether secrets are read, required where a declaration needs them, and made where there are none.
    type: bool
    default: true
  no_log:
    description: Whether the facts are kept out of every output. Errors are always shown; they hold no secret.
    type: bool
    default: true
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
"""

EXAMPLES = r"""
- name: Require sound declarations
  berth.supabase.declarations:
  run_once: true
"""

RETURN = r""" # """
