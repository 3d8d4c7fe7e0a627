"""How many logins may fail before the next has to wait."""

from datetime import timedelta

from sqlalchemy import delete, func, select

from webui.account_errors import LoginRefused
from webui.db import Database
from webui.models import Attempt, now
from webui.services.audit import Actor, note

WINDOW = timedelta(minutes=15)
PER_NAME_AND_ADDRESS, PER_ADDRESS, PER_NAME = 5, 20, 100


def require_room(db: Database, name: str, address: str) -> None:
    """Return when a login of this name from this address may be tried; raise LoginRefused that says when."""
    since = now() - WINDOW
    limits = (
        ((Attempt.name == name) & (Attempt.address == address), PER_NAME_AND_ADDRESS),
        (Attempt.address == address, PER_ADDRESS),
        (Attempt.name == name, PER_NAME),
    )
    with db.read() as session:
        for which, allowed in limits:
            count, oldest = session.execute(
                select(func.count(), func.min(Attempt.at)).where(which, Attempt.at > since)
            ).one()
            if count >= allowed:
                wait = max(1, int((oldest - since).total_seconds()) + 1)
                raise LoginRefused(f"too many attempts failed; try again in {wait // 60 + 1} minutes", wait)


def note_failure(db: Database, name: str, address: str) -> None:
    """Keep that a login failed, and let go of those that count no more."""
    with db.begin() as session:
        session.execute(delete(Attempt).where(Attempt.at < now() - WINDOW))
        session.add(Attempt(name=name, address=address))
        note(session, Actor(name, address), "log in failed", name)
