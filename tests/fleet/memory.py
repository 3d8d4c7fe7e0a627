"""A limit of memory that bites: local hosts have no memory controller, the machine below them may have one.

https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CONTROLLER = Path("/sys/fs/cgroup/memory")


def is_limitable() -> bool:
    """Returns whether this machine can limit the memory of processes."""
    return (CONTROLLER / "memory.limit_in_bytes").exists()


@contextmanager
def limited(slice_name: str, megabytes: int) -> Iterator[Callable[[], int]]:
    """Gives how many processes the kernel has killed for want of memory.

    All that runs in a slice of a local host now, and what it starts, may use no more than so much together.
    """
    group = CONTROLLER / f"berth-test-{slice_name}"
    group.mkdir()
    moved = _members(slice_name)
    [before] = {_controlled(pid) for pid in moved}
    try:
        (group / "memory.limit_in_bytes").write_text(f"{megabytes}M")
        _move(moved, group)
        yield lambda: int((group / "memory.oom_control").read_text().split()[-1])
    finally:
        while pids := (group / "cgroup.procs").read_text().split():
            _move(pids, before)
        group.rmdir()


def _move(pids: list[str], group: Path) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it has ended meanwhile
            (group / "cgroup.procs").write_text(pid)


def _members(slice_name: str) -> list[str]:
    """Returns the processes of a slice, as this machine sees them."""
    return [path.parent.name for path in Path("/proc").glob("[0-9]*/cgroup") if f"/{slice_name}/" in _groups(path)]


def _controlled(pid: str) -> Path:
    """Returns the group of the memory controller that a process is in."""
    lines = _groups(Path("/proc") / pid / "cgroup").splitlines()
    return CONTROLLER / next(line.split(":")[2] for line in lines if ":memory:" in line).lstrip("/")


def _groups(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
