"""Removes secrets and declaration of a project from the inventory."""

from __future__ import annotations

from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

try:
    from berth.errors import BerthError
    from berth.inventory import GROUP
    from berth.secrets import SecretStore
    from berth.store import DeclarationStore
except ImportError as error:
    DeclarationStore, IMPORT_ERROR = None, error


class ActionModule(ActionBase):
    """Runs on the controller only; the host is not contacted."""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        if DeclarationStore is None:
            raise AnsibleActionFail(f"The Python package berth is needed on the controller: {IMPORT_ERROR}")
        directory = Path(task_vars["inventory_dir"])
        project = self._task.args["project"]
        secrets = SecretStore(directory)
        declarations = DeclarationStore(directory, task_vars["groups"].get(GROUP, []))
        try:
            files = [secrets.project_file(project), declarations.directory / f"{project}.yml"]
            before = "".join(f"{path}\n" for path in files if path.exists())
            if not self._task.check_mode:
                secrets.remove_project(project)
                declarations.remove(project)
        except BerthError as error:
            raise AnsibleActionFail(str(error)) from error
        return {**result, "changed": True, "diff": {"before": before, "after": ""}}
