"""What the module absent_files takes for a project's, and what it leaves to its neighbours."""

from pathlib import Path

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible_collections.berth.supabase.plugins.modules import absent_files


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Give a directory with the files of two projects, the name of one being the beginning of the other's."""
    for name in ("blog.log", "blog.log.1", "blog.log.2.gz", "blog-x.log", "rest@blog.socket", "rest@blog-x.socket"):
        (tmp_path / name).touch()
    for name in ("blog", "blog-x"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep/file").touch()
    (tmp_path / "link@blog.socket").symlink_to("nowhere")
    return tmp_path


def test_files_links_and_directories_of_one_project_go(there: Path) -> None:
    patterns = [f"{there}/{pattern}" for pattern in ("NAME", "NAME.log*", "*@NAME.*", "missing-NAME")]
    found = absent_files.matching("blog", patterns)
    assert found[0] == there / "blog"
    for path in found:
        absent_files.remove(path)
    assert sorted(path.name for path in there.iterdir()) == ["blog-x", "blog-x.log", "rest@blog-x.socket"]
    assert absent_files.matching("blog", patterns) == []


def test_link_to_a_directory_goes_alone(there: Path) -> None:
    (there / "other-blog").symlink_to(there / "blog-x")
    for path in absent_files.matching("blog", [f"{there}/other-NAME"]):
        absent_files.remove(path)
    assert (there / "blog-x/deep/file").exists()
    assert not (there / "other-blog").is_symlink()


@pytest.mark.parametrize(
    ("project", "pattern"),
    [
        ("", "/etc/NAME"),
        ("*", "/etc/NAME"),
        ("a/b", "/etc/NAME"),
        ("..", "/etc/NAME"),
        ("blog", "/etc"),
        ("blog", "NAME"),
    ],
)
def test_what_is_not_of_one_project_is_refused(project: str, pattern: str) -> None:
    with pytest.raises(ValueError, match="allowed: "):
        absent_files.matching(project, [pattern])
