"""Idempotency keys: a request that is sent again gets the answer that it got, and does nothing again."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from webui.db import Database
from webui.models import Answer, now

KEPT = timedelta(hours=24)
GIVEN_UP = timedelta(minutes=2)  # a process that died while it worked on a request must not hold its key for a day


class KeyInUse(Exception):
    """The key belongs to another request, or to one that is not answered yet."""


class Answers:
    """The answers of one installation, for a day."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def begin(self, user_id: int, key: str, request_hash: str) -> tuple[int, dict[str, Any]] | None:
        """The status and body that this request got before; None when it is the first. Raise KeyInUse."""
        try:
            with self.db.begin() as session:
                unfinished = (Answer.status == 0) & (Answer.at < now() - GIVEN_UP)
                session.execute(delete(Answer).where((Answer.at < now() - KEPT) | unfinished))
                session.add(Answer(user_id=user_id, key=key, request_hash=request_hash, status=0, body={}))
        except IntegrityError:
            with self.db.read() as session:
                found = session.scalar(select(Answer).where(Answer.user_id == user_id, Answer.key == key))
            if found is None or found.request_hash != request_hash:
                raise KeyInUse("this key came with another request before; take a fresh one") from None
            if not found.status:
                raise KeyInUse("a request with this key is being worked on; ask again in a moment") from None
            return found.status, found.body
        return None

    def end(self, user_id: int, key: str, status: int, body: dict[str, Any] | None) -> None:
        """Keep an answer; one that is not worth keeping (None) frees the key."""
        with self.db.begin() as session:
            which = (Answer.user_id == user_id, Answer.key == key)
            if body is None:
                session.execute(delete(Answer).where(*which))
            elif found := session.scalar(select(Answer).where(*which)):
                found.status, found.body = status, body
