"""Live runs: however many people watch a run, the database is asked once for all of them."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from webui.models import Run, RunEvent
from webui.services.runs import Runs

POLL_SECONDS = 0.3
QUIET_SECONDS = 15.0


@dataclass(frozen=True)
class News:
    """What is new about a run: its events since the last news, and the run itself; no events when only time passed."""

    run: Run
    events: list[RunEvent]


@dataclass
class _Tail:
    """What all watchers of one run share."""

    run: Run
    events: list[RunEvent]
    watchers: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, run: Run, after: int) -> None:
        """Return when there is more than this, or after a while."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.events) > after or self.run is not run, QUIET_SECONDS)

    def add(self, run: Run, events: list[RunEvent]) -> None:
        """Tell the watchers what is new."""
        with self.changed:
            self.events = self.events + events
            self.run = run
            self.changed.notify_all()


class Watch:
    """Follows runs for as long as somebody watches."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._tails: dict[int, _Tail] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._readers: set[threading.Thread] = set()

    def close(self) -> None:
        """Return when nothing is read any more."""
        self._over.set()
        for reader in tuple(self._readers):
            reader.join()

    def follow(self, run_id: int, after: int, seconds: float) -> Iterator[News]:
        """Give news of a run from the event after `after` on, until it is over or the time is; raise NoSuchRun."""
        tail = self._join(run_id)
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                run = tail.run  # before the events, so that the end is told only after all of them
                news = [event for event in tail.events[max(0, after) :] if event.number > after]
                yield News(run, news)
                after = news[-1].number if news else after
                if run.over and len(tail.events) <= after:
                    return
                tail.wait(run, after)
        finally:
            self._leave(run_id, tail)

    def _join(self, run_id: int) -> _Tail:
        with self._lock:
            tail = self._tails.get(run_id)
            if tail is None:
                # the run before its events: once it is over, none can be missing
                tail = self._tails[run_id] = _Tail(self._runs.get(run_id), self._runs.events(run_id))
                tail.watchers = 1
                reader = threading.Thread(target=self._read, args=(run_id, tail), name=f"watch {run_id}", daemon=True)
                self._readers.add(reader)
                reader.start()
            else:
                tail.watchers += 1
            return tail

    def _leave(self, run_id: int, tail: _Tail) -> None:
        with self._lock:
            tail.watchers -= 1
            if not tail.watchers and self._tails.get(run_id) is tail:
                del self._tails[run_id]

    def _read(self, run_id: int, tail: _Tail) -> None:
        try:
            self._read_on(run_id, tail)
        finally:
            self._readers.discard(threading.current_thread())

    def _read_on(self, run_id: int, tail: _Tail) -> None:
        while tail.watchers and not self._over.is_set():
            self._runs.sweep()
            run = self._runs.get(run_id)
            events = self._runs.events(run_id, after=len(tail.events))
            if events or _shown(run) != _shown(tail.run):
                tail.add(run, events)
            if run.over:
                return
            self._over.wait(POLL_SECONDS)


def _shown(run: Run) -> tuple[object, ...]:
    return run.state, run.steps, run.cancel_asked_by
