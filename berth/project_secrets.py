"""What a project's secrets file holds, in its present form and in the one before it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

import jwt

from berth.key_sets import InvalidKeys, KeySet, zoned_time
from berth.keys import key_belongs_to

_BEFORE = ("jwt_secret", "anon_key", "service_role_key", "owner_password")


class InvalidSecrets(ValueError):
    """Content of a file that is no project's secrets; the text holds no value."""


@dataclass(frozen=True)
class ProjectSecrets:
    """What only the project, its services and its owner know; repr shows no value.

    The last of the key sets is in use; those before it work too until they retire, by a command or at `retire_at`.
    `auth` holds secrets of the declaration's section of that name, such as the password of a mail server, by their key
    there.
    """

    key_sets: tuple[KeySet, ...]
    owner_password: str = field(repr=False)
    auth: Mapping[str, str] = field(default_factory=dict, repr=False)
    retire_at: datetime | None = None

    @classmethod
    def new(cls, project: str) -> Self:
        """Fresh random secrets."""
        return cls((KeySet.new(project, 1, datetime.now(UTC)),), secrets.token_urlsafe(32))

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], project: str) -> Self:
        """The secrets that a file holds, completed where it is of the form before; raise InvalidSecrets."""
        if "key_sets" not in values:
            return cls._completed(values, project)
        found, auth = values["key_sets"], values.get("auth") or {}
        if not isinstance(found, list) or not found:
            raise InvalidSecrets("key_sets: missing or no list; restore the file from a backup")
        _require_texts(values, "owner_password")
        if not isinstance(auth, dict) or any(not isinstance(value, str) for value in auth.values()):
            raise InvalidSecrets("auth: not a mapping of texts; correct it with ansible-vault edit")
        try:
            key_sets = tuple(KeySet.from_mapping(entry, project) for entry in found)
        except InvalidKeys as error:
            raise InvalidSecrets(f"{error}; restore the file from a backup") from None
        return cls(key_sets, values["owner_password"], auth, _retire_at(values))

    @classmethod
    def _completed(cls, values: Mapping[str, Any], project: str) -> Self:
        _require_texts(values, *_BEFORE)
        jwt_secret, anon, service, password = (values[name] for name in _BEFORE)
        if not all(key_belongs_to(key, jwt_secret, project) for key in (anon, service)):
            raise InvalidSecrets(
                f"a key in it is not of project {project} or not signed with its jwt_secret; "
                f"restore the file from a backup (a copy of another project's file would open both)"
            )
        issued = jwt.decode(anon, options={"verify_signature": False})["iat"]
        return cls(
            (KeySet.completed(project, 1, datetime.fromtimestamp(issued, UTC), jwt_secret, anon, service),), password
        )

    def as_mapping(self) -> dict[str, Any]:
        """The secrets as a file holds them."""
        key_sets = [one.as_mapping() for one in self.key_sets]
        values = {"key_sets": key_sets, "owner_password": self.owner_password, "auth": dict(self.auth)}
        return values | ({"retire_at": self.retire_at.isoformat()} if self.retire_at else {})

    def at(self, now: datetime) -> Self:
        """The secrets as they count at a moment: without the former key sets once `retire_at` has passed."""
        if self.retire_at is None or now < self.retire_at:
            return self
        return replace(self, key_sets=(self.current,), retire_at=None)

    @property
    def current(self) -> KeySet:
        """The key set in use."""
        return self.key_sets[-1]

    @property
    def anon_key(self) -> str:
        """The legacy key of the role anon in use."""
        return self.current.anon_key

    @property
    def service_role_key(self) -> str:
        """The legacy key of the role service_role in use."""
        return self.current.service_role_key


def is_of_the_form_before(values: Mapping[str, Any]) -> bool:
    """Whether a file is from before there were sets of keys."""
    return "key_sets" not in values


def _retire_at(values: Mapping[str, Any]) -> datetime | None:
    found = values.get("retire_at")
    if found is None:
        return None
    moment = zoned_time(found)
    if moment is None:
        raise InvalidSecrets("retire_at: no time with a time zone; berth rotate NAME --retire-at sets it anew")
    return moment


def _require_texts(values: Mapping[str, Any], *names: str) -> None:
    missing = [name for name in names if not isinstance(values.get(name), str) or not values[name]]
    if missing:
        raise InvalidSecrets(f"{', '.join(missing)}: missing or not text; restore the file from a backup")
