"""Files as the module assembled_files puts them together."""

import getpass
import json
from pathlib import Path
from typing import Any

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.berth.supabase.plugins.modules import assembled_files


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Give a directory with two parts and what a killed run left of a third."""
    directory = tmp_path / "hba.d"
    directory.mkdir()
    (directory / "project-blog.conf").write_text("blog\n")
    (directory / "00-socket.conf").write_text("socket")
    (directory / ".project-shop.conf.x8").write_text("half of sh")
    return directory


def run(capsys: pytest.CaptureFixture[str], parts: Path, *, check: bool = False) -> dict[str, Any]:
    """Return what the module answers."""
    files = [{"parts": str(parts), "path": str(parts.with_name("pg_hba.conf"))}]
    arguments = {"files": files, "owner": getpass.getuser(), "_ansible_check_mode": check}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        assembled_files.main()
    return json.loads(capsys.readouterr().out)


def test_parts_follow_each_other_by_name_and_whole(parts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, parts)
    made = parts.with_name("pg_hba.conf")
    assert made.read_text() == "socket\nblog\n"
    assert made.stat().st_mode & 0o7777 == 0o640
    assert answer["changed_files"] == [str(made)]
    assert [(part["before"], part["after"]) for part in answer["diff"]] == [("", "socket\nblog\n")]


def test_second_run_writes_nothing(parts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, parts)
    written = parts.with_name("pg_hba.conf").stat().st_ino
    assert not run(capsys, parts)["changed"]
    assert parts.with_name("pg_hba.conf").stat().st_ino == written


def test_mode_counts(parts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, parts)
    parts.with_name("pg_hba.conf").chmod(0o644)
    assert run(capsys, parts)["changed"]
    assert parts.with_name("pg_hba.conf").stat().st_mode & 0o7777 == 0o640


def test_check_mode_shows_and_writes_nothing(parts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, parts, check=True)["diff"][0]["after"] == "socket\nblog\n"
    assert not parts.with_name("pg_hba.conf").exists()


def test_check_mode_leaves_out_what_has_no_parts_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not run(capsys, tmp_path / "none.d", check=True)["changed"]
