"""Keeps account of the conversion of a project in the inventory."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

try:
    from berth.conversions import ARCHITECTURES, Conversions, Side, moment
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
        database = self._task.args.get("database") or None
        try:
            conversions, before = Conversions(store), Side.of(store.project(project))
            side = before if step == "abandoned" else conversions.aim(project, word, moment(), database)
            known = conversions.open(project, moment())
            was_done = word in ARCHITECTURES and bool(known and known.done)
            if not self._task.check_mode:
                self._note(conversions, project, word, step, side)
        except BerthError as error:
            raise AnsibleActionFail(str(error)) from error
        after = side if step == "done" else before
        diff = {"before": f"{project}: {before}\n", "after": f"{project}: {after}\n"}
        return {**result, "changed": step == "done" and not was_done, **asdict(side), "diff": diff}

    def _note(self, conversions, project, word, step, side):
        now = moment()
        if step == "begun" and word in ARCHITECTURES:
            conversions.begin(project, side, now)
        elif step == "done":
            conversions.finish(project, word, now, side.database if word in ARCHITECTURES else None)
        elif step == "abandoned":
            conversions.abandon(project, now)
