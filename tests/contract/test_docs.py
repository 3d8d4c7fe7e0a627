"""The pages say what the code does: declarations, errors, targets, links, pictures."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from berth.models import Project

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *REPOSITORY.glob("docs/**/*.md"),
        *REPOSITORY.glob("inventory/example*/*.md"),
    ]
)
PICTURES = sorted(REPOSITORY.glob("docs/images/*.svg"))
DECISIONS = sorted(path.name for path in REPOSITORY.glob("docs/decisions/*.md"))


def text(page: str) -> str:
    """Return the text of a page."""
    return (REPOSITORY / page).read_text(encoding="utf-8")


def table(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the table whose first heading is this one, cell by cell."""
    lines = iter(text(page).splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def kind(annotation: Any) -> str:
    """Return the word of the page for the type of a field."""
    words = {bool: "true or false", int: "whole number", str: "text", list: "list"}
    origin = get_origin(annotation)
    if origin is Literal:
        return "text"
    if origin in (list, dict):
        return {list: "list", dict: "mapping"}[origin]
    if origin in (UnionType, Union):
        return kind(next(part for part in get_args(annotation) if part is not type(None)))
    if origin is Annotated:
        return kind(get_args(annotation)[0])
    return words[annotation]


def default(field: FieldInfo) -> str:
    """Return a field's default as the page shows it, without quotes."""
    if field.is_required():
        return "required"
    return "none" if field.default is None else f"`{json.dumps(field.default)}`".replace('"', "")


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[list[str]]:
    """Give key, type, what is allowed and default of every field, those of sections by their full name."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{prefix}{name}.")
        else:
            yield [f"`{prefix}{name}`", kind(field.annotation), field.description or "", default(field)]


def test_page_of_projects_has_every_key_of_the_model() -> None:
    rows = table("docs/projects.md", "Key")
    assert [row[:4] for row in rows] == list(fields(Project))
    assert all(row[4] for row in rows)


@pytest.mark.parametrize("page", ["docs/projects.md", "README.md"])
def test_declarations_on_pages_are_sound(page: str) -> None:
    blocks = re.findall(r"^(name: .+?)(?=^```|^END)", text(page), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        Project.model_validate(yaml.safe_load(block))


def test_page_of_the_gateway_has_every_error() -> None:
    templates = "".join(path.read_text() for path in (REPOSITORY / "roles/nginx/templates").glob("*.j2"))
    sent = set(re.findall(r"return (\d+) '\{\"code\":\"(\w+)\"", templates))
    sent |= set(re.findall(r"\('\w+', (\d+), '(\w+)'", templates))
    assert sent
    assert {(status, code.strip("`")) for status, code, _ in table("docs/gateway.md", "Status")} == sent


def test_readme_has_every_target_of_make() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", text("Makefile"), re.MULTILINE))
    assert {row[0].strip("`").split()[1] for row in table("README.md", "Target")} == targets - {"help"}


def test_index_has_every_page_and_decision() -> None:
    index = text("docs/README.md")
    pages = [path.name for path in REPOSITORY.glob("docs/*.md") if path.name != "README.md"]
    assert [name for name in [*pages, *DECISIONS] if name not in index] == []


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(name[:3]) for name in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    content = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", content)
    local = [link.partition("#") for link in links if not re.match(r"[a-z]+:", link)]
    missing = [target for target, _, _ in local if target and not (page.parent / unquote(target)).exists()]
    assert missing == []
    for target, _, anchor in local:
        if anchor:
            headings = re.findall(r"^#+ (.+)$", (page.parent / target).read_text() if target else content, re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_pages_load_nothing_from_elsewhere(page: Path) -> None:
    assert re.findall(r"!\[[^\]]*\]\([a-z]+:[^)]*\)|<img", page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_pictures_are_self_contained_and_fit_both_colour_schemes(picture: Path) -> None:
    root = ElementTree.parse(picture).getroot()  # noqa: S314 - a file of this repository
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    attributes = [value for element in root.iter() for key, value in element.attrib.items() if key.endswith("href")]
    style = "".join(element.text or "" for element in root.iter() if element.tag.endswith("style"))
    assert names.isdisjoint({"image", "script", "foreignObject", "use"})
    assert attributes == []
    assert "prefers-color-scheme: dark" in style
    assert "@import" not in style
    assert {"title", "desc"} <= names
