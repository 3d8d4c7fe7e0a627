"""Who did what, when and from where: written in the transaction of the change itself, never a secret in it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webui.db import Database
from webui.models import AuditEntry

PAGE = 50


@dataclass(frozen=True)
class Actor:
    """A person, or a program that acts for one, and the network address it came from."""

    name: str
    address: str


def note(
    session: Session,
    who: Actor,
    action: str,
    target: str,
    run_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add an entry to a transaction."""
    entry = AuditEntry(actor=who.name, address=who.address, action=action, target=target, run_id=run_id)
    entry.details = {key: value for key, value in (details or {}).items() if value not in (None, [], ())}
    session.add(entry)


def entries(db: Database, before: int | None = None, target: str | None = None, limit: int = PAGE) -> list[AuditEntry]:
    """Entries with lower numbers than `before`, newest first, of all or of one target."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if target:
        query = query.where(AuditEntry.target == target)
    with db.read() as session:
        return list(session.scalars(query))
