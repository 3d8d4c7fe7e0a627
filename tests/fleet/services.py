"""What runs of a project on its host, and how to make it sleep."""

import time
from collections.abc import Callable

from fleet.fleet import Fleet, Project

PATIENCE = 60.0


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Returns as soon as the condition holds; AssertionError that says what did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


def processes(fleet: Fleet, project: Project) -> list[str]:
    """Returns "pid command line" of each process of the project's system user."""
    return fleet.on(project.host, f"ps -o pid=,args= -u berth-{project.name}", check=False).splitlines()


def put_to_sleep(fleet: Fleet, *projects: Project) -> None:
    """Ends the services of projects as if their idle time were over; their sockets stay open."""
    for project in projects:
        wait_until(lambda project=project: _falls_asleep(fleet, project), f"{project.name} sleeps")


def _falls_asleep(fleet: Fleet, project: Project) -> bool:
    """Whether nothing runs and nothing is about to: a service ends after its proxy, in more than one step.

    Each look stops the proxies anew: a connection that waited while they were stopped has woken them again.
    """
    proxies = " ".join(f"berth-{service}-wake@{project.name}.service" for service in ("rest", "auth"))
    fleet.on(project.host, f"systemctl stop {proxies}")
    workers = " ".join(f"berth-{service}@{project.name}.service" for service in ("rest", "auth"))
    states = fleet.on(project.host, f"systemctl show --property=ActiveState --value {workers}").split()
    return set(states) <= {"inactive", "failed"} and not processes(fleet, project)


def main_pid(fleet: Fleet, host: str, unit: str) -> int:
    """Returns the process id of a service, 0 when it does not run."""
    return int(fleet.on(host, f"systemctl show --property=MainPID --value {unit}"))
