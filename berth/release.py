"""The code of this checkout as one release: what a server gets that serves the web UI."""

import hashlib
import io
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from berth.errors import BerthError

PARTS = (
    "LICENSE",
    "ansible.cfg",
    "berth",
    "constraints.txt",
    "galaxy.yml",
    "meta",
    "playbooks",
    "plugins",
    "pyproject.toml",
    "roles",
    "webui",
)
LEFT_OUT = {"__pycache__", "molecule"}
WHEELS = "wheels"


class ReleaseError(BerthError):
    """A release that cannot be made, with the remedy."""


@dataclass(frozen=True)
class Release:
    """The files of one state of the code; the version names this state, also one that was never committed."""

    root: Path
    version: str
    files: tuple[Path, ...]

    def pack(self, archive: Path, wheels: Path | None = None) -> None:
        """Write the files as a tar archive, with the packages of a directory beside them; raise ReleaseError."""
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            for path in self.files:
                _add(tar, path, str(path.relative_to(self.root)))
            for path in _wheels(wheels) if wheels else ():
                _add(tar, path, f"{WHEELS}/{path.name}")


def release(root: Path) -> Release:
    """The release that the code below a directory is; raise ReleaseError where parts are missing."""
    if missing := [part for part in PARTS if not (root / part).exists()]:
        raise ReleaseError(f"{root}: no {', '.join(missing)} there; run the playbook in the whole repository of Berth")
    files = tuple(sorted(path for part in PARTS for path in _files(root / part)))
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{_mode(path):o}\0{len(content)}\0".encode() + content)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Release(root, f"{project['version']}-{digest.hexdigest()[:12]}", files)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for inner in path.rglob("*"):
        if inner.is_file() and LEFT_OUT.isdisjoint(inner.relative_to(path).parts):
            yield inner


def _wheels(directory: Path) -> list[Path]:
    found = sorted(directory.glob("*.whl"))
    if not found:
        raise ReleaseError(f"{directory}: no wheels there; make them with tools/wheels, or leave the variable empty")
    return found


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    content = path.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), _mode(path)
    tar.addfile(entry, io.BytesIO(content))
