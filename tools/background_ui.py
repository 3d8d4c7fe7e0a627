"""The web UI as a process in the background, found again and ended by the directory it belongs to."""

import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from webui.config import DATABASE_VARIABLE, STATE_VARIABLE, URL_VARIABLE, from_environment
from webui.core import make_core
from webui.roles import ADMIN
from webui.services.audit import Actor
from webui.users import welcome_url

REPOSITORY = Path(__file__).resolve().parents[1]
MARK = "BERTH_BACKGROUND_UI"
START_SECONDS, STOP_SECONDS = 120.0, 30.0


class UiFailed(Exception):
    """The UI cannot be started, with the remedy."""


@dataclass(frozen=True)
class BackgroundUi:
    """`berth ui` over an inventory: web server, worker, measuring; all that it keeps is below `directory`."""

    directory: Path
    inventory: Path
    port: int
    minutes: float = 3.0  # between two measurements
    pages_only: bool = False

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What its processes say."""
        return self.directory / "ui.log"

    def settings(self, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment of commands that belong to it, such as `berth ui link`."""
        own = {
            STATE_VARIABLE: str(self.directory / "state"),
            URL_VARIABLE: self.url,
            "BERTH_INVENTORY": str(self.inventory),
        }
        return {name: value for name, value in environment.items() if name != DATABASE_VARIABLE} | own

    def running_port(self) -> int | None:
        """The port that it listens on already; None when it does not run."""
        found = self.running()
        return found[1] if found else None

    def running(self) -> tuple[int, int] | None:
        """The process that minds the others, and its port; None when it does not run."""
        try:
            pid, port = json.loads(self._note.read_text())
        except (OSError, ValueError):
            return None
        return (pid, port) if self._is_ours(pid) else None

    def processes(self) -> Iterator[int]:
        """All its processes, also those of runs that it began."""
        return (int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._is_ours(int(entry.name)))

    def require_port(self) -> None:
        """Raise UiFailed when another program has the port."""
        if self.running_port() != self.port and _answers(self.port):
            raise UiFailed(f"UI_PORT: found {self.port}, which another program has; take another: UI_PORT=8081")

    def start(self, environment: Mapping[str, str] = os.environ) -> bool:
        """Start it unless it runs on this port already, and return when it answers; False when it ran before."""
        if self.running_port() == self.port:
            return False
        self.require_port()
        self.end()
        self._make_directory()
        pid = self._spawn(environment)
        self._note.write_text(json.dumps([pid, self.port]))
        _wait(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid or self._is_well(), START_SECONDS)
        if not self._is_well():
            self.end()
            raise UiFailed(f"the web UI does not answer; the end of {self.log}:\n{_tail(self.log)}")
        return True

    def admin_link(self, name: str) -> str | None:
        """The one-time link of an admin, added where there is none; None when that one has a password already."""
        self._make_directory()
        core = make_core(from_environment(self.settings()))
        try:
            accounts, shell = core.accounts, Actor("make demo", "shell")
            user = accounts.named(name)
            if user and user.password_hash:
                return None
            token = accounts.new_link(shell, user.id) if user else accounts.add(shell, name, ADMIN)
            return welcome_url(self.url, token)
        finally:
            core.close()

    def end(self) -> None:
        """End all its processes; does nothing when there are none."""
        if found := self.running():
            os.kill(found[0], signal.SIGTERM)
            _wait(lambda: self.running() is None, STOP_SECONDS)
        # what outlived the one that minds them, and connections that SSH keeps open
        while left := list(self.processes()):
            for pid in left:
                _kill(pid)
            time.sleep(0.05)
        self._note.unlink(missing_ok=True)

    def remove(self) -> None:
        """End it and remove all that it keeps."""
        self.end()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _make_directory(self) -> None:
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self.directory.mkdir(mode=0o700, exist_ok=True)

    def _spawn(self, environment: Mapping[str, str]) -> int:
        part = ["web"] if self.pages_only else ["serve", "--every", str(self.minutes)]
        command = [sys.executable, "-m", "berth.cli", "ui", *part, "--bind", f"127.0.0.1:{self.port}"]
        files = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        own = self.settings(environment) | {MARK: str(self.directory)}
        # unlike subprocess.Popen nobody has to wait for it: it outlives who starts it
        return os.posix_spawn(sys.executable, command, own, file_actions=files, setsid=True)

    @property
    def _note(self) -> Path:
        return self.directory / "process.json"

    def _is_ours(self, pid: int) -> bool:
        """Whether a process lives and was started for this directory: its number may be another's by now."""
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False
        return f"{MARK}={self.directory}".encode() in environment.split(b"\0")

    def _is_well(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.1)


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
