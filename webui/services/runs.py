"""Runs: asked for by people, done by workers one at a time per host, never silently forgotten."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from berth.errors import BerthError
from webui.db import Database
from webui.models import CANCELLED, LOST, QUEUED, RUNNING, SUCCEEDED, HostLock, Run, RunEvent, now
from webui.roles import ADMIN, OPERATOR

PAGE = 50
LOST_REASON = "its worker ended or stopped answering; the host is free again: run it again, it goes on where it was"


class NoSuchRun(BerthError):
    """A run that was never asked for."""


class RunRefused(BerthError):
    """Something that cannot be done with a run in its state."""


@dataclass(frozen=True)
class Order:
    """A run to be.

    hosts are those that it needs to itself, draft is the text of a declaration that is only to be planned, asked what
    people gave for the action.
    """

    action: str
    hosts: tuple[str, ...]
    playbook: str
    project: str | None = None
    check: bool = False
    draft: str | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    again_of: int | None = None


def role_to_change(run: Run) -> str:
    """The role that may cancel a run or do it once more."""
    return OPERATOR if run.project else ADMIN


class Runs:
    """The runs of one installation; `wake` tells a worker that there is work."""

    def __init__(self, db: Database, wake: Callable[[], object], lost_after: float) -> None:
        self.db = db
        self.wake = wake
        self.lost_after = timedelta(seconds=lost_after)

    def submit(self, session: Session, order: Order, asked_by: str) -> Run:
        """Put a run in the queue as part of a transaction; call `wake` after it."""
        run = Run(
            action=order.action,
            project=order.project,
            hosts=list(order.hosts),
            playbook=order.playbook,
            check=order.check,
            draft=order.draft,
            asked=order.asked,
            again_of=order.again_of,
            asked_by=asked_by,
            state=QUEUED,
            changed={},
        )
        session.add(run)
        session.flush()
        return run

    def get(self, run_id: int) -> Run:
        """One run; raise NoSuchRun."""
        with self.db.read() as session:
            return self._get(session, run_id)

    def page(self, before: int | None = None, projects: Iterable[str] | None = None, limit: int = PAGE) -> list[Run]:
        """Runs with lower numbers than `before`, newest first, of all or of some projects."""
        query = select(Run).order_by(Run.id.desc()).limit(limit)
        if before is not None:
            query = query.where(Run.id < before)
        if projects is not None:
            query = query.where(Run.project.in_(list(projects)))
        with self.db.read() as session:
            return list(session.scalars(query))

    def events(self, run_id: int, after: int = 0, limit: int | None = None) -> list[RunEvent]:
        """The events of a run with higher numbers than `after`, in their order."""
        query = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.number > after).order_by(RunEvent.number)
        with self.db.read() as session:
            return list(session.scalars(query.limit(limit)))

    def usual_steps(self, run: Run) -> int | None:
        """How many steps the last run of its kind had that succeeded; None where there was none."""
        query = (
            select(Run.steps)
            .where(Run.playbook == run.playbook, Run.check == run.check, Run.state == SUCCEEDED)
            .order_by(Run.id.desc())
            .limit(1)
        )
        with self.db.read() as session:
            return session.scalar(query)

    def last(self, playbook: str, project: str | None = None, state: str | None = SUCCEEDED) -> Run | None:
        """The newest run of a playbook for a project, or for none, in a state, or in any; None where there is none."""
        query = select(Run).where(Run.playbook == playbook, Run.project == project).order_by(Run.id.desc()).limit(1)
        if state is not None:
            query = query.where(Run.state == state)
        with self.db.read() as session:
            return session.scalar(query)

    def waiting(self) -> Run | None:
        """The queued run that waits longest; None where none does."""
        with self.db.read() as session:
            return session.scalar(select(Run).where(Run.state == QUEUED).order_by(Run.id).limit(1))

    def cancel(self, session: Session, run_id: int, who: str) -> Run:
        """Ask a run to end as part of a transaction; a queued one has ended then. Raise RunRefused when it is over."""
        run = self._get(session, run_id)
        # one statement for each, so that a worker that takes it meanwhile is not overruled
        begun = {
            "state": CANCELLED,
            "ended_at": now(),
            "cancel_asked_by": who,
            "reason": f"cancelled by {who} while it waited; nothing was changed",
        }
        was_queued = session.execute(update(Run).where(Run.id == run_id, Run.state == QUEUED).values(**begun)).rowcount
        asked = update(Run).where(Run.id == run_id, Run.state == RUNNING).values(cancel_asked_by=who)
        if not was_queued and not session.execute(asked).rowcount:
            raise RunRefused(f"run {run_id}: found {run.state}, allowed: queued or running; there is nothing to cancel")
        session.refresh(run)
        return run

    def again(self, session: Session, run_id: int, who: str) -> Run:
        """Put the same run in the queue once more as part of a transaction; raise RunRefused while it is not over."""
        run = self._get(session, run_id)
        if not run.over:
            raise RunRefused(f"run {run_id}: found {run.state}; wait for its end or cancel it")
        order = Order(run.action, tuple(run.hosts), run.playbook, run.project, run.check, run.draft, run.asked, run.id)
        return self.submit(session, order, who)

    def claim(self, worker: str) -> Run | None:
        """The oldest run whose hosts are all free, marked as running and its hosts as taken."""
        with self.db.begin() as session:
            if not self.db.is_sqlite:
                session.execute(text("LOCK TABLE host_locks IN EXCLUSIVE MODE"))
            taken = set(session.scalars(select(HostLock.host)))
            for run in session.scalars(select(Run).where(Run.state == QUEUED).order_by(Run.id)):
                if taken.isdisjoint(run.hosts):
                    run.state, run.worker = RUNNING, worker
                    run.started_at = run.heartbeat_at = now()
                    session.add_all(HostLock(host=host, run_id=run.id) for host in run.hosts)
                    return run
                # a run on many hosts must not wait for ever behind younger ones
                taken |= set(run.hosts)
        return None

    def beat(self, run_id: int) -> bool:
        """Tell that the worker lives; False when it has to end the run."""
        alive = update(Run).where(Run.id == run_id, Run.state == RUNNING).values(heartbeat_at=now())
        with self.db.begin() as session:
            if not session.execute(alive).rowcount:
                return False
            return session.scalar(select(Run.cancel_asked_by).where(Run.id == run_id)) is None

    def note(self, run_id: int, events: list[RunEvent], steps: int) -> None:
        """Keep events of a run and how many steps it has begun."""
        with self.db.begin() as session:
            session.add_all(events)
            session.execute(update(Run).where(Run.id == run_id).values(steps=steps))

    def finish(
        self,
        run_id: int,
        state: str,
        reason: str | None,
        changed: dict[str, int],
        log: str | None,
        report: dict[str, Any] | None = None,
    ) -> None:
        """Note the end of a run and free its hosts; a run that was given up as lost stays lost."""
        ended = {"state": state, "ended_at": now(), "reason": reason, "changed": changed, "log": log, "report": report}
        with self.db.begin() as session:
            session.execute(update(Run).where(Run.id == run_id, Run.state == RUNNING).values(**ended))
            session.execute(delete(HostLock).where(HostLock.run_id == run_id))

    def sweep(self) -> list[int]:
        """Give up runs whose worker is silent, free their hosts, and return their numbers."""
        silent = (Run.state == RUNNING) & (Run.heartbeat_at < now() - self.lost_after)
        with self.db.read() as session:
            if session.scalar(select(Run.id).where(silent).limit(1)) is None:
                return []
        with self.db.begin() as session:
            lost = list(session.scalars(select(Run.id).where(silent)))
            ended = {"state": LOST, "ended_at": now(), "reason": LOST_REASON}
            session.execute(update(Run).where(Run.id.in_(lost), silent).values(**ended))
            session.execute(delete(HostLock).where(HostLock.run_id.in_(lost)))
        self.wake()
        return lost

    def busy(self) -> dict[str, Run]:
        """The runs that have hosts to themselves, by host."""
        with self.db.read() as session:
            query = select(HostLock.host, Run).join(Run, Run.id == HostLock.run_id)
            return dict(session.execute(query).all())

    def counts(self) -> dict[str, int]:
        """How many runs are in each state that has any."""
        with self.db.read() as session:
            return dict(session.execute(select(Run.state, func.count()).group_by(Run.state)).all())

    def _get(self, session: Session, run_id: int) -> Run:
        run = session.get(Run, run_id)
        if run is None:
            raise NoSuchRun(f"run {run_id}: there is none of this number")
        return run
