"""The plugins are documented, in a form that ansible-doc renders, and do what their documentation says they take."""

import importlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from role_interface import ROLES, ROOT, options

MODULES = tuple(sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")))
FILTERS = tuple(sorted(path.stem for path in (ROOT / "plugins" / "filter").glob("*.py")))
ACTIONS = {path.stem for path in (ROOT / "plugins" / "action").glob("*.py")}
COMPARED = ("required", "choices", "default", "elements")


@cache
def documentation(kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what ansible-doc makes of plugins or roles, by their short names."""
    done = subprocess.run(
        [
            Path(sys.executable).parent / "ansible-doc",
            *("-t", kind, "--json"),
            *(f"berth.supabase.{name}" for name in names),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "WARNING" not in done.stderr, done.stderr
    return {name.removeprefix("berth.supabase."): found for name, found in json.loads(done.stdout).items()}


def undescribed(found: dict[str, Any]) -> list[str]:
    """Return the options without a description, however deep."""
    inner = [name for option in found.values() for name in undescribed(option.get("suboptions") or {})]
    return [name for name, option in found.items() if not option.get("description")] + inner


@pytest.mark.parametrize(("kind", "names"), [("module", MODULES), ("filter", FILTERS)])
def test_plugins_are_documented(kind: str, names: tuple[str, ...]) -> None:
    found = documentation(kind, names)
    assert sorted(found) == list(names)
    for name, parts in found.items():
        assert parts["doc"]["short_description"], name
        assert parts["doc"]["description"], name
        assert undescribed(parts["doc"].get("options") or {}) == [], name
        assert f"berth.supabase.{name}" in parts["examples"], name
        source = (ROOT / "plugins" / kind.replace("module", "modules") / f"{name}.py").read_text()
        assert "\nRETURN = " in source, name


def test_every_action_has_a_documented_module() -> None:
    assert set(MODULES) >= ACTIONS


def test_roles_are_documented() -> None:
    found = documentation("role", tuple(ROLES))
    for role in ROLES:
        top = {path for path, _ in options(role) if "." not in path}
        assert set(found[role]["entry_points"]["main"]["options"]) == top


class SpecTaken(Exception):
    """Carries the argument spec out of a module."""


def argument_spec(module: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the argument spec that a module gives to AnsibleModule."""

    def take(argument_spec: dict[str, Any], **_: object) -> None:
        raise SpecTaken(argument_spec)

    code = importlib.import_module(f"ansible_collections.berth.supabase.plugins.modules.{module}")
    monkeypatch.setattr(code, "AnsibleModule", take)
    with pytest.raises(SpecTaken) as taken:
        code.main()
    return taken.value.args[0]


def shape(found: dict[str, Any], inner: str) -> dict[str, Any]:
    """Return the comparable part of options, from documentation (suboptions) or from an argument spec (options)."""
    return {
        name: {key: option[key] for key in COMPARED if option.get(key) not in (None, False)}
        | {"type": option.get("type", "str"), "inner": shape(option.get(inner) or {}, inner)}
        for name, option in found.items()
    }


@pytest.mark.parametrize("module", sorted(set(MODULES) - ACTIONS))
def test_documentation_is_the_argument_spec(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    documented = documentation("module", MODULES)[module]["doc"]["options"]
    assert shape(documented, "suboptions") == shape(argument_spec(module, monkeypatch), "options")
