"""Rotation of keys: what it makes of a project's secrets, each step the same when it is done twice."""

from dataclasses import replace
from datetime import datetime

from berth.key_sets import KeySet
from berth.project_secrets import ProjectSecrets


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
