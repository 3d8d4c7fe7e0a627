"""Runs: one at a time per host, cancelled, lost, again, and what their pages say of it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from berth.errors import BerthError
from berth.runner import Result
from webui.core import Core
from webui.models import CANCELLED, FAILED, LOST, QUEUED, RUNNING, SUCCEEDED, Run, now
from webui.services.audit import Actor
from webui.services.execution import Executor
from webui.services.runs import NoSuchRun, RunRefused

WHO = Actor("ada", "192.0.2.1")


def silence(core: Core, run_id: int) -> None:
    """Have the worker of a run be silent for a minute."""
    with core.db.begin() as session:
        session.execute(update(Run).where(Run.id == run_id).values(heartbeat_at=now() - timedelta(minutes=1)))


def claimed(core: Core) -> list[int]:
    """The runs that workers find to do."""
    return [run.id for _ in range(5) if (run := core.runs.claim("worker"))]


def test_runs_of_one_host_wait_for_each_other_and_others_do_not(core: Core, inventory: Path) -> None:
    shop = "name: shop\nnumber: 2\nhost: bravo\narchitecture: shared\n"
    (inventory / "projects/shop.yml").write_text(shop)
    first, second, other = (core.actions.apply(WHO, name).id for name in ("blog", "blog", "shop"))
    everything, late = core.actions.apply(WHO).id, core.actions.apply(WHO, "shop").id
    assert claimed(core) == [first, other], "the second waits for the first"
    core.runs.finish(first, SUCCEEDED, None, {}, None)
    core.runs.finish(other, SUCCEEDED, None, {}, None)
    assert claimed(core) == [second]
    core.runs.finish(second, SUCCEEDED, None, {}, None)
    assert claimed(core) == [everything], f"{late} came after it"


def test_run_of_a_silent_worker_is_lost_its_host_is_free_and_it_can_be_run_again(person, core: Core, executor) -> None:
    browser = person("operator")
    run = core.actions.apply(WHO, "blog")
    assert core.runs.claim("worker that dies")
    waiting = core.actions.apply(WHO, "blog")
    core.runs.sweep()
    assert core.runs.get(run.id).state == RUNNING, "it is not lost while its worker tells that it lives"
    silence(core, run.id)
    page = browser.get(f"/runs/{run.id}").text
    assert "lost" in page
    assert "Its worker ended in the middle" in page
    assert core.runs.get(run.id).state == LOST
    assert core.runs.busy() == {}, "its host is free"
    core.runs.finish(run.id, SUCCEEDED, None, {}, None)
    assert core.runs.get(run.id).state == LOST, "a worker that comes back late does not turn it into a success"
    assert not core.runs.beat(run.id)
    executor.work()
    assert core.runs.get(waiting.id).state == SUCCEEDED
    again = browser.send(f"/runs/{run.id}/again", f"/runs/{run.id}")
    assert again.headers["location"] == f"/runs/{waiting.id + 1}"
    executor.work()
    assert core.runs.get(waiting.id + 1).state == SUCCEEDED


def test_cancelled_in_the_queue_never_begins(person, core: Core, executor, runner) -> None:
    browser = person("operator")
    run = core.actions.apply(WHO, "blog")
    browser.send(f"/runs/{run.id}/cancel", f"/runs/{run.id}")
    executor.work()
    assert (core.runs.get(run.id).state, runner.plays) == (CANCELLED, [])
    page = browser.get(f"/runs/{run.id}").text
    assert "cancelled by operator while it waited; nothing was changed" in page
    assert "It ended before its first step." in page
    refused = browser.send(f"/runs/{run.id}/cancel", f"/runs/{run.id}")
    assert refused.status_code == 409
    assert "there is nothing to cancel" in refused.text


class Cancelled:
    """A runner whose run is cancelled meanwhile, before or after its first step."""

    def __init__(self, core: Core, steps: int) -> None:
        self.core, self.steps = core, steps

    def run(self, play: object, on_step: object, on_event, cancelled) -> Result:
        """Begin so many steps, have somebody cancel, and end as ansible-runner does."""
        for _ in range(self.steps):
            on_event({"event": "playbook_on_task_start", "event_data": {"name": "Ensure a thing"}})
        self.core.actions.cancel(WHO, 1)
        while not cancelled():
            pass
        return Result(False, {}, (), (), {}, Path("/logs/1.log"), 1.0)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (0, "cancelled before its first step; nothing was changed"),
        (1, "cancelled after it began; run it again, it goes on where it was"),
    ],
)
def test_cancelled_run_says_whether_it_did_anything(
    person, core: Core, inventory: Path, monkeypatch: pytest.MonkeyPatch, steps: int, told: str
) -> None:
    monkeypatch.setattr("webui.services.execution.BEAT_SECONDS", 0.05)
    core.actions.apply(WHO, "blog")
    Executor(core.runs, inventory, Cancelled(core, steps)).work()
    assert (core.runs.get(1).state, core.runs.get(1).reason) == (CANCELLED, told)
    assert core.runs.busy() == {}
    assert told in person("viewer").get("/runs/1").text


def test_tasks_for_ansible_itself_are_no_steps(person, core: Core, inventory: Path) -> None:
    class Leaving:
        def run(self, play: object, on_step: object, on_event, cancelled) -> Result:
            for name, action in (("Leave the others alone", "ansible.builtin.meta"), ("Ensure a thing", "copy")):
                on_event({"event": "playbook_on_task_start", "event_data": {"name": name, "task_action": action}})
            return Result(True, {}, (), (), {}, Path("/logs/1.log"), 1.0)

    core.actions.apply(WHO, "blog")
    Executor(core.runs, inventory, Leaving()).work()
    page = person("viewer").get("/runs/1").text
    assert ("Leave the others alone" in page, "Ensure a thing" in page) == (False, True)


def test_run_that_cannot_begin_failed_and_frees_its_host(core: Core, inventory: Path) -> None:
    class Broken:
        def run(self, *_: object) -> Result:
            raise BerthError("no log directory; correct it")

    core.actions.apply(WHO, "blog")
    Executor(core.runs, inventory, Broken()).work()
    assert (core.runs.get(1).state, core.runs.get(1).reason) == (FAILED, "no log directory; correct it")
    assert core.runs.busy() == {}


def test_run_goes_on_until_it_is_over(core: Core) -> None:
    run = core.actions.apply(WHO, "blog")
    with pytest.raises(RunRefused, match="wait for its end"):
        core.actions.again(WHO, run.id)
    with pytest.raises(RunRefused, match="allowed: a plan that has succeeded"):
        core.actions.carry_out(WHO, run.id)
    with pytest.raises(NoSuchRun):
        core.runs.get(99)
    assert core.runs.get(run.id).state == QUEUED


def test_stream_tells_steps_and_the_end_and_goes_on_where_it_was(person, core: Core, executor) -> None:
    core.actions.apply(WHO, "blog")
    executor.work()
    browser = person("viewer")
    text = browser.get("/runs/1/stream").text
    kinds = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("event")]
    assert kinds == ["step", "step", "state", "end"]
    assert "+new" in text
    later = browser.get("/runs/1/stream", headers={"Last-Event-ID": "1"}).text
    assert "id: 1\n" not in later
    assert "id: 2\n" in later
