#!/usr/bin/python
"""Ansible module: GoTrue's migrations in the databases of a host."""

DOCUMENTATION = r"""
module: auth_migrations
short_description: Runs the migrations of GoTrue where they are behind
description:
  - Runs C(auth migrate) in each database whose note (its comment) names another version, and notes the new one.
  - Every database is migrated by its own system user and its own login role, never by the superuser.
options:
  binary:
    description: The GoTrue executable on the host, below C(/opt/berth/auth/current), a link named by its version.
    type: path
    required: true
  databases:
    description: Databases to migrate.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Database; its login role is called <name>_auth.
        type: str
        required: true
      system_user:
        description: System user that may log in as that role.
        type: str
        required: true
      port:
        description: Port of its cluster, which names the unix socket.
        type: int
        default: 5432
      socket_directory:
        description: Directory of that socket.
        type: path
        default: /run/postgresql
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the databases and versions.
"""

EXAMPLES = r"""
- name: Ensure the template database has the migrations of GoTrue
  berth.supabase.auth_migrations:
    binary: /opt/berth/auth/current/bin/auth
    databases:
      - {name: berth_template, system_user: postgres}
"""

RETURN = r""" # """

import os
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.postgres import (
    CONNECTION_SPEC,
    TEMPLATE,
    Clusters,
    by_cluster,
    compose,
    literal,
)

NOTE = "Berth: auth "


def behind(cluster, databases, version):
    """Returns the databases whose note is not the version, with what they note instead.

    In check mode one that is not there yet counts as the template that it is to be a copy of.
    """
    notes = {
        row.datname: row.note
        for row in cluster.rows("SELECT datname, shobj_description(oid, 'pg_database') AS note FROM pg_database")
    }
    found = [(database, notes.get(database["name"], notes.get(TEMPLATE))) for database in databases]
    return [(database, note) for database, note in found if note != f"{NOTE}{version}"]


def migrate(cluster, database):
    """Runs the migrations of one database; the module fails with GoTrue's last words when they do."""
    module = cluster.module
    place, name = cluster.place, database["name"]
    url = f"postgres://{name}_auth@/{name}?host={place['socket_directory']}&port={place['port']}"
    environment = {
        "PATH": os.environ["PATH"],
        "GOTRUE_DB_DRIVER": "postgres",
        "DATABASE_URL": url,
        "GOTRUE_SITE_URL": "http://localhost",
        "API_EXTERNAL_URL": "http://localhost",
        "GOTRUE_JWT_SECRET": "migrations-sign-nothing-but-the-program-wants-a-value",
        "GOTRUE_LOG_LEVEL": "warn",
    }
    done = subprocess.run(
        [module.params["binary"], "migrate"],
        user=database["system_user"],
        group=database["system_user"],
        extra_groups=[],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = " | ".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        module.fail_json(msg=f"Database {database['name']}: the migrations of GoTrue failed, nothing was lost: {last}")


def main():
    databases = {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            **CONNECTION_SPEC,
            "name": {"type": "str", "required": True},
            "system_user": {"type": "str", "required": True},
        },
    }
    module = AnsibleModule(
        argument_spec={
            "binary": {"type": "path", "required": True},
            "databases": databases,
        },
        supports_check_mode=True,
    )
    binary = Path(module.params["binary"])
    version = binary.resolve().parents[1].name
    if not module.check_mode and not binary.exists():
        module.fail_json(msg=f"{binary} is not there; run the role auth before this one")
    clusters = Clusters(module)
    for place, databases in by_cluster(module.params["databases"]):
        cluster = clusters.open(place, when_absent=f"migrations of GoTrue {version}\n")
        for database, note in behind(cluster, databases, version) if cluster else []:
            before = (note or "none").removeprefix(NOTE)
            if not module.check_mode:
                migrate(cluster, database)
            note_it = compose(
                "COMMENT ON DATABASE {name} IS {note}", name=database["name"], note=literal(f"{NOTE}{version}")
            )
            cluster.change(note_it, shown=f"-- {database['name']}: migrations of GoTrue from {before} to {version}")
    clusters.exit()


if __name__ == "__main__":
    main()
