"""The local hosts of the tests: made from scratch, converged, asked, removed."""

from fleet.fleet import Fleet, Project, Run

__all__ = ["Fleet", "Project", "Run"]
