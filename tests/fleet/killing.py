"""Playbooks that are killed in the middle."""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fleet.fleet import REPOSITORY, Fleet


def descendants(pid: int) -> list[int]:
    """Returns a process and all that it started, Ansible's workers and their SSH clients included."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for known in found:
        found += children.get(known, [])
    return found


def run_and_kill(
    fleet: Fleet,
    playbook: str,
    project: str,
    is_time: Callable[[str], bool],
    *arguments: str,
    first: Callable[[], object] = lambda: None,
) -> None:
    """Runs a playbook and kills it as soon as it is time for that, judged by the name of the task that begins.

    What is to come before the kill is done `first`.
    """
    named = ["-e", f"project={project}", *arguments]
    command = ["ansible-playbook", "-i", str(fleet.inventory), f"playbooks/{playbook}", *named]
    environment = {**fleet.environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) as play:
        in_time = any(line.startswith("TASK [") and is_time(line) for line in play.stdout)
        if in_time:
            first()
        for pid in descendants(play.pid):
            with suppress(ProcessLookupError):  # a worker that ended meanwhile
                os.kill(pid, signal.SIGKILL)
    assert (in_time, play.returncode) == (True, -signal.SIGKILL)
