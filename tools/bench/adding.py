"""One more project: from its declaration to its first correct answer."""

import time
from dataclasses import dataclass
from statistics import median

from bench.errors import NotMeasured
from bench.figures import Figure, spread
from bench.host import BenchHost, json_of

ROUNDS = 3
PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Added:
    """What adding one project took: seconds in all, of each command on the host, of a command that does nothing."""

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


def figures(added: list[Added], projects: int) -> list[Figure]:
    """Return the rows of the table for a host that had so many projects."""
    add = f"Add a project to {projects}"
    seconds, work = [one.seconds for one in added], [one.work for one in added]
    busy = [sum(one.commands) for one in added]
    idle, count = added[0].idle_command, max(len(one.commands) for one in added)
    play = f"file written, playbooks/project.yml, GET /rest/v1/ answers 200; median of {ROUNDS} ({spread(seconds)})"
    all_commands = f"timed on the host: the {count} commands of that play, from sshd's start of each to its end"
    own = (
        f"the same less {idle:.2f} s each, which a module takes that does nothing; median of {ROUNDS} ({spread(work)})"
    )
    wrong = sum(one.wrong_answers for one in added)
    return [
        Figure(add, median(seconds), "s", play, target=10),
        Figure(f"{add}: all commands on the host", median(busy), "s", f"{all_commands} ({spread(busy)})"),
        Figure(f"{add}: the host's own work", median(work), "s", own, target=2),
        Figure(f"{add}: wrong first answers", wrong, "", f"of {ROUNDS}", target=0),
    ]


def _add(host: BenchHost, number: int, idle_command: float) -> Added:
    began, since = time.perf_counter(), time.time_ns()
    (name,) = host.declare([number])
    host.succeed("project.yml", "-e", f"project={name}")
    key = host.keys(name).service_role_key
    deadline = time.monotonic() + PATIENCE_SECONDS
    wrong = 0
    while not _is_right(json_of(host.get(name, "/rest/v1/", key))):
        wrong += 1
        if time.monotonic() > deadline:
            raise NotMeasured(f"{name}: no right answer within {PATIENCE_SECONDS} s of the end of the play")
    return Added(time.perf_counter() - began, host.busy(since), idle_command, wrong)


def _is_right(body: object) -> bool:
    return isinstance(body, dict) and body.get("swagger") == "2.0"
