"""Local hosts for tests, and what tests ask of them."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import yaml

from berth.clusters import Cluster, cluster_of
from berth.declarations import load
from berth.inventory import Environment
from fleet import standin
from fleet.forward import Forwards

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).resolve().parent
INVENTORY = REPOSITORY / "build" / "fleet"
KEEP = os.environ.get("BERTH_KEEP_FLEET") == "1"
HOST_CLUSTER = Cluster("berth", 5432, "/run/postgresql")
FLEET = int(os.environ.get("BERTH_FLEET", "0"))  # another for each checkout whose tests run at the same time, 0 to 9


@dataclass(frozen=True)
class Run:
    """What a playbook did."""

    returncode: int
    output: str
    stats: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def changed_tasks(self) -> list[str]:
        """The tasks that changed something, in their order."""
        return re.findall(r"^TASK \[([^\]]+)\][^\n]*\n(?:(?!TASK \[).*\n)*?changed:", self.output, re.MULTILINE)

    @property
    def changed(self) -> int:
        """How many tasks changed something, on all hosts together."""
        return sum(host["changed"] for host in self.stats.values())


@dataclass(frozen=True)
class Project:
    """A project of the fleet as a customer knows it."""

    name: str
    host: str
    urls: list[str]
    anon_key: str = field(repr=False)
    service_role_key: str = field(repr=False)
    db_url: str = field(repr=False)
    cluster: Cluster = HOST_CLUSTER

    @property
    def url(self) -> str:
        """The first address."""
        return self.urls[0]

    @property
    def domain_url(self) -> str:
        """The address by domain, where the project has one."""
        return self.urls[0]

    @property
    def path_url(self) -> str:
        """The address by path."""
        return self.urls[-1]

    @property
    def database(self) -> str:
        """The database, which also begins the names of its login roles."""
        return self.name.replace("-", "_")

    @property
    def psql(self) -> str:
        """The options of psql on its host that lead to the cluster of its database."""
        return f"--host={self.cluster.socket_directory} --port={self.cluster.port}"


class Fleet:
    """The hosts of tests/fleet with an inventory of their own below build/."""

    def __init__(self) -> None:
        self.inventory = INVENTORY
        path = f"{sys.prefix}/bin:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")}
        self.bare_check: Run | None = None
        self.first_run: Run | None = None
        self.forwards = Forwards()

    def start(self) -> None:
        """Boots fresh hosts and configures them; AssertionError with the play's output when that fails."""
        if KEEP and self.inventory.exists():
            self.environment |= standin.environment(self.inventory)
            return
        self.remove()
        shutil.rmtree(self.inventory, ignore_errors=True)
        ignored = shutil.ignore_patterns("*.py", "__pycache__")
        shutil.copytree(SOURCE, self.inventory, ignore=ignored)
        _renumber(self.inventory / "hosts.yml", FLEET)
        self.environment |= standin.environment(self.inventory)
        self.succeed("local_hosts.yml")
        self.bare_check = self.play("site.yml", "--check")
        self.first_run = self.succeed("site.yml")

    def stop(self) -> None:
        """Removes the hosts unless they are to be kept for the next run (BERTH_KEEP_FLEET=1, for developers)."""
        self.forwards.close()
        if not KEEP:
            self.remove()

    def remove(self) -> None:
        """Removes the hosts and all that belongs to them."""
        if self.inventory.exists():
            self.succeed("local_hosts.yml", "-e", "local_host_state=absent")

    def play(self, playbook: str, *arguments: str, **environment: str) -> Run:
        """Runs a playbook over the fleet and returns what it did, also when it failed."""
        command = ["ansible-playbook", "-i", str(self.inventory), f"playbooks/{playbook}", *arguments]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        return Run(done.returncode, output, _recap(done.stdout))

    def succeed(self, playbook: str, *arguments: str) -> Run:
        """Runs a playbook; AssertionError with its last lines when it fails."""
        run = self.play(playbook, *arguments)
        assert run.returncode == 0, "\n".join(run.output.splitlines()[-60:])
        return run

    def on(self, host: str, command: str, *, check: bool = True, stdin: str = "") -> str:
        """Runs a shell line as root on a host and returns what it printed."""
        done = subprocess.run([*self.ssh(host), command], input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"{host}: {command}: {done.stderr}{done.stdout}"
        return done.stdout.strip()

    def ssh(self, host: str) -> list[str]:
        """Returns the command line of an SSH session as root."""
        values = self.variables[host]
        directory = values["local_host_directory"]
        known = f"UserKnownHostsFile={directory}/ssh/known_hosts"
        key = f"{directory}/ssh/id_ed25519"
        control = ["-o", "ControlMaster=auto", "-o", "ControlPath=/run/berth-local/test-%C", "-o", "ControlPersist=30"]
        return ["ssh", "-i", key, "-o", known, "-o", "BatchMode=yes", *control, f"root@{values['ansible_host']}"]

    @cached_property
    def variables(self) -> dict[str, dict[str, str]]:
        """The inventory's variables of each host."""
        listing = self._berth_output(["ansible-inventory", "-i", str(self.inventory), "--list"])
        return listing["_meta"]["hostvars"]

    @cached_property
    def projects(self) -> dict[str, Project]:
        """All projects by name, with their keys."""
        listed = self._berth_output(["berth", "list", "-i", str(self.inventory), "--json"])
        return {entry["name"]: self._with_keys(entry) for entry in listed}

    def project(self, name: str) -> Project:
        """Returns one project, the way to its database open."""
        return self.reachable(self.projects[name])

    def reachable(self, project: Project) -> Project:
        """Returns a project with an address of its database that works on this machine."""
        if not project.cluster.dedicated:
            return project
        return replace(project, db_url=self.forwards.url(project.db_url, project.cluster, self.ssh(project.host)))

    def cluster(self, name: str) -> Cluster:
        """Returns the cluster of a project as it is declared now."""
        declared = load(self.inventory, self.variables)[name]
        return cluster_of(declared, Environment(self.inventory).hosts[declared.host])

    def on_host(self, host: str, *names: str) -> list[Project]:
        """Returns the projects of a host, or those of these names."""
        return [project for project in self.projects.values() if project.host == host and project.name in names]

    def _with_keys(self, entry: dict) -> Project:
        keys = self._berth_output(["berth", "keys", entry["name"], "-i", str(self.inventory), "--json"])
        return Project(
            name=entry["name"],
            host=entry["host"],
            urls=entry["urls"],
            anon_key=keys["anon_key"],
            service_role_key=keys["service_role_key"],
            db_url=keys["db_url"],
            cluster=self.cluster(entry["name"]),
        )

    def _berth_output(self, command: list[str]):
        done = subprocess.run(command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


def _renumber(path: Path, fleet: int) -> None:
    """Gives the hosts of a fleet names, addresses and ports that no other fleet of this machine has."""
    if not fleet:
        return
    groups = yaml.safe_load(path.read_text())
    for name, host in groups["berth_hosts"]["children"]["local_hosts"]["hosts"].items():
        last = int(host["ansible_host"].rpartition(".")[2])
        http, database = host["local_host_http_port"] + 100 * fleet, host["local_host_database_port"] + 100 * fleet
        host |= {
            "local_host_name": f"{name}-{fleet}",
            "ansible_host": f"10.88.0.{last + 80 + 10 * fleet}",
            "berth_public_url": f"http://localhost:{http}",
            "berth_database_address": f"127.0.0.1:{database}",
            "local_host_http_port": http,
            "local_host_database_port": database,
        }
    path.write_text(yaml.safe_dump(groups, sort_keys=False))


def _recap(output: str) -> dict[str, dict[str, int]]:
    """Returns the counters of the play recap by host."""
    lines = output.partition("PLAY RECAP")[2].splitlines()[1:]
    counted = [line.split(" : ", 1) for line in lines if " : ok=" in line]
    return {host.strip(): {k: int(v) for k, v in (p.split("=") for p in rest.split())} for host, rest in counted}
