"""From a bare host to one that serves a project."""

from bench.figures import Figure
from bench.host import BenchHost, Timed


def make(host: BenchHost) -> Timed:
    """Configure the fresh host with one project; AssertionError when the play fails."""
    host.declare([1])
    return host.timed("site.yml")


def figures(timed: Timed) -> list[Figure]:
    """Return the row of the table."""
    method = "playbooks/site.yml on a fresh, booted Debian 13, with 1 project; packages and artifacts cached"
    return [Figure("Bare host to ready", timed.seconds, "s", method, target=120)]
