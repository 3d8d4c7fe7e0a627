"""Changes to a YAML file that a person wrote: comments, order, quotes and indentation stay."""

import copy
import io
import re
from collections.abc import Mapping
from typing import Any

import yaml
from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tokens import CommentToken

from berth.yaml_files import InvalidYaml, parse_mapping

KeyPath = tuple[str, ...]

_START = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*---[ \t]*\n")
_FIRST_NESTED_KEY = re.compile(
    r"^[A-Za-z_]+:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( +)[A-Za-z_]+:", re.MULTILINE
)
_FIRST_NESTED_ITEM = re.compile(r"^[A-Za-z_]+:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)- ", re.MULTILINE)


def compose(values: Mapping[str, Any]) -> str:
    """The text of a new file with these keys in this order, lists and sections each on one line."""
    return "---\n" + _dump(CommentedMap((key, _node(value)) for key, value in values.items()), _writer(""))


def edit(text: str, changes: Mapping[KeyPath, Any]) -> str:
    """The text with each change made and all else as it was; None removes a key; raise InvalidYaml."""
    expected = parse_mapping(text)
    for path, value in changes.items():
        _set_plain(expected, path, copy.deepcopy(value))
    start = match[0] if (match := _START.match(text)) else ""
    writer = _writer(text)
    try:
        document = writer.load(text[len(start) :])
        for path, value in changes.items():
            _set(document, path, value)
        edited = start + _dump(document, writer)
    except YAMLError as error:
        reason = " ".join(str(error).split())
        raise InvalidYaml(f"cannot be changed by a command: {reason}; edit the file by hand") from error
    if parse_mapping(edited) != expected:
        raise InvalidYaml("cannot be changed by a command without changing more of it; edit the file by hand")
    return edited


def _writer(text: str) -> YAML:
    writer = YAML()
    writer.preserve_quotes = True
    writer.width = 1 << 20
    mapping = len(match[1]) if (match := _FIRST_NESTED_KEY.search(text)) else 2
    offset = len(match[1]) if (match := _FIRST_NESTED_ITEM.search(text)) else 2
    writer.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    return writer


def _dump(document: CommentedMap, writer: YAML) -> str:
    stream = io.StringIO()
    writer.dump(document, stream)
    return stream.getvalue()


def _node(value: Any) -> Any:
    """The value as ruamel writes it: collections on one line, text in quotes where YAML 1.1 reads something else."""
    if isinstance(value, Mapping):
        node = CommentedMap((key, _node(item)) for key, item in value.items())
    elif isinstance(value, list | tuple):
        node = CommentedSeq(_node(item) for item in value)
    elif isinstance(value, str):
        plain = str.__str__(value)  # Ansible gives subclasses of str
        return plain if _is_plain(plain) else DoubleQuotedScalarString(plain)
    else:
        return value
    node.fa.set_flow_style()
    return node


def _is_plain(value: str) -> bool:
    try:
        return yaml.safe_load(f"[{value}]") == [value]
    except (yaml.YAMLError, ValueError):
        return False


def _set_plain(values: dict[str, Any], path: KeyPath, value: Any) -> None:
    *sections, key = path
    for section in sections:
        if value is None and section not in values:
            return
        values = values.setdefault(section, {})
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value


def _set(values: CommentedMap, path: KeyPath, value: Any) -> None:
    *sections, key = path
    for section in sections:
        if section not in values:
            if value is None:
                return
            _add(values, section, _node({}))
        values = values[section]
    if value is None:
        if key in values:
            _remove(values, key)
    elif key not in values:
        _add(values, key, _node(value))
    elif isinstance(values[key], CommentedSeq) and isinstance(value, list) and values[key]:
        _set_items(values, key, value)
    else:
        tail = _take_tail(values, key)
        values[key] = _node(value)
        _give_tail(values, key, tail)


def _set_items(parent: CommentedMap, key: str, wanted: list[Any]) -> None:
    """Replace one item, or remove and append one by one, so that the comments of those that stay stay with them."""
    items: CommentedSeq = parent[key]
    kept = [item for item in items if item in wanted]
    tail = _take_tail(parent, key)
    differing = [place for place, (has, new) in enumerate(zip(items, wanted, strict=False)) if has != new]
    if len(items) == len(wanted) and len(differing) == 1:
        items[differing[0]] = _node(wanted[differing[0]])
    elif kept == wanted[: len(kept)]:
        for index in reversed(range(len(items))):
            if items[index] not in wanted:
                del items[index]
        items.extend(_node(item) for item in wanted[len(kept) :])
    if list(items) != wanted or not items:
        parent[key] = _node(wanted)
    _give_tail(parent, key, tail)


def _add(values: CommentedMap, key: str, node: Any) -> None:
    last = next(reversed(values), None)
    tail = _take_tail(values, last) if last is not None else ""
    values[key] = node
    _give_tail(values, key, tail)


def _remove(values: CommentedMap, key: str) -> None:
    tail = _take_tail(values, key)
    keys = list(values)
    position = keys.index(key)
    del values[key]
    values.ca.items.pop(key, None)
    if position:
        _give_tail(values, keys[position - 1], tail)
    elif comments := [line.strip().removeprefix("#").strip() for line in tail.splitlines() if line.strip()]:
        values.yaml_set_comment_before_after_key(keys[1], before="\n".join(comments))


# ruamel keeps the lines between two entries with the deepest last value before them: the "tail" of that entry.


def _slot(container: CommentedMap | CommentedSeq, key: str | int) -> tuple[dict[Any, list[Any]], Any, int]:
    value = container[key]
    if isinstance(value, CommentedMap | CommentedSeq) and value and not value.fa.flow_style():
        return _slot(value, next(reversed(value)) if isinstance(value, CommentedMap) else len(value) - 1)
    return container.ca.items, key, 2 if isinstance(container, CommentedMap) else 0


def _take_tail(container: CommentedMap, key: str) -> str:
    comments, owner, position = _slot(container, key)
    token = comments.get(owner, [None] * 4)[position]
    if token is None:
        return ""
    same_line, _, tail = token.value.partition("\n")
    if same_line:
        token.value = f"{same_line}\n"
    else:
        comments[owner][position] = None
    return tail


def _give_tail(container: CommentedMap, key: str, tail: str) -> None:
    if not tail:
        return
    comments, owner, position = _slot(container, key)
    slots = comments.setdefault(owner, [None] * 4)
    before = slots[position].value if slots[position] else "\n"
    slots[position] = CommentToken(
        before + tail, CommentMark(slots[position].start_mark.column if slots[position] else 0), None
    )
