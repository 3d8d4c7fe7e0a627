#!/usr/bin/python
"""Ansible module: whether projects of a host can reach each other."""

DOCUMENTATION = r"""
module: isolation_proof
short_description: Attacks projects of a host with what others have
description:
  - Tries to reach every project of the host with the system user, the password, the keys and the tokens of every other
    one. Each attack has a control that must succeed, such as the same login to the own database, so that a refusal says
    something.
  - Changes nothing. Tokens are tried only where the service is awake, unless O(wakes) is true; all else wakes nobody.
options:
  projects:
    description: All projects of the host.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the project.
        type: str
        required: true
      database:
        description: Its database.
        type: str
        required: true
      system_user:
        description: Its system user.
        type: str
        required: true
      state:
        description: Its declared state.
        type: str
        required: true
      port:
        description: Port of the cluster of its database, which names its unix socket.
        type: int
        default: 5432
      socket_directory:
        description: Directory of that socket.
        type: path
        default: /run/postgresql
  secrets:
    description: What each of O(projects) has.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the project.
        type: str
        required: true
      owner_password:
        description: Password of its owner.
        type: str
        required: true
      api_keys:
        description: Its keys, the newest last.
        type: list
        elements: dict
        required: true
        suboptions:
          id:
            description: Id of the key.
            type: str
            required: true
          role:
            description: Role of the key.
            type: str
            required: true
          value:
            description: The key.
            type: str
            required: true
          token:
            description: The token that stands for it.
            type: str
            required: true
  project:
    description: The only project that is to be attacked and to attack; empty means all.
    type: str
    default: ""
  services:
    description: Services of the host.
    type: list
    elements: str
    default: [rest, auth]
  listen:
    description: Addresses that nginx listens on, as in its configuration; the first is asked.
    type: list
    elements: str
    default: ["80"]
  wakes:
    description: Whether services that sleep are woken to try tokens on them.
    type: bool
    default: false
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
"""

EXAMPLES = r"""
- name: Read whether projects reach each other
  berth.supabase.isolation_proof:
    projects: "{{ projects }}"
    secrets: "{{ secrets }}"
"""

RETURN = r"""
report:
  description: Under C(isolation) the time and, by project, the findings of each attack; no secret.
  type: dict
  returned: always
"""

from datetime import UTC, datetime

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.berth.supabase.plugins.module_utils import postgres
from ansible_collections.berth.supabase.plugins.module_utils.attacks import TOKENS, Gateway, Proof, Subject
from ansible_collections.berth.supabase.plugins.module_utils.units import Systemd

TEXT = {"type": "str", "required": True}
HIDDEN = {**TEXT, "no_log": True}
KEY = {"id": TEXT, "role": TEXT, "value": HIDDEN, "token": HIDDEN}
SPEC = {
    "projects": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            **dict.fromkeys(("name", "database", "system_user", "state"), TEXT),
            **postgres.CONNECTION_SPEC,
        },
    },
    "secrets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "no_log": False,
        "options": {
            "name": TEXT,
            "owner_password": HIDDEN,
            "api_keys": {"type": "list", "elements": "dict", "required": True, "no_log": False, "options": KEY},
        },
    },
    "project": {"type": "str", "default": ""},
    "services": {"type": "list", "elements": "str", "default": ["rest", "auth"]},
    "listen": {"type": "list", "elements": "str", "default": ["80"]},
    "wakes": {"type": "bool", "default": False},
}


def subjects(projects, secrets):
    """Returns the projects with what they have."""
    known = {entry["name"]: entry for entry in secrets}
    return [
        Subject(
            project["name"],
            project["database"],
            project["system_user"],
            {"port": project["port"], "socket_directory": project["socket_directory"]},
            project["state"] == "paused",
            known[project["name"]]["owner_password"],
            tuple(known[project["name"]]["api_keys"]),
        )
        for project in projects
    ]


def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    if postgres.psycopg is None:
        module.fail_json(msg=missing_required_lib("psycopg"), exception=postgres.PSYCOPG_ERROR)
    asked, now = module.params, datetime.now(UTC)
    listed = Systemd(module).show(["--type=service", "berth-*"], ("ActiveState",))
    running = {name for name, unit in listed.items() if unit["ActiveState"] == "active"}
    proof = Proof(
        subjects(asked["projects"], asked["secrets"]),
        [asked["project"]] if asked["project"] else [project["name"] for project in asked["projects"]],
        [service for service in asked["services"] if service in TOKENS],
        Gateway(asked["listen"]),
        asked["wakes"],
        lambda name, service: f"berth-{service}@{name}.service" in running,
    )
    module.exit_json(changed=False, report={"isolation": {"at": now.isoformat(), "projects": proof.run()}})


if __name__ == "__main__":
    main()
