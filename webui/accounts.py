"""People: what they may, passwords, one-time links, sessions."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from webui.account_errors import AccountError, CodeNeeded, LoginRefused, PersonExists
from webui.db import Database
from webui.models import Attempt, Grant, Link, Login, User, now
from webui.roles import ADMIN, ROLES, Access
from webui.second_factor import SecondFactors
from webui.services.audit import Actor, note
from webui.throttle import note_failure, require_room

LINK_HOURS = 24
PROOF_MINUTES = 10
PASSWORD_LENGTH = (12, 256)
NAME_RULE = "2 to 64 of a-z, 0-9, '.', '_', '@' and '-', first a letter or digit"
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}", re.ASCII)


@dataclass(frozen=True)
class Visit:
    """A session as requests see it: whose it is, what they may, until when their proof of identity is fresh."""

    user: User
    access: Access
    proven_until: datetime

    @property
    def proven(self) -> bool:
        """Whether the password was given in the last ten minutes."""
        return now() < self.proven_until


def digest(token: str) -> str:
    """What the database keeps of a random token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Accounts(SecondFactors):
    """The people of one installation."""

    def __init__(self, db: Database, secret_key: str, session_hours: int) -> None:
        super().__init__(db, secret_key)
        self.session_hours = session_hours
        self._hasher = PasswordHasher()
        self._dummy = self._hasher.hash(secrets.token_urlsafe(16))

    def add(self, who: Actor, name: str, role: str, grants: dict[str, str] | None = None) -> str:
        """Add a person and return the token of the link to set a password; raise AccountError."""
        if not _NAME.fullmatch(name):
            raise AccountError(f"name: found {name!r}, allowed: {NAME_RULE}; choose another name")
        _require_role(role)
        with self.db.begin() as session:
            if session.scalar(select(User.id).where(User.name == name)) is not None:
                raise PersonExists(f"name: found {name!r}, which somebody has already; choose another name")
            user = User(name=name, role=role, active=True)
            session.add(user)
            session.flush()
            _set_grants(session, user.id, grants or {})
            note(session, who, "add user", name, details={"role": role, "grants": grants})
            return _new_link(session, user.id)

    def change(
        self, who: Actor, user_id: int, role: str, active: bool = True, grants: dict[str, str] | None = None
    ) -> None:
        """Change what a person may; ends the sessions of one who is switched off. Raise AccountError."""
        _require_role(role)
        with self.db.begin() as session:
            user = self._get(session, user_id)
            if user.role == ADMIN and (role != ADMIN or not active) and not _other_admins(session, user_id):
                raise AccountError(f"{user.name}: the only admin; make somebody else admin first")
            user.role, user.active = role, active
            if grants is not None:
                _set_grants(session, user_id, grants)
            if not active:
                session.execute(delete(Login).where(Login.user_id == user_id))
            note(session, who, "change user", user.name, details={"role": role, "active": active, "grants": grants})

    def new_link(self, who: Actor, user_id: int) -> str:
        """The token of a fresh link to set a password and to leave the second factor behind; ends all sessions."""
        with self.db.begin() as session:
            user = self._get(session, user_id)
            session.execute(delete(Link).where(Link.user_id == user_id))
            session.execute(delete(Login).where(Login.user_id == user_id))
            user.totp_enabled, user.totp_sealed = False, None
            note(session, who, "new link", user.name)
            return _new_link(session, user_id)

    def all(self) -> list[tuple[User, dict[str, str]]]:
        """Everybody with their roles by project, by name."""
        with self.db.read() as session:
            grants: dict[int, dict[str, str]] = {}
            for grant in session.scalars(select(Grant).order_by(Grant.project)):
                grants.setdefault(grant.user_id, {})[grant.project] = grant.role
            return [(user, grants.get(user.id, {})) for user in session.scalars(select(User).order_by(User.name))]

    def get(self, user_id: int) -> User:
        """One person; raise AccountError."""
        with self.db.read() as session:
            return self._get(session, user_id)

    def grants(self, user_id: int) -> dict[str, str]:
        """The roles by project of a person."""
        with self.db.read() as session:
            found = select(Grant).where(Grant.user_id == user_id).order_by(Grant.project)
            return {grant.project: grant.role for grant in session.scalars(found)}

    def named(self, name: str) -> User | None:
        """The person of a name."""
        with self.db.read() as session:
            return session.scalar(select(User).where(User.name == name))

    def of_link(self, token: str) -> User:
        """Whose link this is; raise AccountError when it was used, is too old or never was."""
        with self.db.read() as session:
            return self._of_link(session, token)

    def use_link(self, token: str, password: str, address: str) -> User:
        """Set the password by a link, which is used up then; raise AccountError."""
        hashed = self._hash(password)
        with self.db.begin() as session:
            user = self._of_link(session, token)
            user.password_hash = hashed
            session.execute(delete(Link).where(Link.user_id == user.id))
            note(session, Actor(user.name, address), "set password", user.name)
            return user

    def change_password(self, user_id: int, password: str, address: str, keep: str) -> None:
        """Set the password and end all sessions but the one of the token `keep`; raise AccountError."""
        hashed = self._hash(password)
        with self.db.begin() as session:
            user = self._get(session, user_id)
            user.password_hash = hashed
            session.execute(delete(Login).where(Login.user_id == user_id, Login.token_hash != digest(keep)))
            note(session, Actor(user.name, address), "set password", user.name)

    def prove(self, name: str, password: str, code: str, address: str) -> User:
        """The person of a name and password, and of the code where there is a second factor.

        Raise LoginRefused, also when too many attempts failed, and CodeNeeded when only the code is missing.
        """
        name = name[:64]
        require_room(self.db, name, address)
        with self.db.read() as session:
            user = session.scalar(select(User).where(User.name == name))
        right = self._matches(user.password_hash if user else None, password)
        if user is None or not right or not user.active:
            note_failure(self.db, name, address)
            raise LoginRefused("name or password is wrong")
        if user.totp_enabled:
            if not code:
                raise CodeNeeded("the code of the second factor is needed")
            if not self._use_code(user.id, code):
                note_failure(self.db, name, address)
                raise LoginRefused("the code is wrong or was used already")
        return user

    def log_in(self, user: User, address: str) -> str:
        """The token of a new session."""
        token = secrets.token_urlsafe(32)
        at = now()
        with self.db.begin() as session:
            session.execute(delete(Login).where(Login.expires_at < at))
            ends = at + timedelta(hours=self.session_hours)
            session.add(
                Login(token_hash=digest(token), user_id=user.id, expires_at=ends, proven_at=at, address=address)
            )
            self._get(session, user.id).last_login_at = at
            session.execute(delete(Attempt).where(Attempt.name == user.name, Attempt.address == address))
            note(session, Actor(user.name, address), "log in", user.name)
        return token

    def visit(self, token: str) -> Visit | None:
        """What a session's token says, None when it is over."""
        with self.db.read() as session:
            found = session.execute(
                select(User, Login.proven_at)
                .join(Login, Login.user_id == User.id)
                .where(Login.token_hash == digest(token), Login.expires_at > now(), User.active)
            ).first()
            if found is None:
                return None
            user, proven_at = found
            return Visit(user, access_of(session, user), proven_at + timedelta(minutes=PROOF_MINUTES))

    def prove_again(self, token: str) -> None:
        """Note that the person of a session has just proven who they are."""
        with self.db.begin() as session:
            if login := session.get(Login, digest(token)):
                login.proven_at = now()

    def log_out(self, token: str) -> None:
        """End a session."""
        with self.db.begin() as session:
            session.execute(delete(Login).where(Login.token_hash == digest(token)))

    def _hash(self, password: str) -> str:
        shortest, longest = PASSWORD_LENGTH
        if not shortest <= len(password) <= longest:
            raise AccountError(f"password: found {len(password)} characters, allowed: {shortest} to {longest}")
        return self._hasher.hash(password)

    def _matches(self, hashed: str | None, password: str) -> bool:
        try:
            # without an account the time must be the same
            return self._hasher.verify(hashed or self._dummy, password[: PASSWORD_LENGTH[1] + 1]) and hashed is not None
        except (Argon2Error, InvalidHashError):
            return False

    def _of_link(self, session: Session, token: str) -> User:
        link = session.get(Link, digest(token))
        user = session.get(User, link.user_id) if link and link.expires_at > now() else None
        if user is None or not user.active:
            raise AccountError("this link was used already or is too old; ask an admin, or run: berth ui link NAME")
        return user


def access_of(session: Session, user: User) -> Access:
    """What a person may."""
    grants = session.execute(select(Grant.project, Grant.role).where(Grant.user_id == user.id))
    return Access(user.role, dict(grants.all()))


def _new_link(session: Session, user_id: int) -> str:
    token = secrets.token_urlsafe(32)
    ends = now() + timedelta(hours=LINK_HOURS)
    session.execute(delete(Link).where(or_(Link.expires_at < now(), Link.user_id == user_id)))
    session.add(Link(token_hash=digest(token), user_id=user_id, expires_at=ends))
    return token


def _set_grants(session: Session, user_id: int, grants: dict[str, str]) -> None:
    for role in grants.values():
        _require_role(role)
    session.execute(delete(Grant).where(Grant.user_id == user_id))
    session.add_all(Grant(user_id=user_id, project=project, role=role) for project, role in grants.items())


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise AccountError(f"role: found {role!r}, allowed: {', '.join(ROLES)}; correct the value")


def _other_admins(session: Session, user_id: int) -> int:
    query = select(func.count()).where(User.role == ADMIN, User.active, User.id != user_id)
    return session.scalar(query) or 0
