"""Runs the playbook that proves isolation; changes nothing on hosts."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from berth import playbooks
from berth.inventory import directory_of
from berth.measure import told
from berth.models import Project
from berth.playbooks import Play
from berth.proofs import Proof, proofs
from berth.samples import Samples

if TYPE_CHECKING:
    from berth.runner import OnStep, Runner


def prove(
    runner: "Runner",
    inventory: Path,
    declared: Collection[Project],
    name: str | None = None,
    wakes: bool = False,
    on_step: "OnStep" = lambda step: None,
) -> tuple[list[Proof], dict[str, str]]:
    """The proofs of a project, of all without one, kept for the pages, and why hosts did not answer; raise BerthError.

    Services that sleep are attacked with tokens only where the proof wakes them.
    """
    reports, down = told(runner.run(play_of(inventory, declared, name, wakes), on_step))
    found = proofs(reports, declared)
    Samples(directory_of(inventory)).keep_proofs(found)
    return found, down


def play_of(inventory: Path, declared: Collection[Project], name: str | None, wakes: bool) -> Play:
    """The play of a proof, on the hosts of the projects alone."""
    hosts = {project.host for project in declared if name in (None, project.name)}
    return playbooks.prove_isolation(inventory, name, tuple(sorted(hosts)), wakes)
