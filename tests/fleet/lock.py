"""One run of tests at a time has a fleet: a second with the same number would remove the hosts of the first.

As a program it runs a command and has the fleet meanwhile: python tests/fleet/lock.py COMMAND...
"""

import fcntl
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

DIRECTORY = Path("/run/berth-tests")  # of the machine, since checkouts share it


class FleetTaken(Exception):
    """A fleet that another run has, and what to do."""


def take(number: int) -> int | None:
    """Have a fleet until this process ends or closes the descriptor; None where a process above has it for this one.

    Raise FleetTaken.
    """
    DIRECTORY.mkdir(exist_ok=True)
    path = DIRECTORY / f"fleet-{number}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        holder = path.read_text()
        if holder.partition(" ")[0] in _above():
            return None
        raise FleetTaken(
            f"fleet {number} is in use by process {holder or 'unknown'}; wait for its end, "
            f"or set BERTH_FLEET to another number, 0 to 9"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()} ({shlex.join(sys.argv)} in {Path.cwd()})".encode(), 0)
    return descriptor


def main(command: list[str]) -> int:
    """Run a command that has the fleet of BERTH_FLEET, and return its exit code; 2 where another run has it."""
    try:
        take(int(os.environ.get("BERTH_FLEET", "0")))
    except FleetTaken as taken:
        print(taken, file=sys.stderr)
        return 2
    started: list[subprocess.Popen] = []
    # the command cleans up after a signal, and needs the fleet until then; Ctrl-C reaches it anyway
    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.signal(signal.SIGTERM, lambda number, frame: [running.terminate() for running in started])
    started.append(subprocess.Popen(command))
    return started[0].wait()


def _above() -> Iterator[str]:
    """The processes above this one, the nearest first."""
    pid = os.getppid()
    while pid > 1:
        yield str(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
