"""Mails with a link, sent over SMTP as GoTrue sends them."""

import smtplib
import ssl
import urllib.request
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid
from urllib.parse import quote, urljoin

from .errors import ApiError
from .log import log
from .settings import Mailer

PATIENCE = 10
TEXTS = {
    "CONFIRMATION": "<h2>Confirm your email</h2>\n\n<p>Follow this link to confirm your email:</p>\n"
    '<p><a href="{{ .ConfirmationURL }}">Confirm your email address</a></p>',
    "RECOVERY": "<h2>Reset password</h2>\n\n<p>Follow this link to reset the password for your user:</p>\n"
    '<p><a href="{{ .ConfirmationURL }}">Reset password</a></p>',
}
TYPES = {"CONFIRMATION": "signup", "RECOVERY": "recovery"}


def link(mailer: Mailer, kind: str, token: str, redirect_to: str) -> str:
    """Return the link of a mail: the path and query resolved against API_EXTERNAL_URL."""
    query = f"?token={token}&type={TYPES[kind]}&redirect_to={quote(redirect_to, safe='/:')}"
    return urljoin(mailer.external_url, mailer.paths[kind] + query)


def require_pause(mailer: Mailer, sent_at: datetime | None) -> None:
    """Raise ApiError 429 when the user was sent such a mail a moment ago."""
    waited = (datetime.now(UTC) - sent_at).total_seconds() if sent_at else mailer.frequency
    if waited < mailer.frequency:
        seconds = max(1, round(mailer.frequency - waited))
        message = f"For security purposes, you can only request this after {seconds} seconds."
        raise ApiError(429, "over_email_send_rate_limit", message)


def send(mailer: Mailer, kind: str, to: str, token: str, redirect_to: str) -> None:
    """Send one mail, or none without a mail server; ApiError 429 when there were too many, 500 when it is not taken."""
    if not mailer.host:
        return
    if not mailer.limit.allows():
        raise ApiError(429, "over_email_send_rate_limit", "email rate limit exceeded")
    values = {"ConfirmationURL": link(mailer, kind, token, redirect_to), "Email": to, "RedirectTo": redirect_to}
    try:
        message = EmailMessage()
        message["Subject"] = filled(mailer.subjects[kind], values)
        message["From"] = formataddr((mailer.sender_name, mailer.sender))
        message["To"] = to
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain="standin.invalid")
        message.set_content(filled(template(mailer, kind), values), subtype="html", cte="quoted-printable")
        deliver(mailer, message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        log("error", f"Mail not sent: {type(error).__name__}")
        what = {"CONFIRMATION": "confirmation", "RECOVERY": "recovery"}[kind]
        raise ApiError(500, "unexpected_failure", f"Error sending {what} email") from None


def deliver(mailer: Mailer, message: EmailMessage) -> None:
    """Hand a message to the server; TLS at once on port 465, else where the server offers it."""
    kind = smtplib.SMTP_SSL if mailer.port == 465 else smtplib.SMTP
    with kind(mailer.host, mailer.port, timeout=PATIENCE) as server:
        if mailer.port != 465 and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if mailer.user:
            server.login(mailer.user, mailer.password)
        server.send_message(message)


def template(mailer: Mailer, kind: str) -> str:
    """Return the text of a mail: what the template's URL gives, else GoTrue's own."""
    if not mailer.templates[kind]:
        return TEXTS[kind]
    try:
        with urllib.request.urlopen(mailer.templates[kind], timeout=PATIENCE) as answer:  # noqa: S310 - as GoTrue does
            return answer.read().decode()
    except OSError:
        return TEXTS[kind]


def filled(text: str, values: dict[str, str]) -> str:
    """Return a template of Go with plain values in it."""
    for name, value in values.items():
        text = text.replace("{{ ." + name + " }}", value)
    return text
