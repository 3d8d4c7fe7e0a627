"""What people give to the commands: answers at a terminal, and key=value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer

from berth.errors import BerthError
from berth.yaml_files import InvalidYaml, parse_mapping


class BadInput(BerthError):
    """An argument that says nothing usable, with the remedy."""


@dataclass(frozen=True)
class Asked:
    """What `berth add` must know."""

    name: str
    host: str | None
    domains: list[str]


def ask_for_missing(
    name: str | None,
    host: str | None,
    domains: list[str] | None,
    hosts: list[str],
    may_ask: bool,
    suggest: Callable[[str], str | None] = lambda name: None,
) -> Asked:
    """What was given, the rest asked for where a person is there to answer; raise BadInput without a name elsewhere.

    Of several hosts, `suggest` gives the one for the project's name: proposed to a person, taken where nobody is there.
    """
    if name is None:
        if not may_ask:
            raise BadInput("name: missing; give it after berth add")
        name = typer.prompt("Name of the project")
    if host is None and len(hosts) == 1:
        host = hosts[0]
    if host is None:
        host = suggest(name)
        if may_ask:
            host = typer.prompt(f"Host ({', '.join(hosts)})", default=host)
    if domains is None and may_ask:
        answer = typer.prompt("Domains, with spaces between (none: just press Enter)", default="", show_default=False)
        domains = answer.replace(",", " ").split()
    return Asked(name, host, domains or [])


def assignments(texts: list[str]) -> dict[str, Any]:
    """The values by key of texts such as limits.connections=50, read as YAML; raise BadInput."""
    values: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals or not value.strip():
            raise BadInput(f"found {text!r}, allowed: key=value such as limits.connections=50, null for the default")
        if key in values:
            raise BadInput(f"{key}: given twice; give it once")
        values[key] = _parse(key, value)
    return values


def _parse(key: str, value: str) -> Any:
    try:
        parsed = parse_mapping(f"value: {value}")
    except InvalidYaml as error:
        raise BadInput(f"{key}: found {value!r}: {error}") from error
    if set(parsed) != {"value"}:
        raise BadInput(f"{key}: found {value!r}, allowed: one value in YAML; correct it")
    return parsed["value"]
