"""Defaults, argument specs and READMEs of the roles say the same."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from role_interface import ROLES, ROOT, defaults, options, spec

from berth.host_projects import derived
from berth.inventory import HostVars
from berth.models import Project

COMMANDS = Path(sys.executable).parent
TYPES = {"str", "int", "bool", "list", "dict", "path"}
SECRETS = {
    "controller": {"controller_database_url", "controller_environment"},
    "meta": {"meta_crypto_key"},
    "project": {"project_secrets"},
}


@pytest.mark.parametrize("role", ROLES)
def test_spec_names_the_variables_of_the_defaults(role: str) -> None:
    assert list(spec(role)["options"]) == list(defaults(role))


@pytest.mark.parametrize("role", ROLES)
def test_every_option_is_described_and_typed_and_leaves_its_default_to_the_defaults(role: str) -> None:
    assert spec(role)["short_description"]
    for name, option in options(role):
        assert option["type"] in TYPES, name
        assert option["description"].endswith("."), name
        assert "default" not in option, f"{name}: the default belongs into defaults/main.yml"
        assert (option["type"] == "list") == ("elements" in option), name


@pytest.mark.parametrize("role", ROLES)
def test_comment_above_each_default_is_the_description_in_the_spec(role: str) -> None:
    for name, default in defaults(role).items():
        assert default.comment == spec(role)["options"][name]["description"], name


@pytest.mark.parametrize("role", ROLES)
def test_options_that_hold_secrets_are_marked(role: str) -> None:
    marked = {name for name, option in spec(role)["options"].items() if option.get("no_log")}
    assert marked == SECRETS.get(role, set())


def test_spec_of_projects_takes_what_the_declarations_give() -> None:
    project = Project(name="blog", number=1, host="alpha", architecture="shared")
    given = derived(project, HostVars("alpha", "http://alpha", "alpha:5432", None))
    found = {path.removeprefix("project_projects[].") for path, _ in options("project") if "[]." in path}
    assert found == set(_paths(given))


def _paths(values: dict, above: str = "") -> list[str]:
    paths = []
    for name, value in values.items():
        paths.append(above + name)
        if isinstance(value, dict):
            paths += _paths(value, f"{above}{name}.")
    return paths


def test_readmes_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "role_readmes.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_examples_of_the_readmes_are_playbooks(tmp_path: Path) -> None:
    examples = []
    for role in ROLES:
        text = (ROOT / "roles" / role / "README.md").read_text()
        found = re.search(r"## Example\n\n```yaml\n(.*?)```", text, re.DOTALL)
        assert found, f"roles/{role}/README.md has no example"
        assert f"role: berth.supabase.{role}\n" in found[1]
        examples.append(tmp_path / f"{role}.yml")
        examples[-1].write_text(found[1])
    done = subprocess.run(
        [COMMANDS / "ansible-playbook", "--syntax-check", "-i", "localhost,", *examples],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
