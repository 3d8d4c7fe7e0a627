"""Has a host dump and encrypt a database, fetches the dump, and keeps it once it can be read."""

from __future__ import annotations

from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

try:
    from berth.archive import Archive
    from berth.errors import BerthError
except ImportError as error:
    Archive, IMPORT_ERROR = None, error


class ActionModule(ActionBase):
    """One task; the dump goes from disk to disk, whatever its size."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        if Archive is None:
            raise AnsibleActionFail(f"The Python package berth is needed on the controller: {IMPORT_ERROR}")
        given = self._task.args
        try:
            archive = Archive(Path(task_vars["inventory_dir"]), given["project"], int(given["number"]))
            if self._task.check_mode:
                return self._dump({**given, "passphrase": ""}, task_vars)
            with archive.drafted() as draft:
                result = self._dump({**given, "passphrase": draft.passphrase}, task_vars)
                if result.get("failed") or not result.get("dumped"):
                    return result
                self._connection.fetch_file(given["path"], str(draft.dump))
                kept = draft.keep()
        except BerthError as error:
            raise AnsibleActionFail(f"{error}. Nothing was dropped") from error
        return {**result, "archive": str(kept)}

    def _dump(self, arguments, task_vars):
        return self._execute_module(
            module_name="berth.supabase.project_archive", module_args=arguments, task_vars=task_vars
        )
