"""Sets of keys: all that a project signs with and is opened by, made together and retired together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self

from berth.keys import (
    Role,
    is_opaque_key,
    issue_key,
    issue_signed_key,
    key_belongs_to,
    new_jwt_secret,
    new_opaque_key,
    new_signing_key,
    signed_key_belongs_to,
)

Kind = Literal["legacy", "publishable", "secret"]
_TEXTS = ("jwt_secret", "anon_key", "service_role_key", "publishable_key", "secret_key", "anon_token", "service_token")
_SIGNING_KEY = ("kid", "kty", "crv", "x", "y", "d")


class InvalidKeys(ValueError):
    """A set of keys that is not whole or not of the project; the text holds no value."""


@dataclass(frozen=True)
class ApiKey:
    """One key that clients send; its id names it where the key itself must not stand."""

    id: str
    role: Role
    kind: Kind
    value: str = field(repr=False)


@dataclass(frozen=True)
class KeySet:
    """One set of keys; repr shows no value."""

    id: str
    created: datetime
    jwt_secret: str = field(repr=False)
    anon_key: str = field(repr=False)
    service_role_key: str = field(repr=False)
    publishable_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    signing_key: Mapping[str, str] = field(repr=False)
    anon_token: str = field(repr=False)
    service_token: str = field(repr=False)

    @classmethod
    def new(cls, project: str, number: int, now: datetime) -> Self:
        """A fresh set; the number is one that no set of the project has."""
        jwt_secret = new_jwt_secret()
        anon, service = (issue_key(jwt_secret, role, project, now) for role in ("anon", "service_role"))
        return cls.completed(project, number, now, jwt_secret, anon, service)

    @classmethod
    def completed(
        cls, project: str, number: int, created: datetime, jwt_secret: str, anon_key: str, service_role_key: str
    ) -> Self:
        """A set with these secret and legacy keys, and with new keys of the other kinds."""
        signing_key = new_signing_key()
        now = datetime.now(UTC)
        return cls(
            id=f"k{number}",
            created=created.replace(microsecond=0),
            jwt_secret=jwt_secret,
            anon_key=anon_key,
            service_role_key=service_role_key,
            publishable_key=new_opaque_key("publishable"),
            secret_key=new_opaque_key("secret"),
            signing_key=signing_key,
            anon_token=issue_signed_key(signing_key, "anon", project, now),
            service_token=issue_signed_key(signing_key, "service_role", project, now),
        )

    @classmethod
    def from_mapping(cls, values: object, project: str) -> Self:
        """The set that a file holds; raise InvalidKeys."""
        if not isinstance(values, dict):
            raise InvalidKeys("an entry of key_sets is no mapping")
        missing = [name for name in ("id", *_TEXTS) if not isinstance(values.get(name), str) or not values[name]]
        signing_key = values.get("signing_key")
        if not isinstance(signing_key, dict) or any(not isinstance(signing_key.get(p), str) for p in _SIGNING_KEY):
            missing.append("signing_key")
        if missing:
            raise InvalidKeys(f"key_sets: {', '.join(missing)}: missing or not text")
        return cls(
            id=values["id"],
            created=_moment("created", values.get("created")),
            signing_key={part: signing_key[part] for part in _SIGNING_KEY},
            **{name: values[name] for name in _TEXTS},
        ).checked(project)

    def as_mapping(self) -> dict[str, Any]:
        """The set as a file holds it."""
        texts = {name: getattr(self, name) for name in _TEXTS}
        return {
            "id": self.id,
            "created": _text(self.created),
            **texts,
            "signing_key": dict(self.signing_key),
        }

    @property
    def number(self) -> int:
        """What comes after the k of the id."""
        return int(self.id[1:])

    @property
    def api_keys(self) -> tuple[ApiKey, ...]:
        """The keys that clients send."""
        return (
            ApiKey(f"{self.id}.publishable", "anon", "publishable", self.publishable_key),
            ApiKey(f"{self.id}.secret", "service_role", "secret", self.secret_key),
            ApiKey(f"{self.id}.anon", "anon", "legacy", self.anon_key),
            ApiKey(f"{self.id}.service_role", "service_role", "legacy", self.service_role_key),
        )

    def token(self, role: Role) -> str:
        """The ES256 JWT that stands for a key of this role behind the gateway."""
        return self.anon_token if role == "anon" else self.service_token

    def checked(self, project: str) -> Self:
        """The set itself; raise InvalidKeys unless every key is signed with its own secrets and the project's."""
        if not (self.id[:1] == "k" and self.id[1:].isdecimal()):
            raise InvalidKeys("key_sets: id is no k with a number")
        legacy = [key_belongs_to(key, self.jwt_secret, project) for key in (self.anon_key, self.service_role_key)]
        tokens = [signed_key_belongs_to(t, self.signing_key, project) for t in (self.anon_token, self.service_token)]
        if not all((*legacy, *tokens)):
            raise InvalidKeys(f"a key in it is not of project {project} or not signed with the secret beside it")
        if not is_opaque_key(self.publishable_key, "publishable") or not is_opaque_key(self.secret_key, "secret"):
            raise InvalidKeys("key_sets: publishable_key or secret_key has another form or a wrong checksum")
        return self


def zoned_time(value: object) -> datetime | None:
    """The time that a text of ISO 8601 with a time zone says; None for any other value."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _moment(name: str, value: object) -> datetime:
    moment = zoned_time(value)
    if moment is None:
        raise InvalidKeys(f"key_sets: {name} is no time with a time zone")
    return moment


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
