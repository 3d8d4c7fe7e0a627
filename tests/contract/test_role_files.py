"""The parts of the roles fit together: nothing dangles, nothing is dead, nothing secret is shown."""

import re

import pytest
from role_files import (
    IMPORTS,
    directory,
    load,
    names_in,
    read_by,
    rendered_by,
    role_variables,
    tasks,
    templates,
    written_by,
)
from role_interface import ROLES, ROOT, defaults, spec

ANSIBLE = {"ansible_check_mode", "ansible_facts", "ansible_host", "ansible_managed", "inventory_hostname"}
JINJA = {"item", "lookup"}

UNITS = "systemd-analyze verifies it in tests/templates; a unit that systemd refuses does not start and says so"
QUADLET = "Podman's generator makes no unit of a file that it refuses, and the start of that unit says so"
OWN_FORMAT = "only Berth's own units read it, as variables"
NOT_VALIDATED = {
    "/etc/systemd/journald.conf.d/50-berth.conf": "journald has no checker and skips a line it does not understand",
    "/etc/sysctl.d/60-berth.conf": "sysctl has no checker; the handler fails on a parameter that the kernel refuses",
    "/etc/systemd/system/berth.slice": UNITS,
    "/etc/systemd/system/berth-firewall.service": UNITS,
    "/etc/systemd/system/berth-rest@.service": UNITS,
    "/etc/systemd/system/berth-rest-NAME@.socket": UNITS,
    "/etc/systemd/system/berth-rest-NAME@.service": UNITS,
    "/etc/systemd/system/berth-auth@.service": UNITS,
    "/etc/systemd/system/berth-auth-NAME@.socket": UNITS,
    "/etc/systemd/system/berth-auth-NAME@.service": UNITS,
    "/etc/systemd/system/berth-meta.service": UNITS,
    "/etc/systemd/system/berth-meta-wake.socket": UNITS,
    "/etc/systemd/system/berth-meta-wake.service": UNITS,
    "/etc/systemd/system/berth-meta-NAME@.socket": UNITS,
    "/etc/systemd/system/berth-meta-NAME@.service": UNITS,
    "/etc/systemd/system/berth-health@.service": UNITS,
    "/etc/systemd/system/berth-health@.timer": UNITS,
    "/etc/systemd/system/berth-DATABASE.slice": UNITS,
    "/etc/systemd/system/berth-rest-wake@NAME.service.d/isolated.conf": UNITS,
    "/etc/systemd/system/berth-auth-wake@NAME.service.d/isolated.conf": UNITS,
    "/etc/systemd/system/berth-meta-wake@NAME.service.d/isolated.conf": UNITS,
    "/etc/containers/systemd/berth-NAME.network": QUADLET,
    "/etc/containers/systemd/berth-rest@NAME.container": QUADLET,
    "/etc/containers/systemd/berth-auth@NAME.container": QUADLET,
    "/etc/containers/systemd/berth-meta@NAME.container": QUADLET,
    "/etc/berth/containers.env": OWN_FORMAT,
    "/etc/berth/projects/NAME/meta.env": "postgres-meta has no checker; its unit does not start and says why",
    "/usr/local/lib/berth/check-health": "a program, not settings",
    "/etc/berth/firewall.d/isolated.nft": "as meta.nft",
    "/etc/tmpfiles.d/berth.conf": "one constant line",
    "/usr/local/lib/berth/wait-ready": "a program, not settings",
    "/etc/berth/meta/meta.env": OWN_FORMAT,
    "/etc/berth/meta/crypto.key": "one word",
    "/etc/berth/firewall.d/meta.nft": "part of /etc/berth/firewall.nft, which nft loads as a whole or not at all",
    "/etc/berth/firewall.d/project-NAME.nft": "as meta.nft",
    "/etc/logrotate.d/berth-nginx": "logrotate skips a file that it cannot read and mails the reason",
    "/etc/postgresql-common/createcluster.conf": "read once, by the command that is run next",
    "/etc/postgresql-common/environment": "as createcluster.conf",
    "{{ _postgres_directory }}/conf.d/berth.conf": "PostgreSQL checks it when it starts, which the handler makes it do",
    "{{ _postgres_directory }}/postgresql.conf": "as berth.conf",
    "{{ _postgres_directory }}/pg_hba.conf": "PostgreSQL keeps the rules it has when the new ones are wrong",
    "{{ _postgres_directory }}/pg_ident.conf": "as pg_hba.conf",
    "{{ project_postgres_ident_file }}": "as pg_hba.conf",
    "{{ _postgres_dedicated_directory }}/conf.d/berth.conf": "as berth.conf of the host's cluster",
    "{{ _postgres_dedicated_directory }}/berth_hba.conf": "as pg_hba.conf",
    "{{ _postgres_dedicated_directory }}/berth_ident.conf": "as pg_hba.conf",
    "/etc/systemd/system/postgresql@{{ postgres_version }}-berth_DATABASE.service.d/berth.conf": UNITS,
    "{{ project_postgres_hba_file }}": "PostgreSQL keeps the rules it has when the new ones are wrong",
    "/etc/berth/postgres/ident.d/00-administrators.conf": "part of pg_ident.conf",
    "/etc/berth/postgres/ident.d/project-NAME.conf": "part of pg_ident.conf",
    "/etc/berth/postgres/hba.d/00-socket.conf": "part of pg_hba.conf",
    "/etc/berth/postgres/hba.d/project-NAME.conf": "part of pg_hba.conf",
    "/etc/berth/postgres/hba.d/zz-end.conf": "part of pg_hba.conf",
    "/etc/berth/projects/NAME/wake.env": OWN_FORMAT,
    "/etc/berth/projects/NAME/rest.conf": "PostgREST has no checker; its unit does not start and says why",
    "/etc/berth/projects/NAME/rest.env": "as rest.conf",
    "/etc/berth/controller/settings.env": "Berth checks it when it starts; its unit does not start and says why",
    "/etc/berth/controller/secrets.env": "as settings.env",
    "/etc/systemd/system/berth-controller-NAME.service": UNITS,
    "/etc/systemd/system/berth-controller-web.socket": UNITS,
    "/usr/local/sbin/berth-controller": "a program, not settings",
    "{{ _controller_home }}/.ssh/config": "ssh refuses a bad one, and the run says so",
    "{{ _controller_home }}/.ssh/id_berth": "a key, given",
    "{{ _controller_home }}/.ssh/known_hosts": "given",
    "{{ _controller_vault_password }}": "one word, given",
    "{{ controller_inventory }}.partial/": "files of one's own, which each run checks",
    "/etc/berth/projects/NAME/auth.env": "GoTrue has no checker; its unit does not start and says why",
}


def secret_modules() -> set[str]:
    """The modules of Berth that hide an option; file_tree hides only files that are marked, so it is none."""
    paths = (ROOT / "plugins" / "modules").glob("*.py")
    found = {f"berth.supabase.{path.stem}" for path in paths if '"no_log": True' in path.read_text()}
    return found - {"berth.supabase.file_tree"}


def secrets_of(role: str) -> set[str]:
    """The variables of a role that are marked as secret."""
    return {name for name, option in spec(role)["options"].items() if option.get("no_log")}


@pytest.mark.parametrize("role", ROLES)
def test_main_only_imports(role: str) -> None:
    main = directory(role) / "tasks" / "main.yml"
    others = [str(task) for task in tasks(role) if task.path == main and task.module not in IMPORTS]
    assert others == []


@pytest.mark.parametrize("role", ROLES)
def test_steps_carry_the_tag_of_their_role(role: str) -> None:
    main = directory(role) / "tasks" / "main.yml"
    assert [str(task) for task in tasks(role) if task.path == main and role not in task.fields["tags"]] == []


@pytest.mark.parametrize("role", ROLES)
def test_tasks_files_are_used(role: str) -> None:
    used = {task.arguments["file"] for task in tasks(role) if task.module in IMPORTS} | entries(role)
    there = {path.name for path in (directory(role) / "tasks").glob("*.yml")}
    assert used | {"main.yml"} == there


def entries(role: str) -> set[str]:
    """The tasks files of a role that playbooks begin with instead of main.yml."""
    plays = [play for path in (ROOT / "playbooks").glob("*.yml") for play in load(path)]
    verbs = ("ansible.builtin.import_role", "ansible.builtin.include_role")
    tasks = [task for play in plays for task in flat(play.get("tasks", []))]
    roles = [task[verb] for task in tasks for verb in verbs if verb in task]
    return {
        f"{found['tasks_from']}.yml"
        for found in roles
        if found["name"] == f"berth.supabase.{role}" and "tasks_from" in found
    }


def flat(tasks: list[dict]) -> list[dict]:
    """The tasks with those of their blocks."""
    inside = [task for block in tasks for part in ("block", "rescue", "always") for task in flat(block.get(part, []))]
    return [*tasks, *inside]


@pytest.mark.parametrize("role", ROLES)
def test_templates_are_used(role: str) -> None:
    used = {entry["template"] for task in tasks(role) for entry in rendered_by(task)}
    assert used == {str(path.relative_to(directory(role) / "templates")) for path in templates(role)}


@pytest.mark.parametrize("role", ROLES)
def test_files_are_used(role: str) -> None:
    text = "".join(path.read_text() for path in (directory(role) / "tasks").glob("*.yml"))
    there = [path.name for path in (directory(role) / "files").glob("*")]
    assert [name for name in there if f"src: {name}\n" not in text and f"'{name}'" not in text] == []


@pytest.mark.parametrize("role", ROLES)
def test_handlers_are_there_and_used(role: str) -> None:
    notified: set[str] = set()
    for task in tasks(role):
        wanted = task.fields.get("notify", [])
        notified |= {wanted} if isinstance(wanted, str) else set(wanted)
    handlers = {task.fields["name"] for task in tasks(role) if task.path.parent.name == "handlers"}
    assert notified == handlers


@pytest.mark.parametrize("role", ROLES)
def test_variables_that_are_read_are_the_role_s_own(role: str) -> None:
    own = set(defaults(role)) | set(role_variables(role)) | made_by_tasks(role)
    strangers = {str(task): sorted(read_by(task) - own - ANSIBLE - JINJA) for task in tasks(role)}
    strangers["vars"] = sorted(names_in(role_variables(role)) - own - ANSIBLE)
    strangers["defaults"] = sorted(names_in(load(directory(role) / "defaults" / "main.yml")) - own - ANSIBLE)
    assert {place: names for place, names in strangers.items() if names} == {}


def made_by_tasks(role: str) -> set[str]:
    """The variables that the tasks of a role set for each other."""
    made = set()
    for task in tasks(role):
        made |= set(task.fields.get("vars", {}))
        made |= {task.fields["register"]} if "register" in task.fields else set()
        made |= set(task.arguments) if task.module == "ansible.builtin.set_fact" else set()
    return made


@pytest.mark.parametrize("role", ROLES)
def test_variables_that_are_defined_are_read(role: str) -> None:
    defined = set(defaults(role)) | set(role_variables(role)) | made_by_tasks(role)
    read = set().union(*(read_by(task) for task in tasks(role)), names_in(role_variables(role)))
    read |= names_in(load(directory(role) / "defaults" / "main.yml"))
    assert defined - read == set()


@pytest.mark.parametrize("role", ROLES)
def test_secrets_reach_only_modules_that_hide_them(role: str) -> None:
    hiding = secret_modules() | {"ansible.builtin.assert"}
    seen = [task for task in tasks(role) if names_in(task.fields) & secrets_of(role)]
    assert [str(task) for task in seen if task.module not in hiding] == []


@pytest.mark.parametrize("role", ROLES)
def test_messages_tell_only_names_and_lengths_of_secrets(role: str) -> None:
    for task in (task for task in tasks(role) if "fail_msg" in task.arguments):
        for expression in re.findall(r"{{(.*?)}}", task.arguments["fail_msg"], re.DOTALL):
            harmless = re.sub(r"\w+(\.keys\(\)| \| length)", "", expression)
            assert [name for name in secrets_of(role) if name in harmless] == [], task


@pytest.mark.parametrize("role", ROLES)
def test_secret_files_are_closed_and_left_out_of_diffs(role: str) -> None:
    for entry in (entry for task in tasks(role) for entry in rendered_by(task)):
        source = directory(role) / "templates" / entry["template"]
        if names_in(source.read_text()) & secrets_of(role):
            assert (entry.get("mode"), entry.get("secret")) == ("0600", True), entry


@pytest.mark.parametrize("role", ROLES)
def test_files_that_a_daemon_reads_are_validated(role: str) -> None:
    unchecked = [path for task in tasks(role) if not task.arguments.get("validate") for path in written_by(task)]
    assert [path for path in unchecked if path not in NOT_VALIDATED] == []


def test_reasons_for_not_validating_are_of_files_that_are_written() -> None:
    unchecked = {
        path
        for role in ROLES
        for task in tasks(role)
        if not task.arguments.get("validate")
        for path in written_by(task)
    }
    assert set(NOT_VALIDATED) - unchecked == set()
