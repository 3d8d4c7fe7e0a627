#!/usr/bin/python
"""Ansible module: many rendered files at once, put in place only when a validation accepts them all."""

DOCUMENTATION = r"""
module: file_tree
short_description: Puts many templates in place in one task
description:
  - Renders templates on the controller, for one or many items, and writes those that differ, owned by root.
  - Where O(validate) is given, that command sees the new files in place of the old ones in a mount namespace of its
    own; only when it succeeds are they put in place for all others. A bad set of files never replaces a good one.
options:
  root:
    description: Directory that all files are below.
    type: path
    required: true
  files:
    description: Files to render.
    type: list
    elements: dict
    required: true
    suboptions:
      template:
        description: Template, found like those of M(ansible.builtin.template).
        type: str
      path:
        description: Destination. C(NAME) stands for the name of the item, C(DATABASE) for its database.
        type: path
        required: true
      mode:
        description: Permissions.
        type: str
        default: "0644"
      secret:
        description: Whether the content is kept out of the diff, the log of the host and every output.
        type: bool
        default: false
      content:
        description: Rendered content; filled in by the action.
        type: str
      secret_content:
        description:
          - Rendered content of a secret file in base64; filled in by the action. Ansible hides such a value in the
            host's journal only when it is one line.
        type: str
  absent:
    description: Files that are removed, their paths as in O(files).
    type: list
    elements: path
    default: []
  items:
    description: Dictionaries with at least C(name); each template is rendered once for each, as C(item).
    type: list
    elements: dict
  validate:
    description: Command and arguments that must succeed with the new files.
    type: list
    elements: str
    default: []
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the files, except secret ones.
"""

EXAMPLES = r"""
- name: Ensure the routes of every project are in place once nginx accepts them
  berth.supabase.file_tree:
    root: /etc/nginx
    validate: [nginx, -t]
    items: "{{ projects }}"
    files:
      - {template: domains.map.j2, path: /etc/nginx/berth/projects/NAME/domains.map}
"""

RETURN = r"""
changed_files:
  description: Paths that differed, or were there and are to be absent.
  type: list
  elements: str
  returned: always
"""

import base64
import os
import shutil
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils import whole_files

SHOW_STAGED = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


class File:
    """One file as it is and as it should be."""

    def __init__(self, params):
        self.path = Path(params["path"])
        self.secret = params["content"] is None
        self.content = base64.b64decode(params["secret_content"]) if self.secret else params["content"].encode()
        self.mode = int(params["mode"], 8)

    def differs(self):
        return not whole_files.is_as(self.path, self.content, self.mode)

    def diff(self):
        before, after = whole_files.content_of(self.path), self.content
        if self.secret:
            before, after = (b"(secret)\n" if before else b"", b"(secret, changed)\n")
        return whole_files.shown(self.path, before, after)

    def write(self, path):
        whole_files.write(path, self.content, self.mode)


def validate(module, root, files, unwanted):
    """Runs the validation with the changed files in place and without the unwanted, seen by that command alone."""
    with tempfile.TemporaryDirectory(prefix="berth-") as staging:
        staged = Path(staging) / "root"
        shutil.copytree(root, staged, symlinks=True)
        for file in files:
            file.write(staged / file.path.relative_to(root))
        for path in unwanted:
            (staged / path.relative_to(root)).unlink()
        command = ["unshare", "--mount", "sh", "-c", SHOW_STAGED, "sh", str(staged), str(root)]
        code, out, err = module.run_command(command + module.params["validate"])
    if code != 0:
        words = " | ".join((err or out).strip().splitlines()[-5:])
        module.fail_json(
            msg=f"{' '.join(module.params['validate'])} refused the new files below {root}; the old ones stay: {words}",
            changed_files=[str(file.path) for file in files],
        )


def main():
    file_options = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str"},
        "secret_content": {"type": "str", "no_log": True},
        "mode": {"type": "str", "default": "0644"},
    }
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "absent": {"type": "list", "elements": "path", "default": []},
            "files": {"type": "list", "elements": "dict", "required": True, "options": file_options},
            "validate": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    root = Path(module.params["root"])
    changed = [file for file in map(File, module.params["files"]) if file.differs()]
    unwanted = [path for path in map(Path, module.params["absent"]) if os.path.lexists(path)]
    if (changed or unwanted) and module.params["validate"] and shutil.which(module.params["validate"][0]):
        validate(module, root, changed, unwanted)
    diff = [file.diff() for file in changed]
    if unwanted:
        diff.append({"before": "".join(f"{path}\n" for path in unwanted), "after": ""})
    if not module.check_mode:
        for file in changed:
            file.write(file.path)
        for path in unwanted:
            path.unlink()
    module.exit_json(
        changed=bool(diff),
        changed_files=[str(path) for path in (*(file.path for file in changed), *unwanted)],
        diff=diff,
    )


if __name__ == "__main__":
    main()
