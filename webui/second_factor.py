"""The second factor of people: codes of an authenticator app, each good for once."""

import base64
import hashlib
import secrets

import pyotp
from cryptography.fernet import Fernet
from sqlalchemy.orm import Session

from webui.account_errors import AccountError
from webui.db import Database
from webui.models import User, now
from webui.services.audit import Actor, note


class SecondFactors:
    """The second factors of one installation; their secrets are sealed with its key."""

    def __init__(self, db: Database, secret_key: str) -> None:
        self.db = db
        self._seal = Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"totp:{secret_key}".encode()).digest()))

    def start_totp(self, user_id: int) -> str:
        """The address for an authenticator app, of a secret that counts only after confirm_totp."""
        secret = pyotp.random_base32()
        with self.db.begin() as session:
            user = self._get(session, user_id)
            if user.totp_enabled:
                raise AccountError("the second factor is on already; switch it off first")
            user.totp_sealed = self._seal.encrypt(secret.encode()).decode()
            return self._uri(user)

    def totp_uri(self, user_id: int) -> str:
        """The same address again; raise AccountError when the second factor was not started, or is on."""
        with self.db.read() as session:
            user = self._get(session, user_id)
            if user.totp_sealed is None or user.totp_enabled:
                raise AccountError("the second factor is not being switched on; start it on the page of the account")
            return self._uri(user)

    def confirm_totp(self, user_id: int, code: str, address: str) -> None:
        """Switch the second factor on when the code fits; raise AccountError."""
        if not self._use_code(user_id, code):
            raise AccountError("code: does not fit; check the clock of the device and try the next one")
        with self.db.begin() as session:
            user = self._get(session, user_id)
            user.totp_enabled = True
            note(session, Actor(user.name, address), "second factor on", user.name)

    def stop_totp(self, user_id: int, address: str) -> None:
        """Switch the second factor off."""
        with self.db.begin() as session:
            user = self._get(session, user_id)
            user.totp_enabled, user.totp_sealed = False, None
            note(session, Actor(user.name, address), "second factor off", user.name)

    def _uri(self, user: User) -> str:
        return self._totp(user).provisioning_uri(name=user.name, issuer_name="Berth")

    def _totp(self, user: User) -> pyotp.TOTP:
        return pyotp.TOTP(self._seal.decrypt((user.totp_sealed or "").encode()).decode())

    def _use_code(self, user_id: int, code: str) -> bool:
        with self.db.begin() as session:
            user = self._get(session, user_id)
            if user.totp_sealed is None:
                return False
            totp = self._totp(user)
            current = int(now().timestamp()) // totp.interval
            for step in (current - 1, current, current + 1):
                fits = secrets.compare_digest(totp.generate_otp(step).encode(), code.strip().encode())
                if fits and step > user.totp_last_step:
                    user.totp_last_step = step
                    return True
        return False

    def _get(self, session: Session, user_id: int) -> User:
        user = session.get(User, user_id)
        if user is None:
            raise AccountError(f"user {user_id}: there is none of this number")
        return user
