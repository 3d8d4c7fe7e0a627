"""The plays that a run consists of, and what it finds out with them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from berth.diagnosis import diagnose, repairs
from berth.doctor import Finding
from berth.inventory import Environment, directory_of
from berth.measure import Unfinished
from berth.playbooks import Play
from berth.proving import prove
from berth.rotation import change
from berth.runner import Cancelled, OnEvent, OnStep, Result
from berth.secrets import SecretStore
from berth.staging import staged, staged_file
from berth.store import DeclarationStore
from webui.models import Run
from webui.services.actions import CONVERT_PLAYBOOK, DOCTOR_PLAYBOOK, PROVE_PLAYBOOK, REPAIR_PLAYBOOK, USAGE_PLAYBOOK

Report = dict[str, Any] | None


class WatchedRunner(Protocol):
    """Whatever runs plays for the workers: berth.runner.AnsibleRunner, or a stand-in of the tests."""

    def run(self, play: Play, on_step: object, on_event: object, cancelled: object) -> Result:
        """Run the play; raise BerthError when it cannot begin."""
        ...


class Watched:
    """A runner whose events are taken and that can be ended; it knows the result of its last play."""

    def __init__(self, runner: WatchedRunner, take: OnEvent, ended: Cancelled) -> None:
        self._runner, self._take, self.ended = runner, take, ended
        self.last: Result | None = None

    def run(self, play: Play, on_step: OnStep = lambda step: None) -> Result:
        """Run the play; raise BerthError when it cannot begin."""
        self.last = self._runner.run(play, on_step, self._take, self.ended)
        return self.last


def perform(run: Run, inventory: Path, runner: Watched) -> tuple[Result, Report]:
    """Run the plays of a run; raise BerthError when one cannot begin."""
    if run.playbook == DOCTOR_PLAYBOOK:
        return _visit(inventory, runner)
    if run.playbook == REPAIR_PLAYBOOK:
        return _repair(run, inventory, runner), None
    if run.playbook == USAGE_PLAYBOOK:
        result = runner.run(Play(run.playbook, inventory, run.project, hosts=tuple(run.hosts)))
        counted = [report["key_usage"] for report in result.reports.values() if "key_usage" in report]
        return result, {"key_usage": counted[0]} if counted else None
    if run.playbook == PROVE_PLAYBOOK:
        return _prove(run, inventory, runner)
    with _play(inventory, run) as play:
        return runner.run(play), None


def _visit(inventory: Path, runner: Watched) -> tuple[Result, Report]:
    environment = Environment(inventory)
    declared = list(DeclarationStore(environment.directory, environment.hosts).load().values())
    try:
        found = diagnose(runner, inventory, declared)
    except Unfinished:
        found = None
    assert runner.last is not None  # noqa: S101 - what was found came from there
    # that a host differs, or does not answer, is what it was to find out
    finished = found is not None and not runner.ended()
    result = replace(runner.last, ok=finished, changed={})
    return result, {"findings": [finding.model_dump() for finding in found]} if finished else None


def _prove(run: Run, inventory: Path, runner: Watched) -> tuple[Result, Report]:
    environment = Environment(inventory)
    declared = list(DeclarationStore(environment.directory, environment.hosts).load().values())
    found = None
    with suppress(Unfinished):
        found, _down = prove(runner, inventory, declared, run.project, run.asked.get("wakes", False))
    assert runner.last is not None  # noqa: S101 - what was found came from there
    return runner.last, None if found is None else {"isolation": {proof.project: proof.verdict for proof in found}}


def _repair(run: Run, inventory: Path, runner: Watched) -> Result:
    found = [Finding.model_validate(entry) for entry in run.asked["findings"]]
    first, *others = repairs(inventory, found, check=run.check)
    result = runner.run(first)
    for play in others:
        if runner.ended():
            break
        result = _together(result, runner.run(play))
    return result


def _together(one: Result, other: Result) -> Result:
    hosts = sorted({*one.changed, *other.changed})
    return replace(
        other,
        ok=one.ok and other.ok,
        changed={host: one.changed.get(host, 0) + other.changed.get(host, 0) for host in hosts},
        failures=one.failures + other.failures,
        unreachable=one.unreachable | other.unreachable,
    )


@contextmanager
def _play(inventory: Path, run: Run) -> Iterator[Play]:
    name, directory = run.project or "", directory_of(inventory)
    if run.draft is not None:
        store = DeclarationStore(directory, Environment(inventory).hosts)
        with staged(inventory, store.draft(name, run.draft)) as copy:
            yield Play(run.playbook, copy, run.project, check=True)
    elif run.action == "rotate" and run.check:
        secrets = SecretStore(directory, ephemeral=True)
        end = datetime.fromisoformat(run.asked["retire_at"]) if "retire_at" in run.asked else None
        sealed = secrets.sealed(secrets.change_project(name, change(run.asked["step"], name, end)))
        with staged_file(inventory, secrets.project_file(name), sealed) as copy:
            yield Play(run.playbook, copy, run.project, check=True)
    else:
        given = {"archive": run.asked.get("archive", True)}
        if run.playbook == CONVERT_PLAYBOOK:
            given = {"convert": run.asked["word"], "database": run.asked.get("database")}
        yield Play(run.playbook, inventory, run.project, run.check, **given)
