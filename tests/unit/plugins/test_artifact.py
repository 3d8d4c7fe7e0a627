"""Versions of a program side by side, as the module artifact keeps them."""

import io
import os
import tarfile
from pathlib import Path

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible_collections.berth.supabase.plugins.modules import artifact


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the directory that stands for /opt/berth."""
    monkeypatch.setattr(artifact, "ROOT", tmp_path / "opt")
    return tmp_path / "opt"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Give an archive with one program."""
    path = tmp_path / "rest.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("bin/postgrest")
        member.size, member.mode = 2, 0o755
        tar.addfile(member, io.BytesIO(b"ok"))
    return path


def installation(version: str, sha256: str = "abc") -> artifact.Installation:
    """Return one version of a service."""
    return artifact.Installation({"service": "rest", "version": version, "sha256": sha256})


def install(version: str, archive: Path, when: int) -> artifact.Installation:
    """Install a version as if at a certain time."""
    found = installation(version)
    found.unpack(archive)
    os.utime(found.target, (when, when))
    found.switch()
    return found


def test_nothing_is_installed_at_first() -> None:
    assert installation("1").current() == ""
    assert not installation("1").is_unpacked()


def test_installed_version_is_the_current_one(root: Path, archive: Path) -> None:
    found = install("1", archive, 1)
    assert found.is_unpacked()
    assert found.current() == "1"
    assert (root / "rest/current/bin/postgrest").read_text() == "ok"


def test_same_version_with_another_checksum_is_not_the_same(archive: Path) -> None:
    install("1", archive, 1)
    assert not installation("1", "other").is_unpacked()


def test_half_an_unpacking_is_no_version(root: Path, archive: Path) -> None:
    leftover = root / "rest" / ".1.partial"
    leftover.mkdir(parents=True)
    (leftover / "junk").touch()
    assert not installation("1").is_unpacked()
    found = install("1", archive, 1)
    assert not (found.target / "junk").exists()
    assert not leftover.exists()


def test_older_versions_go_and_the_one_before_stays(root: Path, archive: Path) -> None:
    for when, version in enumerate(["1", "2", "3"]):
        found = install(version, archive, when)
    found.prune(2)
    assert {path.name for path in (root / "rest").iterdir()} == {"2", "3", "current"}


def test_going_back_keeps_the_version_that_is_current(root: Path, archive: Path) -> None:
    install("1", archive, 1)
    install("2", archive, 2)
    back = installation("1")
    back.switch()
    back.prune(1)
    assert back.current() == "1"
    assert {path.name for path in (root / "rest").iterdir()} == {"1", "current"}
