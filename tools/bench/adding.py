"""New projects: from their declaration to their first correct answer, one by `berth add`, many in one `berth apply`."""

import time
from dataclasses import dataclass
from statistics import median

from bench.errors import NotMeasured
from bench.figures import Figure, spread
from bench.host import NAME, BenchHost, json_of

ROUNDS = 3
TOGETHER = 20
PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Added:
    """What adding projects took: seconds in all, of each command on the host, of a command that does nothing."""

    seconds: float
    commands: list[float]
    idle_command: float
    wrong_answers: int

    @property
    def work(self) -> float:
        """Seconds of all commands on the host beyond what each would take that does nothing."""
        return sum(max(0, command - self.idle_command) for command in self.commands)


def measure(host: BenchHost, first_number: int) -> list[Added]:
    """Add projects one after the other; NotMeasured when one does not answer rightly."""
    idle_command = host.idle_command()
    return [_add(host, first_number + number, idle_command) for number in range(ROUNDS)]


def measure_together(host: BenchHost, first_number: int) -> Added:
    """Add many projects in one run; NotMeasured when one does not answer rightly."""
    idle_command = host.idle_command()
    began, since = time.perf_counter(), time.time_ns()
    names = host.declare(range(first_number, first_number + TOGETHER))
    host.berth("apply")
    wrong = sum(_wrong_answers(host, name) for name in names)
    return Added(time.perf_counter() - began, host.busy(since), idle_command, wrong)


def figures(added: list[Added], projects: int) -> list[Figure]:
    """Return the rows of the table for a host that had so many projects."""
    add = f"Add a project to {projects}"
    seconds, work = [one.seconds for one in added], [one.work for one in added]
    busy = [sum(one.commands) for one in added]
    idle, count = added[0].idle_command, max(len(one.commands) for one in added)
    command = f"berth add --host --architecture shared --domain --json, to GET /rest/v1/ with 200; {_median(seconds)}"
    all_commands = f"timed on the host: the {count} commands of that play, from sshd's start of each to its end"
    own = f"the same less {idle:.2f} s each, which a module takes that does nothing; {_median(work)}"
    wrong = sum(one.wrong_answers for one in added)
    return [
        Figure(add, median(seconds), "s", command, target=10),
        Figure(f"{add}: all commands on the host", median(busy), "s", f"{all_commands} ({spread(busy)})"),
        Figure(f"{add}: the host's own work", median(work), "s", own, target=2),
        Figure(f"{add}: wrong first answers", wrong, "", f"of {ROUNDS}", target=0),
    ]


def figures_together(added: Added, projects: int) -> list[Figure]:
    """Return the rows of the table for many projects that were added at once to a host that had so many."""
    add = f"Add {TOGETHER} projects to {projects}"
    command = f"{TOGETHER} declarations written, one berth apply, to the last GET /rest/v1/ with 200"
    own = f"the {len(added.commands)} commands of that play on the host, less {added.idle_command:.2f} s each"
    return [
        Figure(add, added.seconds, "s", command),
        Figure(f"{add}: the host's own work", added.work, "s", own),
        Figure(f"{add}: wrong first answers", added.wrong_answers, "", f"of {TOGETHER}", target=0),
    ]


def _add(host: BenchHost, number: int, idle_command: float) -> Added:
    began, since = time.perf_counter(), time.time_ns()
    name = f"b{number:03}"
    host.berth("add", name, "--host", NAME, "--architecture", "shared", "--domain", f"{name}.localhost", "--json")
    wrong = _wrong_answers(host, name)
    return Added(time.perf_counter() - began, host.busy(since), idle_command, wrong)


def _wrong_answers(host: BenchHost, name: str) -> int:
    """Return how many wrong answers a project gave before its first right one."""
    key = host.keys(name).service_role_key
    deadline = time.monotonic() + PATIENCE_SECONDS
    wrong = 0
    while not _is_right(json_of(host.get(name, "/rest/v1/", key))):
        wrong += 1
        if time.monotonic() > deadline:
            raise NotMeasured(f"{name}: no right answer within {PATIENCE_SECONDS} s of the end of the run")
    return wrong


def _median(values: list[float]) -> str:
    return f"median of {ROUNDS} ({spread(values)})"


def _is_right(body: object) -> bool:
    return isinstance(body, dict) and body.get("swagger") == "2.0"
