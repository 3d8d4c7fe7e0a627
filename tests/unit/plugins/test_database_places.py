"""Which cluster has the data of a project, whatever its declaration says and whatever a killed run has left."""

from pathlib import Path

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible_collections.berth.supabase.plugins.module_utils.moves import Move
from ansible_collections.berth.supabase.plugins.modules import database_places


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the clusters' settings."""
    monkeypatch.setattr(database_places, "SETTINGS", tmp_path)
    return tmp_path


def place(dedicated: bool, shared: set[str], move: Move | None = None) -> str | None:
    """Return where the data of project blog is found."""
    project = {"name": "blog", "database": "blog", "dedicated": dedicated, "move": move}
    return database_places.place_of(project, shared)


def make_own(settings: Path) -> None:
    """Give the project a cluster of its own."""
    (settings / "17" / "berth_blog").mkdir(parents=True)
    (settings / "17" / "berth_blog" / "postgresql.conf").touch()


@pytest.mark.parametrize("dedicated", [True, False])
def test_cluster_that_a_killed_conversion_left_empty_counts_for_nothing(settings: Path, dedicated: bool) -> None:
    make_own(settings)
    assert place(dedicated, {"blog"}) == "shared"


@pytest.mark.parametrize("dedicated", [True, False])
def test_own_cluster_alone_has_the_data(settings: Path, dedicated: bool) -> None:
    make_own(settings)
    assert place(dedicated, {"other"}) == "dedicated"


def test_project_that_is_new_has_none(settings: Path) -> None:
    assert place(True, set()) is None


@pytest.mark.parametrize(("switched", "found"), [(0, "shared"), (1.0, "dedicated")])
def test_what_the_host_notes_of_a_move_decides(settings: Path, switched: float, found: str) -> None:
    make_own(settings)
    assert place(True, {"blog"}, Move("blog", "blog", "shared", "dedicated", {}, 20, switched=switched)) == found
