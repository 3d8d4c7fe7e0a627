#!/usr/bin/python
"""Ansible module: how often each key of a project was used, and when last."""

DOCUMENTATION = r"""
module: key_usage
short_description: Counts requests by key
description:
  - Counts the requests of a project by the id of their key in the logs of the gateway, rotated ones included, and tells
    when each key was used last. The logs hold ids, never keys.
options:
  project:
    description: Name of the project.
    type: str
    required: true
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
"""

EXAMPLES = r"""
- name: Read who uses which key
  berth.supabase.key_usage:
    project: blog
"""

RETURN = r"""
report:
  description: Under C(key_usage), by id of a key, C(requests) and C(last_request), a time with its zone.
  type: dict
  returned: always
"""

import gzip
import json
import re
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

LOGS = Path("/var/log/nginx/berth")


def logs(directory, project):
    """Returns the logs of a project, the oldest first: blog.log.2.gz, blog.log.1, blog.log."""
    names = re.compile(rf"{re.escape(project)}\.log(?:\.(\d+)(?:\.gz)?)?")
    found = [(match, path) for path in directory.glob(f"{project}.log*") if (match := names.fullmatch(path.name))]
    return [path for match, path in sorted(found, key=lambda it: -int(it[0][1] or 0))]


def lines(path):
    """Gives the lines of a log that name a key."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        yield from (line for line in stream if b'"key_id":"k' in line)


def count(paths):
    """Returns requests and time of the last one by key; lines that are no entries are left out."""
    usage = {}
    for path in paths:
        for line in lines(path):
            try:
                entry = json.loads(line)
                key, time = entry["key_id"], entry["time"]
            except (ValueError, KeyError, TypeError):
                continue
            usage.setdefault(key, {"requests": 0})
            usage[key] = {"requests": usage[key]["requests"] + 1, "last_request": time}
    return usage


def main():
    module = AnsibleModule(argument_spec={"project": {"type": "str", "required": True}}, supports_check_mode=True)
    try:
        usage = count(logs(LOGS, module.params["project"]))
    except (OSError, EOFError) as error:
        module.fail_json(msg=f"A log of the gateway in {LOGS} cannot be read: {error}")
    module.exit_json(changed=False, report={"key_usage": usage})


if __name__ == "__main__":
    main()
