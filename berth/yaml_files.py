"""YAML read strictly: one mapping per file, no key twice."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from berth.errors import BerthError


class InvalidYaml(BerthError):
    """A file that is not one plain YAML mapping, with the reason."""


class _StrictLoader(yaml.SafeLoader):
    """A SafeLoader that refuses a repeated key, where PyYAML keeps the last one in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else []:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key in seen:
                line = key_node.start_mark.line + 1
                raise InvalidYaml(f"{key}: found a second time in line {line}, allowed: once; remove one")
            if key is not None:
                seen.add(key)
        return super().construct_mapping(node, deep)


class _ShapeLoader(_StrictLoader):
    """A loader to which a value with a tag such as !vault is None."""


_ShapeLoader.add_multi_constructor("!", lambda loader, tag, node: None)


def parse_mapping(text: str, loader: type[yaml.SafeLoader] = _StrictLoader) -> dict[str, Any]:
    """The one mapping of a YAML text; raise InvalidYaml."""
    try:
        loaded = yaml.load(text, Loader=loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        raise InvalidYaml(f"not readable as YAML{_place(error)}: {error.problem}; correct the file") from error
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # PyYAML lets plain Python errors out, for instance for the date 2024-13-45
        reason = " ".join(str(error).split())
        raise InvalidYaml(f"not readable as YAML: {reason}; correct the file") from error
    if loaded is None:
        raise InvalidYaml("the file is empty, allowed: a mapping such as 'name: blog'; fill or remove it")
    if not isinstance(loaded, dict) or not all(isinstance(key, str) for key in loaded):
        raise InvalidYaml("allowed: a mapping such as 'name: blog', with text as keys; correct the file")
    return loaded


def read_mapping(path: Path) -> dict[str, Any]:
    """The one mapping of a YAML file; raise InvalidYaml, also when the file cannot be read."""
    return parse_mapping(_text(path))


def read_shape(path: Path) -> dict[str, Any]:
    """The one mapping of a YAML file, values with tags as None; raise InvalidYaml."""
    return parse_mapping(_text(path), _ShapeLoader)


def require_syntax(path: Path) -> None:
    """Return when the file is one YAML document, with any tags such as !vault; raise InvalidYaml."""
    try:
        yaml.compose(_text(path), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise InvalidYaml(f"not readable as YAML{_place(error)}: {error.problem}; correct the file") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidYaml(f"not UTF-8 text (byte {error.start}); save the file as UTF-8") from error
    except OSError as error:
        raise InvalidYaml(f"not readable: {error.strerror}; correct its permissions") from error


def _place(error: yaml.MarkedYAMLError) -> str:
    return f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
