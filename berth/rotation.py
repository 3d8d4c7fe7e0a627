"""Rotation of keys: what it makes of a project's secrets, each step the same when it is done twice."""

from dataclasses import replace
from datetime import UTC, datetime

from berth.errors import BerthError
from berth.key_sets import KeySet
from berth.project_secrets import ProjectSecrets


class RotationError(BerthError):
    """A rotation that cannot be done as it was asked for, with the remedy."""


def rotated(secrets: ProjectSecrets, project: str, now: datetime, retire_at: datetime | None = None) -> ProjectSecrets:
    """A new key set beside the one in use, which works on; where two work already, those, so that none is made twice.

    With a date the former set retires then.
    """
    former, current = list(secrets.key_sets[:-1]), secrets.current
    if not former:
        former, current = [current], KeySet.new(project, current.number + 1, now)
    if retire_at is not None:
        former = [one.retiring(retire_at) for one in former]
    return replace(secrets, key_sets=(*former, current))


def cut(secrets: ProjectSecrets, project: str, now: datetime) -> ProjectSecrets:
    """A new key set alone: all that was before works no more."""
    return replace(secrets, key_sets=(KeySet.new(project, secrets.current.number + 1, now),))


def retired(secrets: ProjectSecrets) -> ProjectSecrets:
    """The key set in use alone."""
    return replace(secrets, key_sets=(secrets.current,))


def in_force(secrets: ProjectSecrets, now: datetime) -> ProjectSecrets:
    """The secrets without former key sets whose date of retirement has come."""
    former = [one for one in secrets.key_sets[:-1] if one.retire_at is None or one.retire_at > now]
    return replace(secrets, key_sets=(*former, secrets.current))


def parse_retirement(text: str, now: datetime) -> datetime:
    """The time of a text such as 2026-12-24 or 2026-12-24T18:00+01:00, in UTC without a zone; raise RotationError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RotationError(
            f"--retire-at: found {text!r}, allowed: a date such as 2026-12-24 or a time such as 2026-12-24T18:00+01:00"
        ) from None
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    if moment <= now:
        raise RotationError(f"--retire-at: found {text!r}, which is past; allowed: a later time, or --retire for now")
    return moment
