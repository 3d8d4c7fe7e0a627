"""Keeps account of the conversion of a project in the inventory."""

from __future__ import annotations

from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

try:
    from berth.conversions import ARCHITECTURES, Conversions, moment
    from berth.errors import BerthError
    from berth.inventory import GROUP
    from berth.store import DeclarationStore
except ImportError as error:
    Conversions, IMPORT_ERROR = None, error


class ActionModule(ActionBase):
    """Runs on the controller only; the host is not contacted."""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        if Conversions is None:
            raise AnsibleActionFail(f"The Python package berth is needed on the controller: {IMPORT_ERROR}")
        store = DeclarationStore(Path(task_vars["inventory_dir"]), task_vars["groups"].get(GROUP, []))
        project, word, step = (self._task.args[key] for key in ("project", "convert", "step"))
        try:
            before = store.project(project).architecture
            architecture = before if step == "abandoned" else Conversions(store).aim(project, word, moment())
            if not self._task.check_mode:
                self._note(Conversions(store), project, word, step)
        except BerthError as error:
            raise AnsibleActionFail(str(error)) from error
        after = architecture if step == "done" else before
        diff = {"before": f"architecture: {before}\n", "after": f"architecture: {after}\n"}
        return {**result, "changed": step == "done", "architecture": architecture, "diff": diff}

    def _note(self, conversions, project, word, step):
        now = moment()
        if step == "begun" and word in ARCHITECTURES:
            conversions.begin(project, word, now)
        elif step == "done":
            conversions.finish(project, word, now)
        elif step == "abandoned":
            conversions.abandon(project, now)
