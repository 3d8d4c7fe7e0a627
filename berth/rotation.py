"""Rotation of keys: what it makes of a project's secrets, each step the same when it is done twice."""

from dataclasses import replace
from datetime import datetime

from berth.key_sets import KeySet
from berth.project_secrets import ProjectSecrets


def rotated(secrets: ProjectSecrets, project: str, now: datetime) -> ProjectSecrets:
    """A new key set beside the one in use, which works on; where two work already, those two, none made twice."""
    if len(secrets.key_sets) > 1:
        return secrets
    return replace(secrets, key_sets=(secrets.current, KeySet.new(project, secrets.current.number + 1, now)))


def cut(secrets: ProjectSecrets, project: str, now: datetime) -> ProjectSecrets:
    """A new key set alone: all that was before works no more."""
    return replace(secrets, key_sets=(KeySet.new(project, secrets.current.number + 1, now),))


def retired(secrets: ProjectSecrets) -> ProjectSecrets:
    """The key set in use alone."""
    return replace(secrets, key_sets=(secrets.current,))
