"""Runs a play for a command: progress on a terminal, silence or JSON elsewhere, words when it fails."""

import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from berth.cli.common import RUN_FAILED, print_json, tell
from berth.errors import BerthError

if TYPE_CHECKING:
    from berth.models import Project
    from berth.playbooks import Play
    from berth.runner import OnStep, Result, Runner


class Refused(BerthError):
    """Something that a play refuses before it changes anything, in its words."""


def converge(
    runner: "Runner",
    play: "Play",
    told: dict[str, Any],
    as_json: bool,
    completes: str,
    learned: Callable[[], dict[str, Any]] = dict,
    may_refuse: bool = False,
) -> None:
    """Run a play, tell what came of it beside `told` and what is `learned` later; end with code 1 when it failed.

    Raise Refused where a play that `may_refuse` failed in a task that only requires something.
    """
    result = _run(runner, play)
    if may_refuse and (refusals := _refusals(result)):
        raise Refused("\n".join(refusals))
    if as_json:
        print_json(told | learned() | {"run": summary(result)})
    _tell_orphans(result)
    if not result.ok:
        _tell_failure(result, completes)
    elif not as_json and sys.stdout.isatty():
        changed = sum(result.changed.values())
        typer.echo(f"{play.project or 'all'}: done in {result.seconds:.1f} s, {changed} changed; log: {result.log}")
        if held := _held_seconds(result):
            typer.echo(f"requests waited for {held:.1f} s at most; none was refused")


def show_plan(
    runner: "Runner",
    play: "Play",
    told: dict[str, Any],
    as_json: bool,
    host: str | None = None,
    declared: "Collection[Project]" = (),
) -> None:
    """Run a play in check mode, show what would change and who may feel it, and end with code 1 when it failed.

    It is shown by host, of the others than `host` only where something came of it. A plan of all projects needs those
    that are `declared`.
    """
    from berth.neighbours import felt_by

    result = _run(runner, play)
    changes, felt = [asdict(change) for change in result.changes], felt_by(result.changes, play.project, declared)
    if as_json:
        print_json(told | {"changes": changes, "felt_by": felt, "run": summary(result)})
    else:
        _print_changes(result, host, felt)
    if not result.ok:
        _tell_failure(result, "nothing was changed")


def read_reports(runner: "Runner", play: "Play") -> dict[str, dict[str, Any]]:
    """What the modules of a play read, by host; end with code 1 when it failed."""
    result = _run(runner, play)
    if not result.ok:
        _tell_failure(result, "nothing was changed")
    return result.reports


def _run(runner: "Runner", play: "Play") -> "Result":
    with progress() as on_step:
        return runner.run(play, on_step)


@contextmanager
def progress() -> Iterator["OnStep"]:
    """Give the function that shows a step where a person looks; elsewhere it tells only what the run waits for."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from berth.host_locks import WAITING

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: tell(step) if step.startswith(WAITING) else None
        return
    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("Starting", total=None)
        yield lambda step: progress.update(bar, description=step, refresh=True)


@contextmanager
def progress_of_reading() -> Iterator["OnStep"]:
    """As progress, of a run that only reads: when it is interrupted, that is told and the command ends with code 1."""
    from berth.measure import Unfinished

    try:
        with progress() as on_step:
            yield on_step
    except Unfinished as error:
        tell(str(error))
        raise typer.Exit(RUN_FAILED) from None


def summary(result: "Result") -> dict[str, Any]:
    """What came of a run, for JSON."""
    held = _held_seconds(result)
    return {
        "ok": result.ok,
        "changed": result.changed,
        "failures": [asdict(failure) for failure in result.failures],
        "unreachable": result.unreachable,
        "seconds": round(result.seconds, 2),
        "log": str(result.log),
    } | ({"held_seconds": held} if held else {})


def _held_seconds(result: "Result") -> float:
    """For how long requests waited where services were restarted."""
    return max((report.get("held_seconds", 0.0) for report in result.reports.values()), default=0.0)


def _refusals(result: "Result") -> list[str]:
    """Why a run was refused before it changed anything; empty where it failed otherwise, or not at all."""
    tasks = [failure.task.rpartition(" : ")[2] for failure in result.failures]
    refused = not result.ok and not result.unreachable and tasks
    return [failure.message for failure in result.failures] if refused and all(map(_requires, tasks)) else []


def _requires(task: str) -> bool:
    return task.startswith("Require ")


def _print_changes(result: "Result", only: str | None, felt: dict[str, list[str]]) -> None:
    changed = {change.host for change in result.changes}
    unknown = _unknown(result)
    for host in sorted({*result.changed, *changed, *unknown}):
        if only not in (None, host) and host not in changed | unknown.keys():
            continue
        typer.echo(": ".join([host, *_head(host in changed, unknown.get(host))]))
        for change in result.changes:
            if change.host == host:
                typer.echo(f"  {change.task}")
                for line in "\n".join(change.diffs).splitlines():
                    typer.echo(f"    {line}")
        if host in changed and host not in unknown:
            typer.echo(f"  {_felt(felt[host])}")


def _felt(names: list[str]) -> str:
    return (
        f"may be felt by {', '.join(names)}: requests wait during a restart" if names else "no other project feels it"
    )


def _unknown(result: "Result") -> dict[str, str]:
    """By host why nobody knows what would change there."""
    failed = {failure.host: "a task failed" for failure in result.failures if failure.host}
    return failed | dict.fromkeys(result.unreachable, "it does not answer")


def _head(changes: bool, unknown: str | None) -> list[str]:
    """What stands beside the name of a host, above its changes."""
    if unknown:
        return [f"{'what else' if changes else 'what'} would change is not known, since {unknown}"]
    return [] if changes else ["nothing would change"]


def _tell_orphans(result: "Result") -> None:
    for host, report in result.reports.items():
        for name in report.get("orphans", []):
            tell(
                f"host {host} has the project {name}, which no file declares; it runs on. "
                f"Restore projects/{name}.yml, then berth remove {name} takes it away"
            )


def tell_why(result: "Result") -> None:
    """Tell why a run failed and where its log is."""
    for failure in result.failures:
        where = f"{failure.task} on {failure.host}: " if failure.task else ""
        tell(f"{where}{failure.message}")
    for host, reason in result.unreachable.items():
        tell(f"host {host} is not reachable: {reason}")
    tell(f"the whole log: {result.log}")


def _tell_failure(result: "Result", completes: str) -> None:
    tell_why(result)
    tell(completes)
    raise typer.Exit(RUN_FAILED)
