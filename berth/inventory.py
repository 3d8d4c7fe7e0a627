"""The hosts of an environment, as Ansible reads them from its inventory."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from berth.errors import BerthError
from berth.ssh import VARIABLES as VARIABLES_OF_SSH
from berth.values import is_host_name
from berth.vault import Vault, VaultError
from berth.yaml_files import InvalidYaml, require_syntax

GROUP = "berth_hosts"
DEFAULT_DIRECTORY = Path("inventory/local")
VARIABLE = "BERTH_INVENTORY"

_ADDRESS = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}", re.ASCII)
_PUBLIC_URL = re.compile(r"https?://(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)


class InventoryError(BerthError):
    """An inventory that cannot be read or names no host, with the remedy."""


@dataclass(frozen=True)
class HostVars:
    """What Berth must know of a host before it talks to it; memory in MiB, None when the host is to be asked."""

    name: str
    public_url: str
    database_address: str
    memory_mb: int | None
    postgres_port: int = 5432


class Environment:
    """One inventory directory, given by itself or by an inventory file in it; raise InventoryError."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise InventoryError(f"inventory {path}: no such file or directory; name an existing one with --inventory")
        self.directory = directory_of(path)
        self._sources = _inventory_files(path) if path.is_dir() else [path]
        for source in self._sources:
            _require_yaml(source)

    @cached_property
    def hosts(self) -> dict[str, HostVars]:
        """The hosts of the group berth_hosts by name; raise InventoryError."""
        return {name: host_vars(name, values) for name, values in sorted(self._values.items())}

    @cached_property
    def _values(self) -> dict[str, Mapping[str, Any]]:
        return self._read(_USED)

    def connection(self, host: str) -> dict[str, Any]:
        """How Ansible is told to reach a host, by variable; raise InventoryError."""
        return self._read(VARIABLES_OF_SSH)[host]

    def _read(self, wanted: Collection[str]) -> dict[str, dict[str, Any]]:
        from ansible.errors import AnsibleError
        from ansible.inventory.manager import InventoryManager
        from ansible.parsing.dataloader import DataLoader
        from ansible.template import Templar
        from ansible.vars.manager import VariableManager

        loader = DataLoader()
        vault = Vault(self.directory)
        try:
            if vault.password_file().exists():
                loader.set_vault_secrets(vault.secrets())
            with _every_source_must_parse():
                manager = InventoryManager(loader, [str(source) for source in self._sources])
            variables = VariableManager(loader, manager)
            members = manager.groups[GROUP].get_hosts() if GROUP in manager.groups else []
            if not members:
                raise InventoryError(f"inventory {self.directory}: no host in the group {GROUP}; add one to hosts.yml")
            found = {}
            for host in members:
                values = variables.get_vars(host=host, include_hostvars=False)
                templar = Templar(loader, values)
                found[host.name] = {key: templar.template(values[key]) for key in wanted if key in values}
        except (AnsibleError, VaultError) as error:
            reason = " ".join(str(error).split())
            raise InventoryError(f"inventory {self.directory}: {reason}") from error
        return found


_USED = (
    "ansible_host",
    "berth_public_url",
    "berth_database_address",
    "berth_host_memory_mb",
    "postgres_port",
)


def directory_of(inventory: Path) -> Path:
    """The directory of the environment: an inventory is that or a file in it."""
    return inventory if inventory.is_dir() else inventory.parent


def find_inventory(option: str | Path | None) -> Path:
    """The inventory to use: the option, else $BERTH_INVENTORY, else inventory/local; raise InventoryError."""
    chosen = option or os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    if not DEFAULT_DIRECTORY.is_dir():
        raise InventoryError(f"{DEFAULT_DIRECTORY}: no such directory here; name one with --inventory or {VARIABLE}")
    return DEFAULT_DIRECTORY


def host_vars(name: str, values: Mapping[str, Any]) -> HostVars:
    """The checked variables of one host, defaults filled in; raise InventoryError."""
    if not is_host_name(name):
        raise InventoryError(f"host {name!r}: allowed: letters, digits, '.', '_' and '-'; rename it in the inventory")
    reachable = str(values.get("ansible_host", name))
    address = f"[{reachable}]" if ":" in reachable else reachable
    public_url = values.get("berth_public_url", f"http://{address}")
    _require(name, "berth_public_url", public_url, _PUBLIC_URL, "a URL without path such as https://fsn1.example.com")
    database_address = values.get("berth_database_address", f"{address}:5432")
    _require(name, "berth_database_address", database_address, _ADDRESS, "an address and port such as 127.0.0.1:5432")
    memory = values.get("berth_host_memory_mb")
    if memory is not None and (isinstance(memory, bool) or not isinstance(memory, int) or memory < 1):
        raise InventoryError(
            f"host {name}: berth_host_memory_mb: found {memory!r}, allowed: a whole number of MiB above 0; "
            f"correct the value or leave it out"
        )
    port = str(values.get("postgres_port", 5432))
    _require(name, "postgres_port", f"localhost:{port}", _ADDRESS, "a port such as 5432")
    return HostVars(name, public_url, database_address, memory, int(port))


def _require(host: str, variable: str, value: object, pattern: re.Pattern[str], allowed: str) -> None:
    valid = isinstance(value, str) and pattern.fullmatch(value)
    port = urlsplit(f"//{value.split('://')[-1]}").netloc.rpartition(":")[2] if valid else ""
    if not valid or (port.isdigit() and not 1 <= int(port) <= 65535):
        raise InventoryError(f"host {host}: {variable}: found {value!r}, allowed: {allowed}; correct the value")


def _inventory_files(directory: Path) -> list[Path]:
    """The files Ansible would read as inventory; projects/ and secrets/ are directories, so never among them."""
    from ansible import constants

    ignored = tuple(constants.INVENTORY_IGNORE_EXTS)
    files = [
        path
        for path in sorted(directory.iterdir())
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(ignored)
    ]
    if not files:
        raise InventoryError(f"inventory {directory}: no inventory file in it; add hosts.yml")
    return files


def _require_yaml(source: Path) -> None:
    """Find a slip in a YAML file before Ansible does, which would print a page for each of its plugins."""
    try:
        if source.suffix in (".yml", ".yaml"):
            require_syntax(source)
    except InvalidYaml as error:
        raise InventoryError(f"inventory {source}: {error}") from error


@contextmanager
def _every_source_must_parse() -> Iterator[None]:
    """Make Ansible raise on a source it cannot read, where its default is a warning and fewer hosts."""
    from ansible import constants

    before = constants.INVENTORY_ANY_UNPARSED_IS_FAILED
    constants.INVENTORY_ANY_UNPARSED_IS_FAILED = True
    try:
        yield
    finally:
        constants.INVENTORY_ANY_UNPARSED_IS_FAILED = before
