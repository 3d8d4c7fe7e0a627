"""Checks the declarations of an environment, and gives a host its projects and secrets."""

from __future__ import annotations

from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

try:
    from berth import host_projects
    from berth.errors import BerthError
    from berth.inventory import GROUP, host_vars
    from berth.secrets import SecretStore
    from berth.store import DeclarationStore
except ImportError as error:
    host_projects, IMPORT_ERROR = None, error


class ActionModule(ActionBase):
    """Runs on the controller only; the host is not contacted."""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        if host_projects is None:
            raise AnsibleActionFail(f"The Python package berth is needed on the controller: {IMPORT_ERROR}")
        directory = Path(task_vars["inventory_dir"])
        members = task_vars["groups"].get(GROUP, [])
        host = self._task.args.get("host")
        try:
            if host is None:
                only, secrets = self._task.args.get("project"), boolean(self._task.args.get("secrets", True))
                count = host_projects.check(directory, members, only, secrets)
                return {**result, "changed": False, "msg": f"{count} declarations are sound"}
            variables = {key: self._templar.template(value) for key, value in task_vars.items() if key in WANTED}
            only = self._task.args.get("project") or None
            store = self._secrets(directory)
            proposed = self._proposed(DeclarationStore(directory, members), only)
            mine = host_projects.of_host(directory, members, host_vars(host, variables), store, only, proposed)
        except BerthError as error:
            raise AnsibleActionFail(str(error)) from error
        facts = {
            "project_declared": mine.declared,
            "project_projects": mine.projects,
            "project_secrets": mine.secrets,
            "project_selected": [item["name"] for item in mine.projects],
            "meta_crypto_key": mine.meta_crypto_key,
        }
        # Only what was read is hidden: an error must be seen.
        hidden = {"_ansible_no_log": boolean(self._task.args.get("no_log", True))}
        return {**result, **hidden, "changed": False, "ansible_facts": facts}

    def _proposed(self, declarations, project):
        architecture = self._task.args.get("architecture")
        if not architecture:
            return {}
        draft = declarations.draft_side(project, architecture, self._task.args.get("database", "shared"))
        return {draft.path: draft.text}

    def _secrets(self, directory):
        wanted = boolean(self._task.args.get("secrets", True))
        return SecretStore(directory, ephemeral=self._task.check_mode) if wanted else None


WANTED = ("ansible_host", "berth_public_url", "berth_database_address", "berth_host_memory_mb", "postgres_port")
