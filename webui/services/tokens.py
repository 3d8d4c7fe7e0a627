"""Bearer tokens of the HTTP API: a person's role, cut down to scopes."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from berth.errors import BerthError
from webui.accounts import access_of, digest
from webui.db import Database
from webui.models import Token, User, now
from webui.roles import Access
from webui.services.audit import Actor, note

BEGINNING = "berth_"
SCOPES = {
    "read": "hosts, projects and runs",
    "write": "add and change projects, start and cancel runs",
    "keys": "keys of projects",
    "admin": "the audit, and runs over all hosts",
    "people": "people, and the list of tokens",
}
MOST_DAYS = 366
_SEEN_EVERY = timedelta(minutes=1)


class TokenError(BerthError):
    """A token that cannot be made or revoked, with the remedy."""


class NoSuchToken(TokenError):
    """A token that was never made, is revoked, or is somebody else's."""


@dataclass(frozen=True)
class Bearer:
    """Whose request this is, and what it may."""

    user: User
    access: Access
    token: Token


class Tokens:
    """The tokens of one installation."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def add(self, who: Actor, user_id: int, name: str, scopes: list[str], days: int | None) -> tuple[Token, str]:
        """A new token and its text, which nobody can read again, good for so many days; raise TokenError."""
        if not name.strip() or len(name) > 64 or not name.isprintable():
            raise TokenError(f"name: found {name[:80]!r}, allowed: 1 to 64 characters that say what it is for")
        if not scopes or not set(scopes) <= set(SCOPES):
            raise TokenError(
                f"scopes: found {', '.join(scopes) or 'none'}, allowed: one or more of {', '.join(SCOPES)}"
            )
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise TokenError(f"days: found {days}, allowed: 1 to {MOST_DAYS}, or none for no end")
        text = BEGINNING + secrets.token_urlsafe(32)
        token = Token(user_id=user_id, name=name.strip(), token_hash=digest(text), beginning=text[:12])
        token.scopes = [scope for scope in SCOPES if scope in scopes]
        token.expires_at = now() + timedelta(days=days) if days else None
        with self.db.begin() as session:
            session.add(token)
            note(session, who, "add token", name.strip(), details={"scopes": token.scopes, "days": days})
        return token, text

    def of(self, user_id: int | None = None) -> list[tuple[Token, str]]:
        """The tokens of a person, or of everybody, each with the person's name."""
        query = select(Token, User.name).join(User, User.id == Token.user_id).order_by(User.name, Token.id)
        if user_id is not None:
            query = query.where(Token.user_id == user_id)
        with self.db.read() as session:
            return [(token, name) for token, name in session.execute(query)]

    def revoke(self, who: Actor, token_id: int, user_id: int | None = None) -> None:
        """Revoke a token, of a person where one is given; raise TokenError where there is none."""
        with self.db.begin() as session:
            token = session.get(Token, token_id)
            if token is None or user_id not in (None, token.user_id):
                raise NoSuchToken(f"token {token_id}: there is none of this number, or it is revoked already")
            session.delete(token)
            note(session, who, "revoke token", token.name)

    def bearer(self, text: str) -> Bearer | None:
        """Whose token this is, None where it is no token, or one that has ended."""
        with self.db.read() as session:
            found = session.execute(
                select(Token, User).join(User).where(Token.token_hash == digest(text), User.active)
            ).first()
            if found is None:
                return None
            token, user = found
            if token.expires_at is not None and token.expires_at <= now():
                return None
            bearer = Bearer(user, access_of(session, user), token)
        if token.last_used_at is None or now() - token.last_used_at > _SEEN_EVERY:
            self._note_use(token.id, now())
        return bearer

    def _note_use(self, token_id: int, at: datetime) -> None:
        with self.db.begin() as session:
            if token := session.get(Token, token_id):
                token.last_used_at = at
