"""Renders templates on the controller and hands all files to the module of the same name in one go."""

from __future__ import annotations

import base64

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

MANAGED = "Ansible managed"
ARGUMENTS = {"absent", "files", "items", "root", "validate"}
ITEM_ARGUMENTS = {"template", "path", "mode", "secret"}


class ActionModule(ActionBase):
    """One task, one connection, however many items and files there are."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        unknown = set(self._task.args) - ARGUMENTS
        if unknown:
            raise AnsibleActionFail(f"Unknown options: {', '.join(sorted(unknown))}")
        items = self._task.args.get("items")
        files, absent = [], []
        for item in [None] if items is None else items:
            variables = {"ansible_managed": MANAGED, **task_vars} | ({} if item is None else {"item": item})
            templar = self._templar.copy_with_new_env(available_variables=variables)
            files += [self._file(spec, item, templar) for spec in self._task.args["files"]]
            absent += [_path(path, item) for path in self._task.args.get("absent", [])]
        if not files and not absent:
            return {"changed": False, "changed_files": []}
        arguments = {
            "files": files,
            "absent": absent,
            "root": self._task.args["root"],
            "validate": self._task.args.get("validate", []),
        }
        return self._execute_module(module_name="berth.supabase.file_tree", module_args=arguments, task_vars=task_vars)

    def _file(self, spec, item, templar):
        unknown = set(spec) - ITEM_ARGUMENTS
        if unknown:
            raise AnsibleActionFail(f"Unknown keys of a file: {', '.join(sorted(unknown))}")
        source = self._find_needle("templates", spec["template"])
        text = self._loader.get_text_file_contents(source)
        content = templar.template(trust_as_template(text))
        return {
            "path": _path(spec["path"], item),
            "mode": spec.get("mode", "0644"),
            **_carried(str(content), spec.get("secret", False)),
        }


def _path(pattern, item):
    """Returns the path for an item, if there is one: NAME stands for its name, DATABASE for its database."""
    return (
        pattern if item is None else pattern.replace("NAME", item["name"]).replace("DATABASE", item.get("database", ""))
    )


def _carried(content, secret):
    """Returns the option that carries the content: what is secret goes as one line, or the host's journal shows it."""
    if secret:
        return {"secret_content": base64.b64encode(content.encode()).decode()}
    return {"content": content}
