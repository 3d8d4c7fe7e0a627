"""Secrets of projects and hosts: made once, kept in files that ansible-vault encrypts, the same ever after."""

import fcntl
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import yaml

from berth.errors import BerthError
from berth.files import write_atomically
from berth.keys import issue_key, key_belongs_to, new_jwt_secret
from berth.names import validate_name
from berth.values import is_host_name
from berth.vault import Vault, VaultError
from berth.yaml_files import InvalidYaml, parse_mapping

LOCK_FILE = ".lock"


class SecretsError(BerthError):
    """Secrets that cannot be read or made, with the file and the remedy, never with a value."""


class SecretsMissing(SecretsError):
    """Secrets that nobody has made yet."""


@dataclass(frozen=True)
class ProjectSecrets:
    """What only the project, its services and its owner know; repr shows no value."""

    jwt_secret: str = field(repr=False)
    anon_key: str = field(repr=False)
    service_role_key: str = field(repr=False)
    owner_password: str = field(repr=False)


@dataclass(frozen=True)
class HostSecrets:
    """What the services of one host share; repr shows no value."""

    meta_crypto_key: str = field(repr=False)


_Secrets = TypeVar("_Secrets", ProjectSecrets, HostSecrets)


class SecretStore:
    """The secrets of one environment.

    An ephemeral store is for check mode: it reads what is there, makes up what is missing and writes nothing.
    """

    def __init__(self, inventory_dir: Path, ephemeral: bool = False) -> None:
        self.directory = inventory_dir / "secrets"
        self.ephemeral = ephemeral
        self._vault = Vault(inventory_dir)
        self._made_up: dict[Path, ProjectSecrets | HostSecrets] = {}

    def project(self, name: str, create: bool = True) -> ProjectSecrets:
        """The project's secrets; raise SecretsMissing when there are none and create is false, else SecretsError."""
        validate_name(name)
        path = self.directory / f"{name}.yml"
        found = self._get(path, ProjectSecrets, lambda: new_project_secrets(name), create)
        for key in (found.anon_key, found.service_role_key):
            if not key_belongs_to(key, found.jwt_secret, name):
                raise SecretsError(
                    f"{path}: a key in it is not of project {name} or not signed with its jwt_secret; "
                    f"restore the file from a backup (a copy of another project's file would open both)"
                )
        return found

    def host(self, name: str, create: bool = True) -> HostSecrets:
        """The host's secrets; raise SecretsMissing when there are none and create is false, else SecretsError."""
        if not is_host_name(name):
            raise SecretsError(f"host {name!r}: not the name of a host; correct the inventory")
        return self._get(self.directory / "hosts" / f"{name}.yml", HostSecrets, new_host_secrets, create)

    def _get(self, path: Path, kind: type[_Secrets], make: Callable[[], _Secrets], create: bool) -> _Secrets:
        if path.exists():
            return self._read(path, kind)
        if not create:
            raise SecretsMissing(f"{path}: no such file; run playbooks/site.yml first, which makes it")
        if self.ephemeral:
            return self._made_up.setdefault(path, make())
        try:
            with self._locked():
                if not path.exists():
                    self._write(path, make())
        except OSError as error:
            raise SecretsError(f"{path}: not writable ({error.strerror}); correct the directory") from error
        return self._read(path, kind)

    def _write(self, path: Path, made: ProjectSecrets | HostSecrets) -> None:
        text = yaml.safe_dump(asdict(made), sort_keys=False)
        try:
            sealed = self._vault.encrypt(text, may_create_password=not self._any_exist())
        except VaultError as error:
            raise SecretsError(str(error)) from error
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(path, sealed)

    def _read(self, path: Path, kind: type[_Secrets]) -> _Secrets:
        try:
            values = parse_mapping(self._vault.decrypt(path))
        except (VaultError, InvalidYaml) as error:
            # the text of a YAML error can hold a piece of the secret
            reason = str(error) if isinstance(error, VaultError) else f"{path}: not YAML inside; restore it"
            raise SecretsError(reason) from None
        names = [item.name for item in fields(kind)]
        missing = [name for name in names if not isinstance(values.get(name), str) or not values[name]]
        if missing:
            raise SecretsError(f"{path}: {', '.join(missing)}: missing or not text; restore the file from a backup")
        return kind(**{name: values[name] for name in names})

    def _any_exist(self) -> bool:
        return any(self.directory.glob("*.yml")) or any(self.directory.glob("hosts/*.yml"))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.directory.mkdir(mode=0o700, exist_ok=True)
        with (self.directory / LOCK_FILE).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def new_project_secrets(name: str) -> ProjectSecrets:
    """Fresh random secrets of a project, with API keys valid for ten years from now."""
    jwt_secret = new_jwt_secret()
    now = datetime.now(UTC)
    return ProjectSecrets(
        jwt_secret=jwt_secret,
        anon_key=issue_key(jwt_secret, "anon", name, now),
        service_role_key=issue_key(jwt_secret, "service_role", name, now),
        owner_password=secrets.token_urlsafe(32),
    )


def new_host_secrets() -> HostSecrets:
    """Fresh random secrets of a host."""
    return HostSecrets(meta_crypto_key=secrets.token_urlsafe(48))
