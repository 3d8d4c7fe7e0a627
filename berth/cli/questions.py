"""What people give to the commands: answers at a terminal, and key=value."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import typer

from berth.errors import BerthError
from berth.yaml_files import InvalidYaml, parse_mapping

SHARED = "shared"


class BadInput(BerthError):
    """An argument that says nothing usable, with the remedy."""


@dataclass(frozen=True)
class Wanted:
    """What `berth add` was told of a project; None where nothing was said."""

    name: str | None
    host: str | None = None
    architecture: str | None = None
    database: str | None = None
    domains: list[str] | None = None
    idle_timeout: str | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What the store takes to declare it."""
        return vars(self) | {"architecture": self.architecture or SHARED}


def ask_for_missing(
    wanted: Wanted,
    hosts: list[str],
    may_ask: bool,
    check: Callable[[Wanted], object],
    suggest: Callable[[Wanted], str | None],
) -> Wanted:
    """What was wanted with a name and a host, all that is missing asked for where a person is there; raise BerthError.

    An answer that `check` refuses is asked for again, in the words of the refusal. Of several hosts, `suggest` gives
    the one for the project: proposed to a person, taken where nobody is there.
    """
    first = hosts[0]
    if wanted.name is None:
        if not may_ask:
            raise BadInput("name: missing; give it after berth add")
        wanted = replace(wanted, name=_ask("Name of the project", lambda name: check(Wanted(name, first))))
    if may_ask:
        # what was given cannot be asked for again
        check(replace(wanted, host=wanted.host or first))
        wanted = _ask_for_kind(wanted, lambda kind: check(replace(kind, host=first)))
    if wanted.host is None and len(hosts) == 1:
        wanted = replace(wanted, host=first)
    if wanted.host is None:
        wanted = replace(wanted, host=suggest(wanted))
        if may_ask:
            question = f"Host ({', '.join(hosts)})"
            host = _ask(question, lambda host: check(replace(wanted, host=host)), default=wanted.host)
            wanted = replace(wanted, host=host)
    if wanted.domains is None and may_ask:
        question = "Domains, with spaces between (none: just press Enter)"
        answer = _ask(question, lambda text: check(replace(wanted, domains=_words(text))), default="", shown=False)
        wanted = replace(wanted, domains=_words(answer))
    return wanted


def _ask_for_kind(wanted: Wanted, check: Callable[[Wanted], object]) -> Wanted:
    if wanted.architecture is None:
        answer = _ask(
            "Architecture (shared, isolated)", lambda kind: check(replace(wanted, architecture=kind)), default=SHARED
        )
        wanted = replace(wanted, architecture=answer)
    if wanted.architecture != SHARED and wanted.database is None:
        kind = _ask("Database (shared, dedicated)", lambda kind: check(replace(wanted, database=kind)), default=SHARED)
        wanted = replace(wanted, database=None if kind == SHARED else kind)
    return wanted


def _ask(question: str, check: Callable[[str], object], default: str | None = None, shown: bool = True) -> str:
    def checked(answer: str) -> str:
        try:
            check(answer)
        except BerthError as error:
            raise typer.BadParameter(str(error)) from error
        return answer

    return typer.prompt(question, default=default, show_default=shown, value_proc=checked)


def _words(answer: str) -> list[str]:
    return answer.replace(",", " ").split()


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
