"""Ways from this machine to the sockets of clusters that no loopback port leads to."""

import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from berth.clusters import Cluster


class Forwards:
    """Sessions of SSH that each give the socket of one cluster a place here; made when they are asked for."""

    def __init__(self) -> None:
        self.directories: dict[str, tempfile.TemporaryDirectory] = {}
        self.sessions: dict[str, subprocess.Popen] = {}

    def url(self, db_url: str, cluster: Cluster, ssh: list[str]) -> str:
        """Returns the address of a database through the forwarded socket of its cluster."""
        if cluster.socket not in self.directories:
            self.directories[cluster.socket] = tempfile.TemporaryDirectory(prefix="berth-")
        directory = Path(self.directories[cluster.socket].name)
        session = self.sessions.get(cluster.socket)
        if session is None or session.poll() is not None:
            self.sessions[cluster.socket] = self._session(ssh, directory / f".s.PGSQL.{cluster.port}", cluster.socket)
        parts = urlsplit(db_url)
        login = parts.netloc.rpartition("@")[0]
        return f"{parts.scheme}://{login}@{parts.path}?host={directory}&port={cluster.port}"

    def _session(self, ssh: list[str], local: Path, remote: str) -> subprocess.Popen:
        local.unlink(missing_ok=True)
        options = ["-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "ExitOnForwardFailure=yes"]
        alive = ["-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=3"]
        command = [ssh[0], *options, *alive, "-L", f"{local}:{remote}", *ssh[1:], "echo ready; exec cat"]
        # ssh makes what it inherits non-blocking, which Ansible refuses to inherit in its turn
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        session = subprocess.Popen(command, text=True, **pipes)
        assert session.stdout.readline() == "ready\n", f"no way to {remote}"
        return session

    def close(self) -> None:
        """Ends all of them."""
        for session in self.sessions.values():
            session.terminate()
            session.communicate()
        for directory in self.directories.values():
            directory.cleanup()
