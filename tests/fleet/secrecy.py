"""Searches for secrets where nobody may find them."""

import threading
import time
from collections.abc import Iterable
from pathlib import Path

import yaml

from berth.secrets import SecretStore
from berth.vault import Vault
from fleet.fleet import Fleet

# A search must find this one, else that it found no secret says nothing.
CANARY = "a-word-that-a-command-line-does-show"


def secrets_of(fleet: Fleet, *names: str) -> list[str]:
    """Returns all values that nobody but a project's own services and owner may know."""
    found = []
    for name in names:
        secrets = SecretStore(fleet.inventory).project(name)
        found.append(secrets.owner_password)
        for keys in secrets.key_sets:
            found += [keys.jwt_secret, keys.service_role_key, keys.secret_key, keys.service_token]
            found.append(keys.signing_key["d"])
    for path in (fleet.inventory / "secrets" / "hosts").glob("*.yml"):
        found += yaml.safe_load(Vault(fleet.inventory).decrypt(path)).values()
    return found


class CommandLines:
    """Reads the command lines of all processes of this machine, local hosts included, as long as the block runs."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.wanted = [value.encode() for value in wanted]
        self.found: set[str] = set()
        self.rounds = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "CommandLines":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                self._read(path)
            self.rounds += 1
            time.sleep(0.01)

    def _read(self, path: Path) -> None:
        try:
            line = path.read_bytes()
        except OSError:
            return
        if any(value in line for value in self.wanted):
            self.found.add(line.replace(b"\0", b" ").decode(errors="replace"))
