#!/usr/bin/python
"""Ansible module: the PostgreSQL clusters that belong to one project each."""

DOCUMENTATION = r"""
module: dedicated_clusters
short_description: PostgreSQL clusters of isolated projects
description:
  - Creates, for all projects in one pass, the clusters that are not there, starts those whose project is present, and
    reloads those that have read older files. Restarts and stops none, since requests must wait meanwhile; see
    M(berth.supabase.project_units).
  - A cluster that a run which was killed left half made is made anew.
options:
  version:
    description: Major version of PostgreSQL.
    type: str
    required: true
  superuser:
    description: First role of a new cluster.
    type: str
    required: true
  clusters:
    description: Clusters to work on.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the cluster.
        type: str
        required: true
      port:
        description: Port of the cluster, which names its unix socket.
        type: int
        required: true
      socket_directory:
        description: Directory of that socket.
        type: path
        required: true
      state:
        description: Whether its project answers. The cluster of a paused one is not started, at boot neither.
        type: str
        choices: [present, paused]
        required: true
  create:
    description: Whether clusters that are not there are made; else they are left out.
    type: bool
    default: true
  reload:
    description: Patterns of files that a cluster reads again at a reload, C(CLUSTER) standing for its name.
    type: list
    elements: str
    default: []
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the clusters and the commands.
"""

EXAMPLES = r"""
- name: Ensure the dedicated clusters run
  berth.supabase.dedicated_clusters:
    version: "17"
    superuser: supabase_admin
    clusters:
      - {name: berth_shop, port: 10007, socket_directory: /run/berth/postgres/shop, state: present}
"""

RETURN = r"""
there:
  description: Names of the clusters that are there.
  type: list
  elements: str
  returned: always
"""

import fcntl
import os
import shutil
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.units import Systemd, newest, wall_clock

CHANGED = "StateChangeTimestampMonotonic"
RUNS = ("active", "activating", "reloading")
DEFINITIONS = ("/etc/systemd/system/postgresql@*.d/*",)
MAKING = Path("/etc/berth/postgres/making")
START = {"present": "auto", "paused": "manual"}


class Own:
    """One cluster with its places on the host."""

    def __init__(self, params, version):
        self.params, self.version, self.name = params, version, params["name"]
        self.settings = Path("/etc/postgresql", version, self.name)
        self.data = Path("/var/lib/postgresql", version, self.name)
        self.unit = f"postgresql@{version}-{self.name}.service"
        self.mark = MAKING / self.name
        self.is_present = params["state"] == "present"

    def is_there(self):
        return (self.settings / "postgresql.conf").exists() and not self.mark.exists()

    def starts_as_wanted(self):
        lines = (self.settings / "start.conf").read_text().splitlines()
        words = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        return words == [START[self.params["state"]]]


def create(module, own):
    """Makes the cluster; what is marked as half made has never run, so nothing is lost with it."""
    own.mark.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with own.mark.open("a") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        # a module whose run was killed goes on by itself
        if own.mark.exists():
            make(module, own, mark)


def make(module, own, mark):
    """Runs pg_createcluster and takes the mark away; the module fails where it does."""
    if os.fstat(mark.fileno()).st_size:
        shutil.rmtree(own.data, ignore_errors=True)
        for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
            (own.settings / name).unlink(missing_ok=True)
    # pg_createcluster takes over data that is there: those are not half made
    if not own.data.exists():
        mark.write("begun\n")
        mark.flush()
    command = ["pg_createcluster", own.version, own.name, "--port", str(own.params["port"])]
    command += ["--socketdir", own.params["socket_directory"], "--start-conf", START[own.params["state"]]]
    command += ["--pgoption", "include_dir=conf.d", "--no-status", "--", f"--username={module.params['superuser']}"]
    command += ["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
    code, out, err = module.run_command(command)
    own.mark.unlink()
    if code != 0:
        words = " | ".join((err or out).strip().splitlines()[-5:])
        module.fail_json(msg=f"Cluster {own.name} could not be made: {words}; mend the cause, then run it again")


def start(systemd, clusters, reload):
    """Starts and reloads what has to be; the module fails where a cluster does not come up."""
    units = systemd.show([own.unit for own in clusters], ("ActiveState", CHANGED))
    active = [own for own in clusters if units.get(own.unit, {}).get("ActiveState") in RUNS]
    starting = [own for own in clusters if own.is_present and own not in active]
    systemd.run("start", [own.unit for own in starting])
    for own in active:
        files = [pattern.replace("CLUSTER", own.name) for pattern in reload]
        if wall_clock(units[own.unit][CHANGED]) < newest(files):
            systemd.run("reload", [own.unit])
    if systemd.module.check_mode:
        return
    for name, unit in systemd.show([own.unit for own in starting], ("ActiveState",)).items():
        if unit["ActiveState"] not in RUNS:
            systemd.module.fail_json(
                msg=f"{name} did not start. Look at: journalctl -u {name}, and at /var/log/postgresql"
            )


def main():
    cluster_options = {
        "name": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "socket_directory": {"type": "path", "required": True},
        "state": {"type": "str", "required": True, "choices": ["present", "paused"]},
    }
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "superuser": {"type": "str", "required": True},
            "clusters": {"type": "list", "elements": "dict", "required": True, "options": cluster_options},
            "create": {"type": "bool", "default": True},
            "reload": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    clusters = [Own(params, module.params["version"]) for params in module.params["clusters"]]
    systemd = Systemd(module)
    missing = [own for own in clusters if not own.is_there()]
    if module.params["create"]:
        for own in missing:
            systemd.commands.append(f"pg_createcluster {own.version} {own.name}")
            if not module.check_mode:
                create(module, own)
    there = [own for own in clusters if own.is_there()]
    for own in there:
        if not own.starts_as_wanted():
            word = START[own.params["state"]]
            systemd.commands.append(f"echo {word} > {own.settings}/start.conf")
            if not module.check_mode:
                (own.settings / "start.conf").write_text(f"{word}\n")
    if there:
        systemd.load_definitions(DEFINITIONS)
    start(systemd, there, module.params["reload"])
    systemd.exit(there=[own.name for own in there])


if __name__ == "__main__":
    main()
