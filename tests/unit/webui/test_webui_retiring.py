"""Overlaps of keys end on their date, each by one run of the system that the audit names."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from berth.playbooks import Play
from berth.rotation import rotated
from berth.secrets import SecretStore
from webui.core import Core
from webui.models import SUCCEEDED, Run
from webui.services import audit
from webui.services.execution import Executor
from webui.services.retiring import SYSTEM, Retiring

HOUR = timedelta(hours=1)


def overlap(inventory: Path, end: timedelta | None, name: str = "blog") -> None:
    """Have a project be in an overlap that ends so long after now, or on no date."""
    store, now = SecretStore(inventory), datetime.now(UTC)
    store.project(name)
    until = now + end if end is not None else None
    store.change_project(name, lambda found: rotated(found, name, now - 2 * HOUR, until))


def key_sets(inventory: Path) -> list[str]:
    """The key sets that the file of blog holds."""
    return [one.id for one in SecretStore(inventory).project("blog", create=False).key_sets]


def test_overlap_ends_on_its_date_by_one_run(core: Core, inventory: Path, executor: Executor, runner) -> None:
    overlap(inventory, -HOUR)
    retiring = Retiring(core.actions)
    [run] = retiring.look()
    assert (run.action, run.project, run.hosts, run.asked_by) == ("rotate", "blog", ["alpha"], "the system")
    assert key_sets(inventory) == ["k2"]
    assert retiring.look() == Retiring(core.actions).look() == []
    [entry] = audit.entries(core.db, target="blog")
    assert (entry.actor, entry.address, entry.action, entry.run_id) == (SYSTEM.name, "worker", "rotate", run.id)
    assert entry.details["step"] == "retire"
    executor.work()
    assert runner.plays == [Play("project.yml", inventory, "blog")]
    assert core.runs.get(run.id).state == SUCCEEDED


@pytest.mark.parametrize("end", [HOUR, None])
def test_overlap_that_goes_on_is_left_alone(core: Core, inventory: Path, end: timedelta | None) -> None:
    overlap(inventory, end)
    assert Retiring(core.actions).look() == []
    assert key_sets(inventory) == ["k1", "k2"]
    assert core.runs.page() == []


def test_secrets_are_read_again_once_they_changed(core: Core, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SecretStore(inventory).project("blog")
    retiring, read = Retiring(core.actions), SecretStore.project
    looked = []
    monkeypatch.setattr(SecretStore, "project", lambda *given, **how: looked.append(given) or read(*given, **how))
    assert [retiring.look(), retiring.look(), len(looked)] == [[], [], 1]
    overlap(inventory, -HOUR)
    assert len(retiring.look()) == 1


def test_project_that_cannot_be_read_stops_no_other(
    core: Core, inventory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number, name in enumerate(("another", "never-applied"), 2):
        (inventory / f"projects/{name}.yml").write_text(
            f"name: {name}\nnumber: {number}\nhost: alpha\narchitecture: shared\n"
        )
    overlap(inventory, -HOUR)
    (inventory / "secrets/another.yml").write_text("no vault\n")
    with caplog.at_level(logging.WARNING):
        assert [run.project for run in Retiring(core.actions).look()] == ["blog"]
    assert ["another.yml" in record.getMessage() for record in caplog.records] == [True]


def test_date_stays_where_no_run_could_be_queued(core: Core, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlap(inventory, -HOUR)

    def broken(*_given: object) -> Run:
        raise OSError("the database is down")

    with monkeypatch.context() as patch:
        patch.setattr(core.runs, "submit", broken)
        assert Retiring(core.actions).look() == []
    assert len(Retiring(core.actions).look()) == 1


def test_workers_look_each_minute(core: Core, inventory: Path, executor: Executor) -> None:
    overlap(inventory, -HOUR)
    core.queue.consumer(executor.work, lambda: None, 1, Retiring(core.actions).look)
    huey = core.queue._huey
    for task in huey.read_periodic(datetime.now(UTC)):
        huey.execute(task)
    executor.work()
    assert [run.state for run in core.runs.page()] == [SUCCEEDED]
