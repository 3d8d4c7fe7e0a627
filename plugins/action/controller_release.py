"""Packs the code of this checkout and hands it to the module of the same name, where the server does not have it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

try:
    from berth.errors import BerthError
    from berth.release import release
except ImportError as error:
    release, IMPORT_ERROR = None, error

ROOT = Path(__file__).resolve().parents[2]


class ActionModule(ActionBase):
    """Copies code and packages only when the server has not installed them."""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        if release is None:
            raise AnsibleActionFail(f"The Python package berth is needed on the controller: {IMPORT_ERROR}")
        wheels = self._task.args.get("wheels") or None
        try:
            found = release(ROOT)
            arguments = {"version": found.version, "offline": wheels is not None}
            result.update(self._module(arguments, task_vars))
            if result.get("failed") or not result["needs_source"] or self._task.check_mode:
                return result
            remote = self._connection._shell.join_path(self._make_tmp_path(), "release.tar.gz")
            with tempfile.NamedTemporaryFile(suffix=".tar.gz") as archive:
                found.pack(Path(archive.name), Path(wheels) if wheels else None)
                self._transfer_file(archive.name, remote)
            result.update(self._module({**arguments, "source": remote}, task_vars))
        except BerthError as error:
            raise AnsibleActionFail(str(error)) from error
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _module(self, arguments, task_vars):
        return self._execute_module(
            module_name="berth.supabase.controller_release", module_args=arguments, task_vars=task_vars
        )
