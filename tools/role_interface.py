"""The public variables of the roles, as their defaults and argument specs say it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())

_BLOCK = re.compile(r"((?:^#.*\n)*)^(\w+):", re.MULTILINE)


@dataclass(frozen=True)
class Default:
    """A variable of defaults/main.yml: the comment above it, an example in that comment, and its value."""

    comment: str
    example: str
    value: Any


def defaults(role: str) -> dict[str, Default]:
    """The variables of a role in the order of the file; an empty comment where there is none above the variable."""
    text = (ROOT / "roles" / role / "defaults" / "main.yml").read_text()
    values = yaml.safe_load(text)
    return {name: Default(*_comment(block), values[name]) for block, name in _BLOCK.findall(text)}


def _comment(block: str) -> tuple[str, str]:
    """The sentence and the example of a comment; an example follows a line that ends in a colon."""
    lines = [line.removeprefix("#").removeprefix(" ") for line in block.splitlines()]
    end = next((number for number, line in enumerate(lines, 1) if line.endswith(":")), len(lines))
    sentence = " ".join(lines[:end])
    return re.sub(":$", ".", sentence), "\n".join(lines[end:])


def spec(role: str) -> dict[str, Any]:
    """The argument spec of a role's entry point main."""
    return yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]


def options(role: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All options of a role with those inside of them, as dotted paths."""
    yield from _options(spec(role)["options"], "")


def _options(found: dict[str, Any], above: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, option in found.items():
        yield f"{above}{name}", option
        inside = "[]." if option["type"] == "list" else "."
        yield from _options(option.get("options", {}), f"{above}{name}{inside}")


def meta(role: str) -> dict[str, Any]:
    """The galaxy_info of a role."""
    return yaml.safe_load((ROOT / "roles" / role / "meta" / "main.yml").read_text())["galaxy_info"]
