"""Templates of the roles as Ansible renders them, from the real defaults and a scenario."""

from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_plugins import ROOT

from berth.host_projects import derived, for_services
from berth.inventory import HostVars
from berth.models import Project
from berth.project_secrets import ProjectSecrets
from berth.secrets import new_host_secrets

MANAGED = "Managed by Berth"
LOADER = DataLoader()
FACTS = {
    "distribution": "Debian",
    "distribution_major_version": "13",
    "memtotal_mb": 4096,
    "virtualization_tech_guest": [],
}
HOST = HostVars("alpha", "http://localhost:8001", "127.0.0.1:54321", 4096)
HOST_SECRETS = new_host_secrets()


def variables(role: str) -> dict[str, Any]:
    """The variables of a role as they are before anybody sets one."""
    found: dict[str, Any] = {}
    for part in ("defaults", "vars"):
        path = ROOT / "roles" / role / part / "main.yml"
        found |= LOADER.load_from_file(str(path), trusted_as_template=True) if path.exists() else {}
    return found | {"ansible_facts": FACTS, "ansible_managed": MANAGED}


def render(role: str, template: str, **given: Any) -> str:
    """The text of a template, with the variables given in place of the defaults."""
    text = (ROOT / "roles" / role / "templates" / template).read_text()
    return str(Templar(LOADER, variables=variables(role) | given).template(trust_as_template(text)))


def evaluate(role: str, expression: str, **given: Any) -> Any:
    """The value of an expression in the variables of a role."""
    templar = Templar(LOADER, variables=variables(role) | given)
    return templar.template(trust_as_template(f"{{{{ {expression} }}}}"))


def project(name: str, number: int = 1, **declared: Any) -> dict[str, Any]:
    """A project as the role takes it, from a declaration."""
    given = {"architecture": "shared", **declared}
    return derived(Project(name=name, number=number, host="alpha", **given), HOST)


def project_variables(item: dict[str, Any], **given: Any) -> dict[str, Any]:
    """What the templates of the role project see of one project."""
    secrets = ProjectSecrets.new(item["name"])
    known = for_services(item["name"], secrets, HOST_SECRETS)
    users = {"numbers": {item["system_user"]: {"user": 990, "group": 991}}}
    return {"item": item, "project_secrets": {item["name"]: known}, "__project_users": users, **given}


def lines(text: str) -> list[str]:
    """The lines that are no comment and not empty, without the space around them."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
