"""Filter: the values that a module wants of each dictionary in a list."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: pick
short_description: Picks values out of a list of dictionaries
description:
  - Returns a list of new dictionaries with the keys of O(paths).
positional: paths
options:
  _input:
    description: List of dictionaries.
    type: list
    elements: dict
    required: true
  paths:
    description: For each key of the result the place of its value, as keys joined by dots.
    type: dict
    required: true
author: The Berth maintainers (@berth)
"""

EXAMPLES = r"""
limits: "{{ projects | berth.supabase.pick({'database': 'database', 'connections': 'limits.connections'}) }}"
"""

RETURN = r"""
_value:
  description: One dictionary for each of the input.
  type: list
  elements: dict
"""


def pick(items, paths):
    """Returns for each item {key: value at a dotted path}; raises AnsibleFilterError where there is none."""
    return [{key: _at(item, path) for key, path in paths.items()} for item in items]


def _at(item, path):
    found = item
    for step in path.split("."):
        try:
            found = found[step]
        except (KeyError, TypeError) as error:
            raise AnsibleFilterError(f"pick: no {path} in the item with the keys {', '.join(item)}") from error
    return found


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"pick": pick}
