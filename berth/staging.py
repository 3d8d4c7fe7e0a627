"""An environment as it would be with a file that is not written yet."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from berth import host_locks
from berth.files import write_atomically
from berth.inventory import directory_of
from berth.store import Draft


@contextmanager
def staged(inventory: Path, draft: Draft) -> Iterator[Path]:
    """Give the path of an inventory that has the draft in place of its file; all else are links to the real one."""
    with staged_file(inventory, draft.path, draft.text) as copy:
        yield copy


@contextmanager
def staged_file(inventory: Path, path: Path, text: str) -> Iterator[Path]:
    """Give the path of an inventory that has this text in one of its files, which is for the caller alone to read."""
    directory = directory_of(inventory).absolute()
    with tempfile.TemporaryDirectory(prefix="berth-plan-") as temporary:
        copy = Path(temporary) / directory.name
        copy.mkdir(mode=0o700)
        real = path.absolute().parent
        shown = copy / real.relative_to(directory)
        host_locks.prepare(directory)
        _link_all(directory, copy, besides=real)
        shown.mkdir(mode=0o700)
        if real.is_dir():
            _link_all(real, shown, besides=path.absolute())
        write_atomically(shown / path.name, text)
        yield copy if inventory.is_dir() else copy / inventory.name


def _link_all(source: Path, target: Path, besides: Path) -> None:
    for entry in source.iterdir():
        if entry != besides:
            (target / entry.name).symlink_to(entry)
