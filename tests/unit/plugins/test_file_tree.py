"""Files as the module file_tree compares, shows and writes them."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.berth.supabase.plugins.modules import file_tree
from ansible_collections.berth.supabase.plugins.modules.file_tree import File

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="files are root's: only root can write such")


def file(path: Path, content: str = "new\n", secret: bool = False) -> File:
    """Return a file as the action hands it over."""
    sealed = base64.b64encode(content.encode()).decode()
    contents = {"content": None if secret else content, "secret_content": sealed if secret else None}
    return File({"path": str(path), "mode": "0640", **contents})


def test_a_file_that_is_not_there_differs(tmp_path: Path) -> None:
    assert file(tmp_path / "a").differs()


@as_root
def test_a_written_file_differs_no_more(tmp_path: Path) -> None:
    wanted = file(tmp_path / "deep" / "er" / "a")
    wanted.write(wanted.path)
    assert not wanted.differs()


@as_root
@pytest.mark.parametrize("change", [lambda path: path.chmod(0o644), lambda path: os.chown(path, 1, 0)])
def test_mode_and_owner_count(tmp_path: Path, change: Any) -> None:
    wanted = file(tmp_path / "a")
    wanted.write(wanted.path)
    change(wanted.path)
    assert wanted.differs()


def test_content_counts(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old\n")
    assert file(tmp_path / "a").differs()


def test_writing_leaves_the_file_with_its_mode_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old\n")
    wanted = file(tmp_path / "a", "grüße\n")
    wanted.write(wanted.path)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert wanted.path.read_text() == "grüße\n"
    assert wanted.path.stat().st_mode & 0o7777 == 0o640


def test_diff_shows_old_and_new(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old\n")
    shown = file(tmp_path / "a").diff()
    assert (shown["before"], shown["after"]) == ("old\n", "new\n")
    assert shown["before_header"] == str(tmp_path / "a")


def test_diff_of_a_file_that_is_no_text_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"caf\xe9\n")
    assert file(tmp_path / "a").diff()["before"].startswith("caf")


@pytest.mark.parametrize("old", ["hunter1\n", ""])
def test_diff_of_a_secret_shows_neither(tmp_path: Path, old: str) -> None:
    if old:
        (tmp_path / "a").write_text(old)
    shown = file(tmp_path / "a", "hunter2\n", secret=True).diff()
    assert "hunter" not in str(shown)
    assert shown["before"] != shown["after"]


@as_root
def test_run_that_writes_shows_what_it_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "example.conf"
    target.write_text("old\n")
    arguments = {"root": str(tmp_path), "files": [{"path": str(target), "content": "new\n"}]}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        file_tree.main()
    answer = json.loads(capsys.readouterr().out)
    assert [(part["before"], part["after"]) for part in answer["diff"]] == [("old\n", "new\n")]
    assert target.read_text() == "new\n"


def removing(path: Path, **more: Any) -> dict[str, Any]:
    """Return the arguments that have one file of a directory removed."""
    return {"root": str(path.parent), "files": [], "absent": [str(path)], **more}


@pytest.mark.parametrize("check", [False, True])
def test_file_that_is_to_be_absent_goes(tmp_path: Path, check: bool, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "example.conf"
    target.write_text("hunter1\n")
    (tmp_path / "neighbour.conf").write_text("stays\n")
    with patch_module_args({**removing(target), "_ansible_check_mode": check}), pytest.raises(SystemExit):
        file_tree.main()
    answer = json.loads(capsys.readouterr().out)
    assert answer["changed_files"] == [str(target)]
    assert answer["diff"] == [{"before": f"{target}\n", "after": ""}]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["example.conf"] * check + ["neighbour.conf"]


def test_file_that_is_absent_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args(removing(tmp_path / "example.conf")), pytest.raises(SystemExit):
        file_tree.main()
    assert not json.loads(capsys.readouterr().out)["changed"]


@as_root
def test_validation_does_not_see_what_is_to_be_absent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "example.conf"
    target.write_text("old\n")
    asked = ["test", "!", "-e", str(target)]
    with patch_module_args(removing(target, validate=asked)), pytest.raises(SystemExit):
        file_tree.main()
    assert json.loads(capsys.readouterr().out).get("changed"), "the validation saw the file"
    assert not target.exists()
