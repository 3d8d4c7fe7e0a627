"""The same play once more, with nothing to do."""

from dataclasses import dataclass
from statistics import median

from bench.figures import Figure, spread
from bench.host import BenchHost

ROUNDS = 3


@dataclass(frozen=True)
class Converged:
    """Seconds of each round, and how many tasks changed something in all of them together."""

    projects: int
    seconds: list[float]
    changed: int


def measure(host: BenchHost, projects: int) -> Converged:
    """Run site.yml several times on the unchanged host, which has so many projects."""
    timed = [host.timed("site.yml") for _ in range(ROUNDS)]
    return Converged(projects, [one.seconds for one in timed], sum(one.run.changed for one in timed))


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
    return [
        *shown,
        Figure(f"Ratio of {large.projects} to {small.projects}", ratio, "", "the two above", target=2),
        Figure("Changed by all these runs", changed, "tasks", "play recaps", target=0),
    ]
