"""Only one process at a time works on the move of a database, and what kept the others out leaves nothing."""

import threading
from pathlib import Path

import ansible_plugins  # noqa: F401
import pytest
from ansible_collections.berth.supabase.plugins.module_utils import moves


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the locks."""
    monkeypatch.setattr(moves, "LOCKS", tmp_path / "locks")
    return tmp_path / "locks"


def test_one_at_a_time_works_on_a_database_and_no_file_is_left(locks: Path) -> None:
    inside, most = [], []

    def work() -> None:
        for _ in range(100):
            with moves.locked("blog"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), set(most)) == (400, {1})
    assert list(locks.iterdir()) == []


def test_lock_ends_with_an_error(locks: Path) -> None:
    with pytest.raises(ValueError, match="whatever"), moves.locked("blog"):
        raise ValueError("whatever")
    assert list(locks.iterdir()) == []
