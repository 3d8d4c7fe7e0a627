"""The files of the roles as data: tasks, the variables they read, the files they write."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, meta
from role_interface import ROOT

EXPRESSIONS = {"when", "changed_when", "failed_when", "until", "that"}
IMPORTS = {f"ansible.builtin.{verb}_{what}" for verb in ("import", "include") for what in ("tasks", "role")}
WRITERS = {
    "ansible.builtin.template": "dest",
    "ansible.builtin.copy": "dest",
    "ansible.builtin.blockinfile": "path",
    "ansible.builtin.lineinfile": "path",
}


class AnyName(dict):
    """Stands for a table of filters or tests that knows every name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        return str

    def get(self, name: str, default: Any = None) -> Any:
        """Return a filter for any name."""
        return str


JINJA = Environment()  # noqa: S701 - nothing is rendered with it
JINJA.filters = AnyName()
JINJA.tests = AnyName()


@dataclass(frozen=True)
class Task:
    """A task of a role with the file that it is in."""

    role: str
    path: Path
    fields: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}: {self.fields['name']}"

    @property
    def module(self) -> str:
        """The full name of the module, the only key with a dot."""
        return next(key for key in self.fields if "." in key)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the module; a single word, as import_tasks takes it, is its file."""
        found = self.fields[self.module] or {}
        return {"file": found} if isinstance(found, str) else found


def directory(role: str) -> Path:
    """Where a role is."""
    return ROOT / "roles" / role


def load(path: Path) -> Any:
    """What a YAML file holds; an empty mapping where there is no such file."""
    return (yaml.safe_load(path.read_text()) if path.exists() else None) or {}


@cache
def tasks(role: str) -> tuple[Task, ...]:
    """All tasks and handlers of a role."""
    paths = [path for part in ("tasks", "handlers") for path in sorted((directory(role) / part).glob("*.yml"))]
    return tuple(Task(role, path, fields) for path in paths for fields in load(path))


def role_variables(role: str) -> dict[str, Any]:
    """What vars/main.yml defines."""
    return load(directory(role) / "vars" / "main.yml")


def templates(role: str) -> list[Path]:
    """All templates of a role."""
    return sorted(path for path in (directory(role) / "templates").rglob("*") if path.is_file())


def names_in(value: Any, key: str = "") -> set[str]:
    """The variables that a value reads, however deep in it."""
    if isinstance(value, dict):
        return set().union(*(names_in(inner, name) for name, inner in value.items()))
    if isinstance(value, list):
        return set().union(*(names_in(inner, key) for inner in value))
    if not isinstance(value, str):
        return set()
    text = f"{{{{ {value} }}}}" if key in EXPRESSIONS else value
    return meta.find_undeclared_variables(JINJA.parse(text))


def rendered_by(task: Task) -> list[dict[str, Any]]:
    """The files that a task renders from templates: dictionaries with template and path."""
    if task.module == "ansible.builtin.template":
        return [{"template": task.arguments["src"], "path": task.arguments["dest"]}]
    if task.module != "berth.supabase.file_tree":
        return []
    files = task.arguments["files"]
    if isinstance(files, str):
        variables = role_variables(task.role)
        named = names_in(files)
        named |= names_in([variables.get(name) for name in named])
        lists = [variables[name] for name in sorted(named) if isinstance(variables.get(name), list)]
        return [entry["file"] for entries in lists for entry in entries]
    return files


def written_by(task: Task) -> Iterator[str]:
    """The paths that a task writes on the host."""
    if task.module in WRITERS:
        yield task.arguments[WRITERS[task.module]]
    elif task.module == "berth.supabase.file_tree":
        yield from (entry["path"] for entry in rendered_by(task))
    elif task.module == "berth.supabase.assembled_files":
        yield from (entry["path"] for entry in task.arguments["files"])


def read_by(task: Task) -> set[str]:
    """The variables that a task reads, also in the templates it renders."""
    names = names_in(task.fields)
    for entry in rendered_by(task):
        names |= names_in((directory(task.role) / "templates" / entry["template"]).read_text())
    return names
