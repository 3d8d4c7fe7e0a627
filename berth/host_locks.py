"""One lock for each host of an environment: whoever has it may change the host, others wait for the end of that."""

import fcntl
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from berth.errors import BerthError

FOLDER = ".locks"
WAITING = "Waiting for host "

OnWait = Callable[[str], None]


class NoLock(BerthError):
    """A lock that cannot be made, with the remedy."""


class HostLocks:
    """The locks that this process has, and no fork of it; the end of the process frees them, however it comes about."""

    def __init__(self, environment: Path) -> None:
        self._directory = environment / FOLDER
        self._held: dict[str, int] = {}
        os.register_at_fork(after_in_child=self._leave_to_parent)

    def take(self, hosts: Iterable[str], who: str, on_wait: OnWait, shared: bool = False) -> None:
        """Wait until this process has the locks of hosts, telling on_wait who has one; raise NoLock.

        Shared locks are for readers: several may have one at a time, and nobody may change the host meanwhile.
        """
        # all in one order, so that no two processes wait for each other
        for host in sorted(set(hosts) - set(self._held)):
            self._held[host] = self._take(host, who, on_wait, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)

    def _leave_to_parent(self) -> None:
        # A worker of an ansible-playbook that was killed may wait for it for ever, and would have the lock as long.
        while self._held:
            with suppress(OSError):
                os.close(self._held.popitem()[1])

    def _take(self, host: str, who: str, on_wait: OnWait, kind: int) -> int:
        path = self._directory / f"{host}.lock"
        try:
            descriptor = _open(path)
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait(f"{WAITING}{host}: {_holder(path)}")
                fcntl.flock(descriptor, kind)
        except OSError as error:
            raise NoLock(f"{path}: {error.strerror}; make it readable and writable for this user") from error
        _sign(descriptor, who)
        return descriptor


def prepare(environment: Path) -> None:
    """Make the directory of the locks, where that is allowed."""
    with suppress(OSError):
        (environment / FOLDER).mkdir(mode=0o770, exist_ok=True)


def _open(path: Path) -> int:
    prepare(path.parent.parent)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    except PermissionError:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # of another user: it can be had, not signed


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() or "somebody else has it"


def _sign(descriptor: int, who: str) -> None:
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{who}\n".encode(), 0)
