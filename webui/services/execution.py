"""What a worker does: take runs one after the other, run their playbooks, write down what happens."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from berth.errors import BerthError
from berth.runner import INTERRUPTED, Result
from webui.models import CANCELLED, FAILED, SUCCEEDED, Run
from webui.services.performing import Watched, WatchedRunner, perform
from webui.services.recorder import Recorder
from webui.services.runs import Runs

BEAT_SECONDS = 2.0
RESUMED = "after it began; run it again, it goes on where it was"
UNTOUCHED = "before its first step; nothing was changed"


class Executor:
    """Does the runs of one installation, in the process that calls it."""

    def __init__(self, runs: Runs, inventory: Path, runner: WatchedRunner) -> None:
        self.runs = runs
        self.inventory = inventory
        self.runner = runner
        self.name = f"{socket.gethostname()}:{os.getpid()}"

    def work(self, to_end: Callable[[], bool] = lambda: False) -> None:
        """Do queued runs until none is left that can run now, or the worker has to end."""
        self.runs.sweep()
        while not to_end() and (run := self.runs.claim(self.name)):
            self._do(run)

    def _do(self, run: Run) -> None:
        state, reason, changed, log, report = FAILED, None, {}, None, None
        try:
            with _heartbeat(self.runs, run.id) as to_end, Recorder(self.runs, run.id) as recorder:
                result, report = perform(run, self.inventory, Watched(self.runner, recorder.take, to_end.is_set))
            changed, log = result.changed, str(result.log)
            state, reason = _outcome(result, to_end.is_set(), recorder.steps)
        except BerthError as error:
            reason = str(error)
        except BaseException as error:
            # the page must not say that it runs on; the traceback is in the worker's own log
            reason = f"the worker failed ({type(error).__name__}); see its log"
            raise
        finally:
            self.runs.finish(run.id, state, reason, changed, log, report)


def _outcome(result: Result, was_ended: bool, steps: int) -> tuple[str, str | None]:
    if result.ok:
        return SUCCEEDED, None
    if was_ended or INTERRUPTED in (failure.message for failure in result.failures):
        why = "cancelled" if was_ended else "its worker was stopped"
        return CANCELLED, f"{why} {RESUMED if steps else UNTOUCHED}"
    told = [f"{f.task} on {f.host}: {f.message}" if f.task else f.message for f in result.failures]
    told += [f"host {host} is not reachable: {reason}" for host, reason in result.unreachable.items()]
    return FAILED, "\n".join(told)


@contextmanager
def _heartbeat(runs: Runs, run_id: int) -> Iterator[threading.Event]:
    """Tell every two seconds that the worker lives; give what is set when the run has to end."""
    to_end, over = threading.Event(), threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            if not runs.beat(run_id):
                to_end.set()

    thread = threading.Thread(target=beat, name=f"heartbeat of run {run_id}", daemon=True)
    thread.start()
    try:
        yield to_end
    finally:
        over.set()
        thread.join()
