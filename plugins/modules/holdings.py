#!/usr/bin/python
"""Ansible module: what a host holds of projects, declared or not."""

DOCUMENTATION = r"""
module: holdings
short_description: Lists what a host holds of projects
description:
  - Lists databases, roles, clusters, system users, units, sockets and files that belong to a project by their names,
    and says whether nginx takes its configuration. Changes nothing and wakes nobody.
options:
  port:
    description: Port of the host's cluster, which names its unix socket.
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
"""

EXAMPLES = r"""
- name: Read what the host holds of projects
  berth.supabase.holdings:
"""

RETURN = r"""
report:
  description: Under C(holdings) the things by kind, each with its owner and its name; see C(Holdings) in Berth.
  type: dict
  returned: always
"""

import pwd
import re
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils import postgres

NAME = r"(?P<name>[a-z][a-z0-9-]*[a-z0-9])"
FILES = (
    ("/etc/berth/projects", NAME),
    ("/etc/berth/firewall.d", rf"project-{NAME}\.nft"),
    ("/etc/berth/postgres/ident.d", rf"project-{NAME}\.conf"),
    ("/etc/berth/postgres/hba.d", rf"project-{NAME}\.conf"),
    ("/etc/sysusers.d", rf"berth-{NAME}\.conf"),
    ("/run/berth/postgres", NAME),
    ("/etc/nginx/berth/projects", NAME),
    ("/var/log/nginx/berth", rf"{NAME}\.log.*"),
)
UNIT_LINKS = "/etc/systemd/system/*.wants/berth-*@*"
UNIT = re.compile(rf"berth-[a-z-]+@{NAME}\.[a-z]+")
SOCKETS = ("/run/berth/wake", re.compile(rf"{NAME}-(?P<service>[a-z]+)\.sock"))
CLUSTERS = (Path("/etc/postgresql"), Path("/var/lib/postgresql"))
OWN_CLUSTER = re.compile(r"berth_(?P<name>[a-z][a-z0-9_]*)")
OF_NO_PROJECT = {"unknown"}
OF_THE_CLUSTER = {"postgres", "template0", "template1", "berth_template"}
LOGINS = re.compile(r"(?P<name>.+)_(rest|auth|storage|realtime|owner)")


def item(kind, name, thing):
    """Returns one thing with the name of the project that owns it."""
    return {"kind": kind, "owner": name, "thing": str(thing)}


def files():
    """Gives the files and directories of projects."""
    for directory, pattern in FILES:
        for path in sorted(Path(directory).glob("*")):
            found = re.fullmatch(pattern, path.name)
            if found and found["name"] not in OF_NO_PROJECT:
                yield item("file", found["name"], path)


def units():
    """Gives the units of projects that start at boot."""
    for path in sorted(Path("/").glob(UNIT_LINKS.lstrip("/"))):
        found = UNIT.fullmatch(path.name)
        if found:
            yield item("unit", found["name"], path.name)


def sockets():
    """Gives the sockets that requests come to."""
    directory, pattern = SOCKETS
    for path in sorted(Path(directory).glob("*.sock")):
        found = pattern.fullmatch(path.name)
        if found:
            yield item("socket", found["name"], path)


def users():
    """Gives the system users of projects, known by the comment that Berth gives them."""
    for user in sorted(pwd.getpwall()):
        if user.pw_name.startswith("berth-") and user.pw_gecos.startswith("Services of project "):
            yield item("user", user.pw_name.removeprefix("berth-"), user.pw_name)


def clusters():
    """Gives the PostgreSQL clusters that belong to one project, running or not."""
    found = {(path.parent.name, path.name) for place in CLUSTERS for path in place.glob("[0-9]*/berth_*")}
    for version, name in sorted(found):
        own = OWN_CLUSTER.fullmatch(name)
        if own:
            yield item("cluster", own["name"], f"{version}/{name}")


def of_the_cluster(module):
    """Gives databases and login roles of projects in the host's cluster, nothing where that does not answer."""
    if postgres.psycopg is None:
        return
    try:
        cluster = postgres.Cluster(module, module.params)
        databases = [row.datname for row in cluster.rows("SELECT datname FROM pg_database ORDER BY datname")]
        logins = cluster.rows(
            "SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
            " JOIN pg_roles g ON g.oid = a.roleid WHERE g.rolname IN ('berth_service', 'berth_customer') ORDER BY 1"
        )
    except postgres.psycopg.Error:
        return
    yield from (item("database", name, name) for name in databases if name not in OF_THE_CLUSTER)
    for row in logins:
        found = LOGINS.fullmatch(row.rolname)
        if found and found["name"] not in OF_THE_CLUSTER:
            yield item("role", found["name"], row.rolname)


def gateway(module):
    """Returns what nginx has against its configuration, nothing when it takes it or is not there."""
    program = module.get_bin_path("nginx", opt_dirs=["/usr/sbin"])
    if program is None:
        return ""
    code, _out, err = module.run_command([program, "-t", "-q"])
    return " ".join(err.split()) if code else ""


def main():
    module = AnsibleModule(argument_spec=postgres.CONNECTION_SPEC, supports_check_mode=True)
    things = [*of_the_cluster(module), *clusters(), *users(), *units(), *sockets(), *files()]
    module.exit_json(changed=False, report={"holdings": {"things": things, "gateway_error": gateway(module)}})


if __name__ == "__main__":
    main()
