"""Secrets of the section auth of a declaration: which there can be, which a project needs."""

from collections.abc import Collection, Mapping
from typing import get_args

from berth.auth_model import ProviderName
from berth.errors import BerthError
from berth.models import Project

SMTP_PASSWORD = "smtp_password"  # noqa: S105 - the name of one
NAMES = (SMTP_PASSWORD, *(f"oauth_{provider}_secret" for provider in get_args(ProviderName)))
LONGEST = 4000


class AuthSecretError(BerthError):
    """A secret that is unknown, missing, still needed or malformed, with the remedy, never with its value."""


def needed(project: Project) -> dict[str, str]:
    """The names of the secrets that the declaration needs, each with the key that does."""
    names = {f"oauth_{provider}_secret": f"auth.providers.{provider}" for provider in project.auth.providers}
    return {SMTP_PASSWORD: "auth.smtp.user", **names} if project.auth.smtp.user else names


def require(project: Project, there: Collection[str]) -> None:
    """Return when every secret that the declaration needs is there; raise AuthSecretError."""
    missing = [
        f"project {project.name}: {key}: its secret {name} is missing; give it with: "
        f"berth secrets set {project.name} {name}"
        for name, key in needed(project).items()
        if name not in there
    ]
    if missing:
        raise AuthSecretError("\n".join(missing))


def require_name(name: str) -> None:
    """Return when there can be a secret of this name; raise AuthSecretError."""
    if name not in NAMES:
        raise AuthSecretError(
            f"secret: found {name[:60]!r}, allowed: {SMTP_PASSWORD} or oauth_PROVIDER_secret such as "
            f"oauth_github_secret, with the providers {', '.join(get_args(ProviderName))}; correct the name"
        )


def require_value(name: str, value: str) -> None:
    """Return when a value is one line of text; raise AuthSecretError, which does not tell it."""
    if not value or not value.isprintable() or len(value) > LONGEST:
        raise AuthSecretError(
            f"{name}: found {len(value)} characters, allowed: one line of 1 to {LONGEST} printable ones; give it again"
        )


def with_secret(before: Mapping[str, str], name: str, value: str | None) -> dict[str, str]:
    """The secrets with one set, or taken away where the value is None."""
    others = {key: secret for key, secret in before.items() if key != name}
    return others if value is None else dict(sorted({**others, name: value}.items()))
