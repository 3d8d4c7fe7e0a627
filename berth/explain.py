"""What pydantic found wrong with a declaration, told to the person who wrote it."""

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 80
_brief.maxlevel = 2


def found(value: object) -> str:
    """A value as the messages show it: quoted, on one line, 80 characters at most."""
    try:
        return _brief.repr(value)
    except ValueError:  # Python refuses to print a whole number of more than 4300 digits
        return "a very long number"


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line per problem: field, value found, what is allowed, what to do."""
    return [_explain_one(problem, model) for problem in error.errors(include_url=False)]


def unknown_key(path: str, key: str, known: Iterable[str]) -> str:
    """The problem of a key that does not exist, with the nearest one that does."""
    names = sorted(known)
    near = difflib.get_close_matches(key, names, n=1)
    remedy = f"did you mean {near[0]}?" if near else "remove it"
    return f"{path}: unknown key, allowed: {', '.join(names)}; {remedy}"


def _explain_one(problem: dict[str, Any], model: type[BaseModel]) -> str:
    loc = problem["loc"]
    kind = problem["type"]
    remedy = problem.get("ctx", {}).get("remedy")
    if not loc or (kind == "refused" and isinstance(problem["input"], dict)):
        return remedy or f"found {found(problem['input'])}, allowed: a mapping; correct the value"
    if kind == "literal_error" and loc[-1] == "[key]" and _is_dictionary(around := _section(loc[:-2], model)):
        return unknown_key(_path(loc[:-1]), str(loc[-2]), get_args(get_args(around)[0]))
    path = _path(loc)
    if kind in ("extra_forbidden", "invalid_key"):
        return unknown_key(path, str(loc[-1]), _section(loc[:-1], model).model_fields)
    allowed = _allowed(loc, model)
    if kind == "missing":
        return f"{path}: missing, allowed: {allowed}; add it"
    return f"{path}: found {found(problem['input'])}, allowed: {allowed}; {remedy or _remedy(kind, problem['input'])}"


def _path(loc: tuple[str | int, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{_printable(part)}" for part in loc]
    return "".join(parts).removeprefix(".")


def _printable(key: str) -> str:
    return key if key.isprintable() and key and len(key) <= 80 else found(key)


def _section(loc: tuple[str | int, ...], model: type[BaseModel]) -> type[BaseModel]:
    """The model that a place is in; the second part of a place in a dictionary is the key."""
    annotation: Any = model
    for part in loc:
        annotation = get_args(annotation)[1] if _is_dictionary(annotation) else annotation.model_fields[part].annotation
    return annotation


def _is_dictionary(annotation: Any) -> bool:
    return get_origin(annotation) is dict


def _allowed(loc: tuple[str | int, ...], model: type[BaseModel]) -> str:
    around = _section(loc[:-1], model)
    if _is_dictionary(around):
        return f"a mapping with the keys {', '.join(get_args(around)[1].model_fields)}"
    if isinstance(loc[-1], int):
        field = _section(loc[:-2], model).model_fields[loc[-2]]
        return _item_description(field) or field.description
    field = around.model_fields[loc[-1]]
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return f"{field.description} with the keys {', '.join(field.annotation.model_fields)}"
    return field.description


def _item_description(field: FieldInfo) -> str | None:
    item = get_args(field.annotation)[0]
    return next((extra.description for extra in item.__metadata__ if isinstance(extra, FieldInfo)), None)


def _remedy(kind: str, value: object) -> str:
    if value is None:
        return "give a value or remove the line"
    if isinstance(value, bool) and kind in ("string_type", "literal_error"):
        return "YAML reads yes, no, on and off as true and false: put the word in quotes"
    if kind == "int_type" and isinstance(value, str) and value.isascii() and value.isdigit():
        return "remove the quotes"
    if kind == "list_type" and isinstance(value, str):
        return "put it in square brackets"
    if kind == "bool_type" and isinstance(value, str):
        return "write true or false without quotes"
    return "correct the value"
