"""The local host that `make bench` makes, measures and removes."""

import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

import httpx
import psycopg
import yaml
from fleet import standin
from fleet.fleet import REPOSITORY, Fleet, Run

from bench.errors import NotMeasured
from berth.project_secrets import ProjectSecrets
from berth.secrets import SecretStore

NAME, ADDRESS = "bench", "10.88.0.31"
TABLE = """
CREATE TABLE todos (id bigint PRIMARY KEY, title text NOT NULL);
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Everybody may read" ON todos FOR SELECT USING (true);
INSERT INTO todos SELECT number, current_database() || ' ' || number FROM generate_series(1, 20) AS number;
"""
TIMER, TIMER_LOG = "/usr/local/lib/bench-timer", "/run/bench-timer.log"
TIMER_SCRIPT = f"""#!/bin/sh
began=$(date +%s%N)
/bin/sh -c "$SSH_ORIGINAL_COMMAND"
code=$?
echo "$began $(date +%s%N)" >>{TIMER_LOG}
exit $code
"""
OF_A_PROJECT = re.compile(r"berth-b\d{3}\s")
HOST = {
    "ansible_host": ADDRESS,
    "berth_host_memory_mb": 8192,
    "berth_public_url": "http://localhost:8031",
    "berth_database_address": "127.0.0.1:54351",
    "local_host_suite": "trixie",
    "local_host_http_port": 8031,
    "local_host_database_port": 54351,
    "local_host_directory": "/var/lib/berth-local",
    "ansible_user": "root",
    "ansible_ssh_private_key_file": "{{ local_host_directory }}/ssh/id_ed25519",
    "ansible_ssh_common_args": "-o UserKnownHostsFile={{ local_host_directory }}/ssh/known_hosts",
}


@dataclass(frozen=True)
class Timed:
    """A playbook's run and its duration in seconds."""

    run: Run
    seconds: float


class BenchHost(Fleet):
    """One fresh Debian 13 host with an inventory of its own below build/."""

    def __init__(self) -> None:
        super().__init__()
        self.inventory = REPOSITORY / "build" / NAME / "inventory"
        self.http = httpx.Client(base_url=f"http://{ADDRESS}", timeout=30)

    @property
    def has_real_auth(self) -> bool:
        """Whether GoTrue itself runs on the host, not its stand-in."""
        return not standin.missing()

    def start(self) -> None:
        """Boot the host, nothing of Berth on it; AssertionError with the play's output when that fails."""
        self.remove()
        shutil.rmtree(self.inventory, ignore_errors=True)
        (self.inventory / "projects").mkdir(parents=True)
        groups = {"berth_hosts": {"children": {"local_hosts": {"hosts": {NAME: HOST}}}}}
        (self.inventory / "hosts.yml").write_text(yaml.safe_dump(groups, sort_keys=False))
        self.environment |= standin.environment(self.inventory.parent)
        fetch = [sys.executable, "-m", "berth.artifacts", "fetch", "rest", "auth", "meta"]
        subprocess.run(fetch, cwd=REPOSITORY, env=self.environment, stdout=sys.stderr, check=True)
        self.succeed("local_hosts.yml")
        self._time_commands()

    def remove(self) -> None:
        """Remove the host and all that belongs to it, also what an earlier run has left."""
        if (self.inventory / "hosts.yml").exists():
            self.succeed("local_hosts.yml", "-e", "local_host_state=absent")

    def timed(self, playbook: str, *arguments: str) -> Timed:
        """Run a playbook and return it with its duration; AssertionError with its output when it fails."""
        began = time.perf_counter()
        run = self.succeed(playbook, *arguments)
        return Timed(run, time.perf_counter() - began)

    def idle_command(self) -> float:
        """Return the seconds that a module takes on the host that does nothing: its Python starts."""
        command = ["ansible", "-i", str(self.inventory), NAME, "-m", "ansible.builtin.ping"]
        seconds = []
        for _ in range(3):
            since = time.time_ns()
            subprocess.run(command, cwd=REPOSITORY, env=self.environment, stdout=subprocess.DEVNULL, check=True)
            seconds.append(self.busy(since)[-1])
        return median(seconds)

    def shell(self, command: str, *, check: bool = True) -> str:
        """Run a shell line as root on the host and return what it printed."""
        return self.on(NAME, command, check=check)

    def berth(self, *arguments: str) -> str:
        """Return what a berth command prints."""
        command = ["berth", *arguments, "--inventory", str(self.inventory)]
        done = subprocess.run(command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def declare(self, numbers: Iterable[int], architecture: str = "shared", **more: str) -> list[str]:
        """Write the declarations of the projects with these numbers and return their names."""
        names = []
        for number in numbers:
            name = f"b{number:03}"
            project = {
                "name": name,
                "number": number,
                "host": NAME,
                "architecture": architecture,
                "domains": [f"{name}.localhost"],
                "idle_timeout": "15min",
                "limits": {"requests_per_second": 10_000},
                **more,
            }
            (self.inventory / "projects" / f"{name}.yml").write_text(yaml.safe_dump(project, sort_keys=False))
            names.append(name)
        return names

    def keys(self, name: str) -> ProjectSecrets:
        """Return the keys of a project."""
        return SecretStore(self.inventory).project(name, create=False)

    def fill(self, name: str) -> None:
        """Give a project the table todos with 20 rows that name it."""
        address, _, port = HOST["berth_database_address"].partition(":")
        login = {"dbname": name, "user": f"{name}_owner", "password": self.keys(name).owner_password}
        with psycopg.connect(host=address, port=port, **login) as connection:
            connection.execute(TABLE)

    def running(self) -> list[str]:
        """Return the processes of projects as "user program"."""
        listed = self.shell("ps -eo user:32=,comm=").splitlines()
        return [" ".join(line.split()) for line in listed if OF_A_PROJECT.match(line)]

    def put_to_sleep(self) -> None:
        """End what runs of the projects, as their idle time does; NotMeasured when something still runs."""
        units = [f"'berth-{service}{wake}@b*.service'" for service in ("rest", "auth") for wake in ("-wake", "")]
        self.shell(f"systemctl stop {' '.join(units)}")
        left = self.running()
        if left:
            raise NotMeasured(f"put to sleep, but still running: {', '.join(left)}")

    def busy(self, since: int) -> list[float]:
        """Return the seconds of each command that SSH has run on the host since then (nanoseconds of the clock)."""
        ended = time.time_ns()
        logged = [line.split() for line in self.shell(f"cat {TIMER_LOG}").splitlines()]
        times = [(int(began), int(end)) for began, end in logged]
        return [(end - began) / 1e9 for began, end in times if since <= began and end <= ended]

    def get(self, name: str, path: str, key: str) -> httpx.Response:
        """Ask the gateway for a path of a project, straight at the host's address."""
        return self.http.get(f"/projects/{name}{path}", headers={"apikey": key})

    def _time_commands(self) -> None:
        """Let sshd record how long each command takes; works for the connections that are opened after it."""
        keys = ".ssh/authorized_keys"
        self.shell(f"printf %s {shlex.quote(TIMER_SCRIPT)} >{TIMER} && chmod 755 {TIMER}")
        self.shell(f"""sed -i 's|^|command="{TIMER}" |' {keys}""")


def json_of(response: httpx.Response) -> object:
    """Return the body of an answer 200, or None for any other."""
    return response.json() if response.status_code == httpx.codes.OK else None
