"""Secrets of projects and hosts: made once, kept in files that ansible-vault encrypts, the same ever after."""

import fcntl
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from berth.errors import BerthError
from berth.files import write_atomically
from berth.names import validate_name
from berth.project_secrets import InvalidSecrets, ProjectSecrets, is_of_the_form_before
from berth.values import is_host_name
from berth.vault import Vault, VaultError
from berth.yaml_files import InvalidYaml, parse_mapping

LOCK_FILE = ".lock"

Change = Callable[[ProjectSecrets], ProjectSecrets]


class SecretsError(BerthError):
    """Secrets that cannot be read or made, with the file and the remedy, never with a value."""


class SecretsMissing(SecretsError):
    """Secrets that nobody has made yet."""


@dataclass(frozen=True)
class HostSecrets:
    """What the services of one host share; repr shows no value."""

    meta_crypto_key: str = field(repr=False)


class SecretStore:
    """The secrets of one environment.

    An ephemeral store is for check mode: it reads what is there, makes up what is missing and writes nothing.
    """

    def __init__(self, inventory_dir: Path, ephemeral: bool = False) -> None:
        self.directory = inventory_dir / "secrets"
        self.ephemeral = ephemeral
        self._vault = Vault(inventory_dir)
        self._made_up: dict[Path, Any] = {}

    def project(self, name: str, create: bool = True) -> ProjectSecrets:
        """The project's secrets; raise SecretsMissing when there are none and create is false, else SecretsError.

        A file of the form before is completed in place, whatever create says.
        """
        path = self.project_file(name)
        values = self._get(path, lambda: ProjectSecrets.new(name).as_mapping(), create)
        if not is_of_the_form_before(values):
            return _project_secrets(path, values, name)
        return self.change_project(name, lambda found: found)

    def change_project(self, name: str, change: Change) -> ProjectSecrets:
        """The secrets that `change` makes of the project's present ones, which must exist; raise SecretsError.

        Nobody else writes meanwhile, and the file is written only when something differs.
        """
        path = self.project_file(name)
        with self._locked(path):
            values = self._made_up.get(path) or self._read(path)
            changed = change(_project_secrets(path, values, name))
            if changed.as_mapping() != values:
                self._put(path, changed.as_mapping())
        return changed

    def sealed(self, secrets: ProjectSecrets) -> str:
        """The secrets as the text of an encrypted file; raise SecretsError."""
        return self._seal(secrets.as_mapping())

    def remove_project(self, name: str) -> None:
        """Forget the project's secrets for good, if there are any; raise SecretsError."""
        path = self.project_file(name)
        with self._locked(path):
            path.unlink(missing_ok=True)

    def project_file(self, name: str) -> Path:
        """Where the project's secrets are; raise InvalidName."""
        validate_name(name)
        return self.directory / f"{name}.yml"

    def host(self, name: str, create: bool = True) -> HostSecrets:
        """The host's secrets; raise SecretsMissing when there are none and create is false, else SecretsError."""
        if not is_host_name(name):
            raise SecretsError(f"host {name!r}: not the name of a host; correct the inventory")
        path = self.directory / "hosts" / f"{name}.yml"
        value = self._get(path, lambda: asdict(new_host_secrets()), create).get("meta_crypto_key")
        if not isinstance(value, str) or not value:
            raise SecretsError(f"{path}: meta_crypto_key: missing or not text; restore the file from a backup")
        return HostSecrets(value)

    def _get(self, path: Path, make: Callable[[], dict[str, Any]], create: bool) -> dict[str, Any]:
        if path in self._made_up:
            return self._made_up[path]
        if path.exists():
            return self._read(path)
        if not create:
            command = f"berth apply {path.stem}" if path.parent == self.directory else "berth apply"
            remedy = f"run playbooks/site.yml first, which makes it; {command} makes it too"
            raise SecretsMissing(f"{path}: no such file; {remedy}")
        with self._locked(path):
            if not path.exists():
                self._put(path, make())
        return self._made_up.get(path) or self._read(path)

    def _put(self, path: Path, values: dict[str, Any]) -> None:
        if self.ephemeral:
            self._made_up[path] = values
            return
        sealed = self._seal(values)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(path, sealed)

    def _seal(self, values: dict[str, Any]) -> str:
        text = yaml.safe_dump(values, sort_keys=False)
        try:
            return self._vault.encrypt(text, may_create_password=not self._any_exist())
        except VaultError as error:
            raise SecretsError(str(error)) from error

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return parse_mapping(self._vault.decrypt(path))
        except (VaultError, InvalidYaml) as error:
            # the text of a YAML error can hold a piece of the secret
            reason = str(error) if isinstance(error, VaultError) else f"{path}: not YAML inside; restore it"
            raise SecretsError(reason) from None

    def _any_exist(self) -> bool:
        return any(self.directory.glob("*.yml")) or any(self.directory.glob("hosts/*.yml"))

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Keep other writers out; raise SecretsError, also for what the block could not write."""
        if self.ephemeral:
            yield
            return
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            with (self.directory / LOCK_FILE).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise SecretsError(f"{path}: not writable ({error.strerror}); correct the directory") from error


def new_host_secrets() -> HostSecrets:
    """Fresh random secrets of a host."""
    return HostSecrets(meta_crypto_key=secrets.token_urlsafe(48))


def _project_secrets(path: Path, values: dict[str, Any], name: str) -> ProjectSecrets:
    try:
        return ProjectSecrets.from_mapping(values, name)
    except InvalidSecrets as error:
        raise SecretsError(f"{path}: {error}") from None
