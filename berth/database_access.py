"""Ways to a project's database for people: straight to an address of this machine, else through SSH."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from berth.clusters import cluster_of
from berth.errors import BerthError
from berth.inventory import Environment
from berth.models import Project
from berth.names import database_name, login_role
from berth.ssh import session

PATIENCE = 30.0  # seconds until a forwarded socket must be there


class NoWayToDatabase(BerthError):
    """A database that cannot be reached from here, with the remedy."""


@contextmanager
def way_to(environment: Environment, project: Project, password: str) -> Iterator[dict[str, str]]:
    """Give the variables of libpq that reach the project's database as its owner; raise NoWayToDatabase."""
    login = {
        "PGUSER": login_role(project.name, "owner"),
        "PGDATABASE": database_name(project.name),
        "PGPASSWORD": password,
    }
    cluster = cluster_of(project, environment.hosts[project.host])
    host, _, port = environment.hosts[project.host].database_address.rpartition(":")
    if _is_loopback(host) and not cluster.dedicated:
        yield login | {"PGHOST": host, "PGPORT": port}
        return
    with tempfile.TemporaryDirectory(prefix="berth-") as directory:
        local = Path(directory) / f".s.PGSQL.{cluster.port}"
        ssh = session(project.host, environment.connection(project.host))
        with _forwarded(ssh, local, cluster.socket):
            yield login | {"PGHOST": directory, "PGPORT": str(cluster.port)}


def run_with(variables: Mapping[str, str], command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program with variables of libpq and give its exit code; Ctrl-C is for the program alone."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        # settings of the user's own that name another database must not get in between
        others = {key: value for key, value in environment.items() if key not in ("PGSERVICE", "PGHOSTADDR")}
        return subprocess.run(command, env={**others, **variables}, check=False).returncode
    except FileNotFoundError:
        raise NoWayToDatabase(
            f"{command[0]}: not installed here; install it, on Debian and Ubuntu: apt install postgresql-client"
        ) from None
    finally:
        signal.signal(signal.SIGINT, before)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _forwarded(ssh: list[str], local: Path, remote: str) -> Iterator[None]:
    options = ["-N", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=15", "-L", f"{local}:{remote}"]
    # a session of its own, since Ctrl-C in the other program must not end it
    process = subprocess.Popen([ssh[0], *options, *ssh[1:]], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while not local.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoWayToDatabase(
                    f"{ssh[-1]}: no way to PostgreSQL through SSH; try: {' '.join(ssh)}, then say what is wrong there"
                )
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
