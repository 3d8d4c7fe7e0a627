"""Proofs that projects of a host do not reach each other: what was tried, and what each refusal was held against."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, computed_field

from berth.models import Project

Verdict = Literal["failed", "unproven", "partial", "passed"]
VERDICTS: tuple[Verdict, ...] = ("failed", "unproven", "partial", "passed")
MEANINGS: dict[Verdict, str] = {
    "failed": "a project was reached from another one",
    "unproven": "a control did not succeed, so that refusals say nothing",
    "partial": "all that was tried was refused; not all was tried",
    "passed": "all was tried and refused, and every control succeeded",
}
# by attack: what is tried from each project on each other one, and what has to succeed beside it
ATTACKS = {
    "login": ("log in to another database as the system user, without a password", "the same login to its own"),
    "password": ("log in to another database with the owner's password", "the same login to its own"),
    "key": ("ask the gateway with keys of another project, or a forged one", "the gateway knows its own key"),
    "rest": ("ask REST with a token of another project, or a forged one", "REST takes its own token"),
    "auth": ("ask Auth with a token of another project, or a forged one", "Auth takes its own token"),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Attempt(_Part):
    """One attempt from a project on another one, or on a closed database, and what came of it."""

    source: str
    target: str
    told: str


class Attack(_Part):
    """One kind of attack: how often it was tried, where it reached something, and where it says nothing.

    `skipped` has why projects were left out: they slept.
    """

    name: str
    tried: int
    reached: tuple[Attempt, ...] = ()
    unproven: tuple[Attempt, ...] = ()
    skipped: dict[str, str] = {}

    @computed_field
    @property
    def verdict(self) -> Verdict:
        """What it proves."""
        if self.reached:
            return "failed"
        if self.unproven:
            return "unproven"
        return "partial" if self.skipped or not self.tried else "passed"


class Proof(_Part):
    """What was tried from one project on its neighbours and from them on it."""

    project: str
    subject: str
    at: datetime
    attacks: tuple[Attack, ...]

    @computed_field
    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its attacks."""
        found = {attack.verdict for attack in self.attacks}
        return next((verdict for verdict in VERDICTS if verdict in found), "unproven")


def subject(project: Project) -> str:
    """What a proof is of: another host, number, architecture or cluster is another thing to prove."""
    return f"{project.host}/{project.number}/{project.architecture}/{project.database}"


def proofs(reports: dict[str, dict[str, Any]], declared: Iterable[Project]) -> list[Proof]:
    """The proofs that hosts told of in their reports, by project."""
    projects = {project.name: project for project in declared}
    found = []
    for report in reports.values():
        for name, attacks in report["isolation"]["projects"].items():
            if name in projects:
                tried = tuple(Attack(name=kind, **attacks[kind]) for kind in ATTACKS if kind in attacks)
                at = report["isolation"]["at"]
                found.append(Proof(project=name, subject=subject(projects[name]), at=at, attacks=tried))
    return sorted(found, key=lambda proof: proof.project)
