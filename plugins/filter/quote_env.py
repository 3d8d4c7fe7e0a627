"""Filter: a value as systemd reads it from an environment file."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: quote_env
short_description: Quotes a value for an environment file of systemd
description:
  - Returns the text in double quotes, with a backslash before each character that means something there.
options:
  _input:
    description: One line of text.
    type: str
    required: true
author: The Berth maintainers (@berth)
"""

EXAMPLES = r"""
line: "GOTRUE_SMTP_PASS={{ password | berth.supabase.quote_env }}"
"""

RETURN = r"""
_value:
  description: The quoted text.
  type: str
"""

SPECIAL = '\\"$`'


def quote_env(text):
    """Returns the text in quotes; raises AnsibleFilterError, without the text, where it has more than one line."""
    if any(character in str(text) for character in "\n\r\0"):
        raise AnsibleFilterError("quote_env: the value has more than one line; an environment file takes one")
    return '"' + "".join(f"\\{character}" if character in SPECIAL else character for character in str(text)) + '"'


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"quote_env": quote_env}
