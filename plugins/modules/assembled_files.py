#!/usr/bin/python
"""Ansible module: files that are put together from the parts in a directory each, many at once."""

DOCUMENTATION = r"""
module: assembled_files
short_description: Puts several files together from their parts in one task
description:
  - Joins the files of a directory in the order of their names, as M(ansible.builtin.assemble) does for one file, and
    replaces the destination where it differs.
  - In check mode a file is left out whose directory of parts is not there yet.
options:
  files:
    description: Files to put together.
    type: list
    elements: dict
    required: true
    suboptions:
      parts:
        description: Directory with the parts. A name that begins with a dot is none.
        type: path
        required: true
      path:
        description: Destination.
        type: path
        required: true
  owner:
    description: System user that the files belong to, with its group.
    type: str
    required: true
  mode:
    description: Permissions.
    type: str
    default: "0640"
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
- name: Ensure the rules for logins and the user name map are complete
  berth.supabase.assembled_files:
    owner: postgres
    files:
      - {parts: /etc/berth/postgres/hba.d, path: /etc/postgresql/17/berth/pg_hba.conf}
      - {parts: /etc/berth/postgres/ident.d, path: /etc/postgresql/17/berth/pg_ident.conf}
"""

RETURN = r"""
changed_files:
  description: Paths that differed.
  type: list
  elements: str
  returned: always
"""

import pwd
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils import whole_files


def joined(directory):
    """Returns the parts as one, each ended by a line break."""
    parts = sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
    contents = filter(None, (path.read_bytes() for path in parts))
    return b"".join(content if content.endswith(b"\n") else content + b"\n" for content in contents)


def main():
    options = {"parts": {"type": "path", "required": True}, "path": {"type": "path", "required": True}}
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict", "required": True, "options": options},
            "owner": {"type": "str", "required": True},
            "mode": {"type": "str", "default": "0640"},
        },
        supports_check_mode=True,
    )
    changed, diff = [], []
    for file in module.params["files"]:
        directory, path = Path(file["parts"]), Path(file["path"])
        if module.check_mode and not directory.is_dir():
            continue
        user = pwd.getpwnam(module.params["owner"])
        attributes = {"mode": int(module.params["mode"], 8), "owner": (user.pw_uid, user.pw_gid)}
        content = joined(directory)
        if whole_files.is_as(path, content, **attributes):
            continue
        changed.append(str(path))
        diff.append(whole_files.shown(path, whole_files.content_of(path), content))
        if not module.check_mode:
            whole_files.write(path, content, **attributes)
    module.exit_json(changed=bool(changed), changed_files=changed, diff=diff)


if __name__ == "__main__":
    main()
