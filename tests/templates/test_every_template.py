"""What holds for every template: it renders, and a person who reads the file on the host learns who wrote it."""

import pytest
from ansible_plugins import ROOT
from rendering import MANAGED, project, project_variables, render, variables

TEMPLATES = [
    (path.parent.parent.name if path.parent.name == "templates" else path.parents[2].name, path)
    for path in sorted((ROOT / "roles").glob("*/templates/**/*.j2"))
]
SECRET_WORD = "crypto.key.j2"
OWN = project("my-blog", architecture="isolated", database="dedicated")
GIVEN = {
    "postgres": {"item": OWN | {"connections": 20, "allowed_cidrs": []}},
    "project": project_variables(project("my-blog", domains=["a.example.com"])),
    "controller": {"item": variables("controller")["_controller_units"][0]},
}


@pytest.mark.parametrize(("role", "path"), TEMPLATES, ids=lambda value: getattr(value, "name", value))
def test_template_renders_and_says_who_wrote_it(role: str, path: object) -> None:
    template = str(path.relative_to(ROOT / "roles" / role / "templates"))
    text = render(role, template, **GIVEN.get(role, {}))
    assert "{{" not in text
    assert "{%" not in text
    if path.name == SECRET_WORD:
        return
    assert text.startswith(f"# {MANAGED}\n")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
