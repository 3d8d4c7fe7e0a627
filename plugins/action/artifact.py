"""Fetches an artifact on the controller, once and verified, and hands it to the module of the same name."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

try:
    from berth import artifacts
except ImportError as error:
    artifacts, IMPORT_ERROR = None, error

PLATFORMS = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch64"}
display = Display()


class ActionModule(ActionBase):
    """Copies the artifact to the host only when the host does not have it."""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        if artifacts is None:
            raise AnsibleActionFail(f"The Python package berth is needed on the controller: {IMPORT_ERROR}")
        service = self._task.args["service"]
        machine = task_vars["ansible_facts"].get("architecture", "x86_64")
        artifact = self._fetch(service, PLATFORMS.get(machine, f"linux-{machine}"))
        arguments = {
            "service": service,
            "version": artifact.version,
            "sha256": artifact.sha256,
            "keep": self._task.args.get("keep", 2),
        }
        result.update(self._module(arguments, task_vars))
        if result.get("failed") or not result["needs_source"] or self._task.check_mode:
            return result
        remote = self._connection._shell.join_path(self._make_tmp_path(), f"{service}.tar.gz")
        try:
            self._transfer_file(str(artifact.path), remote)
            result.update(self._module({**arguments, "source": remote}, task_vars))
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _module(self, arguments, task_vars):
        return self._execute_module(module_name="berth.supabase.artifact", module_args=arguments, task_vars=task_vars)

    def _fetch(self, service, platform):
        shown = set()

        def progress(text, done, total):
            if text not in shown:
                shown.add(text)
                display.display(f"{service}: {text}", color="blue")

        try:
            return artifacts.fetch(service, self._task.args.get("version") or None, platform, progress=progress)
        except artifacts.ArtifactError as error:
            raise AnsibleActionFail(str(error)) from error
