"""What people typed into the forms of projects, as values of a declaration."""

import re
from collections.abc import Collection
from typing import Any

from pydantic import BaseModel
from werkzeug.datastructures import MultiDict

from berth.errors import BerthError
from berth.models import Project
from berth.names import InvalidName
from berth.yaml_files import InvalidYaml, parse_mapping

# what a page lets people change, as key path -> what stands beside the field
CHANGEABLE = ("idle_timeout", "limits", "rest", "auth")
ADDED = ("name", "architecture", "database", "host", "domains", "idle_timeout")
_PROBLEM = re.compile(r"([a-z_.]+)(?:\[\d+\])?: (.+)")


class BadField(BerthError):
    """Something typed that cannot be a value."""


def added(form: MultiDict[str, str]) -> dict[str, Any]:
    """The values for an add; a field left empty gets its default."""
    return {
        "host": form.get("host", ""),
        "architecture": form.get("architecture", "shared"),
        "database": None if form.get("database", "") in ("", "shared") else form["database"],
        "domains": words(form.get("domains", "")),
        "idle_timeout": form.get("idle_timeout", "").strip() or None,
    }


def changed(form: MultiDict[str, str], project: Project) -> dict[str, Any]:
    """The keys whose values differ from the declaration; an emptied field gets its default."""
    changes: dict[str, Any] = {}
    for key, (value, _) in fields(project).items():
        typed = form.get(key)
        if typed is not None and typed.strip() != value:
            changes[key] = _parsed(key, typed.strip()) if typed.strip() else None
    return changes


def fields(project: Project) -> dict[str, tuple[str, str]]:
    """The changeable keys with their value as one types it and the rule that it must keep."""
    found = {}
    for name in CHANGEABLE:
        field, value = Project.model_fields[name], getattr(project, name)
        if isinstance(value, BaseModel):
            for key, inner in type(value).model_fields.items():
                found[f"{name}.{key}"] = (_typed(getattr(value, key)), inner.description or "")
        else:
            found[name] = (_typed(value), field.description or "")
    return found


def problems(error: BerthError, fields: Collection[str]) -> dict[str, str]:
    """What an error says of each field that it names; what is about none of these stands under the empty name."""
    if isinstance(error, InvalidName) and "name" in fields:
        return {"name": f"{error.rule}; {error.remedy}"}
    said: dict[str, list[str]] = {}
    for line in str(error).splitlines():
        match = _PROBLEM.fullmatch(line)
        key, text = match.groups() if match and match[1] in fields else ("", line)
        said.setdefault(key, []).append(text)
    return {key: "\n".join(lines) for key, lines in said.items()}


def words(text: str) -> list[str]:
    """What is separated by spaces, commas or line ends."""
    return text.replace(",", " ").split()


def _typed(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _parsed(key: str, text: str) -> Any:
    try:
        return parse_mapping(f"value: {text}")["value"]
    except (InvalidYaml, KeyError) as error:
        raise BadField(f"{key}: found {text!r}: {error}") from error
