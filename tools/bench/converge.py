"""The same play once more, with nothing to do."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from bench.figures import Figure, spread
from bench.host import BenchHost

ROUNDS = 3


@dataclass(frozen=True)
class Converged:
    """Seconds of each round, and the names of the tasks that changed something in any of them."""

    projects: int
    seconds: list[float]
    changed: list[str]


def measure(host: BenchHost, projects: int) -> Converged:
    """Run site.yml several times on the unchanged host, which has so many projects."""
    timed = [host.timed("site.yml") for _ in range(ROUNDS)]
    changed = [task for one in timed for task in changed_tasks(one.run.output.splitlines())]
    return Converged(projects, [one.seconds for one in timed], changed)


def changed_tasks(lines: Iterable[str]) -> list[str]:
    """Return the names of the tasks and handlers that changed something, from what ansible-playbook prints."""
    name, changed = "", []
    for line in lines:
        if found := re.match(r"(?:TASK|RUNNING HANDLER) \[(.*)\]", line):
            name = found[1]
        elif line.startswith("changed: "):
            changed.append(name)
    return changed


def figures(small: Converged, large: Converged) -> list[Figure]:
    """Return the rows of the table for few and for many projects."""
    shown = [
        Figure(
            f"Converge unchanged, {one.projects} {'project' if one.projects == 1 else 'projects'}",
            median(one.seconds),
            "s",
            f"playbooks/site.yml, median of {ROUNDS} ({spread(one.seconds)})",
        )
        for one in (small, large)
    ]
    ratio = median(large.seconds) / median(small.seconds)
    changed = small.changed + large.changed
    names = ", ".join(f"{name} ({count})" for name, count in Counter(changed).items())
    return [
        *shown,
        Figure(f"Ratio of {large.projects} to {small.projects}", ratio, "", "the two above", target=2),
        Figure("Changed by all these runs", len(changed), "tasks", names or "none", target=0),
    ]
