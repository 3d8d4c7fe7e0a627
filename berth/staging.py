"""An environment as it would be with a declaration that is not written yet."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from berth import host_locks
from berth.declarations import projects_directory
from berth.store import Draft


@contextmanager
def staged(inventory: Path, draft: Draft) -> Iterator[Path]:
    """Give the path of an inventory that has the draft in place of its file; all else are links to the real one."""
    directory = (inventory if inventory.is_dir() else inventory.parent).absolute()
    with tempfile.TemporaryDirectory(prefix="berth-plan-") as temporary:
        copy = Path(temporary) / directory.name
        copy.mkdir(mode=0o700)
        real_projects, projects = projects_directory(directory), projects_directory(copy)
        host_locks.prepare(directory)
        _link_all(directory, copy, besides=real_projects)
        projects.mkdir()
        if real_projects.is_dir():
            _link_all(real_projects, projects, besides=draft.path.absolute())
        (projects / draft.path.name).write_text(draft.text, encoding="utf-8")
        yield copy if inventory.is_dir() else copy / inventory.name


def _link_all(source: Path, target: Path, besides: Path) -> None:
    for entry in source.iterdir():
        if entry != besides:
            (target / entry.name).symlink_to(entry)
