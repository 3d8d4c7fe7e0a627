"""Rotation of keys: what it makes of a project's secrets, each step the same when it is done twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, get_args

from berth.errors import BerthError
from berth.key_sets import KeySet
from berth.project_secrets import ProjectSecrets

Step = Literal["start", "retire", "now"]
STEPS: tuple[Step, ...] = get_args(Step)


class BadEnd(BerthError):
    """A time that an overlap cannot end at, with the remedy."""


def end_of_overlap(text: str, now: datetime) -> datetime:
    """The moment that a text of ISO 8601 names, in UTC unless it says otherwise; raise BadEnd."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadEnd(
            f"found {text}, allowed: a day such as 2027-01-31 or a time such as 2027-01-31T18:00+01:00"
        ) from None
    if moment <= now:
        raise BadEnd(f"found {text}, which has passed; give a later time, or retire them at once")
    return moment


def change(step: Step, project: str, retire_at: datetime | None = None) -> Callable[[ProjectSecrets], ProjectSecrets]:
    """What a step makes of the secrets of a project: start an overlap, retire what was before, or cut at once."""
    moment = datetime.now(UTC).replace(microsecond=0)
    match step:
        case "start":
            return lambda secrets: rotated(secrets, project, moment, retire_at)
        case "retire":
            return retired
        case "now":
            return lambda secrets: cut(secrets, project, moment)


def rotated(secrets: ProjectSecrets, project: str, now: datetime, retire_at: datetime | None = None) -> ProjectSecrets:
    """A new key set beside the one in use, which works on; where two work already, those two, none made twice.

    With a moment, the former set works until then; without one, as long as was said before.
    """
    known = secrets.at(now)
    if len(known.key_sets) > 1:
        return replace(known, retire_at=retire_at or known.retire_at)
    both = (known.current, KeySet.new(project, known.current.number + 1, now))
    return replace(known, key_sets=both, retire_at=retire_at)


def cut(secrets: ProjectSecrets, project: str, now: datetime) -> ProjectSecrets:
    """A new key set alone: all that was before works no more."""
    return replace(secrets, key_sets=(KeySet.new(project, secrets.current.number + 1, now),), retire_at=None)


def retired(secrets: ProjectSecrets) -> ProjectSecrets:
    """The key set in use alone."""
    return replace(secrets, key_sets=(secrets.current,), retire_at=None)
