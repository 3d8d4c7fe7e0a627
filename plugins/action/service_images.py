"""Hands the module of the same name what the catalogue of the controller says of images."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

try:
    from berth import artifact_catalogue
except ImportError as error:
    artifact_catalogue, IMPORT_ERROR = None, error

PLATFORMS = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch64"}


class ActionModule(ActionBase):
    """Reads the catalogue only; whatever is built or pulled is so on the host."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        if artifact_catalogue is None:
            raise AnsibleActionFail(f"The Python package berth is needed on the controller: {IMPORT_ERROR}")
        machine = task_vars["ansible_facts"].get("architecture", "x86_64")
        try:
            catalogue = artifact_catalogue.load()
            images = {
                service: catalogue.images(service, PLATFORMS.get(machine, f"linux-{machine}"))
                for service in self._task.args["services"]
            }
        except artifact_catalogue.ArtifactError as error:
            raise AnsibleActionFail(str(error)) from error
        arguments = {**self._task.args, "catalogue": images}
        return self._execute_module(
            module_name="berth.supabase.service_images", module_args=arguments, task_vars=task_vars
        )
