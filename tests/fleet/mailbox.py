"""A mail server on this machine that local hosts can reach, with login and a box that tests look into."""

import email
import email.policy
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from html import unescape

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from fleet.services import wait_until


class Mailbox:
    """The mails that came in, and the logins that were tried."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.logins: list[bool] = []
        self.messages: list[EmailMessage] = []
        self._lock = threading.Lock()

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:
        """Keep a mail."""
        with self._lock:
            self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 kept"

    def authenticate(self, server: object, session: object, envelope: object, kind: str, data: object) -> AuthResult:
        """Let in whoever has the password."""
        right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == (
            self.user,
            self.password,
        )
        self.logins.append(right)
        return AuthResult(success=right)

    def mail_to(self, address: str) -> EmailMessage:
        """Return the newest mail to an address, once there is one; AssertionError when none comes."""
        wait_until(lambda: self._to(address), f"a mail to {address}")
        return self._to(address)[-1]

    def _to(self, address: str) -> list[EmailMessage]:
        with self._lock:
            return [message for message in self.messages if message["To"] == address]


@contextmanager
def mail_server(address: str, user: str, password: str) -> Iterator[tuple[Mailbox, int]]:
    """Give a mailbox and the port of its server at an address of this machine, as long as the block runs."""
    box = Mailbox(user, password)
    controller = Controller(
        box,
        hostname=address,
        port=_free_port(address),
        authenticator=box.authenticate,
        auth_require_tls=False,
        server_hostname="mail.test",
    )
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


def _free_port(address: str) -> int:
    with socket.create_server((address, 0)) as listener:
        return listener.getsockname()[1]


def link_in(message: EmailMessage) -> str:
    """Return the first link of a mail."""
    match = re.search(r'href="([^"]+)"', message.get_content())
    assert match, message.get_content()
    return unescape(match[1])
