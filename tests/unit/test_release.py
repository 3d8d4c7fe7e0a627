"""A release holds the code and nothing else, and its version names the content."""

import tarfile
from pathlib import Path

import pytest

from berth.release import PARTS, ReleaseError, release


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a directory with all parts of a checkout and what is not for a server."""
    root = tmp_path / "checkout"
    for part in PARTS:
        path = root / part if "." in part or part == "LICENSE" else root / part / "inner.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('[project]\nversion = "0.1.0"\n' if part == "pyproject.toml" else f"{part}\n")
    for private in (
        "inventory/production/.vault-password",
        "berth/__pycache__/x.pyc",
        "roles/x/molecule/default/y.yml",
    ):
        path = root / private
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not for a server\n")
    return root


def names(archive: Path) -> set[str]:
    """Return the names in an archive."""
    with tarfile.open(archive) as tar:
        return set(tar.getnames())


def test_archive_holds_the_code_and_nothing_private(checkout: Path, tmp_path: Path) -> None:
    release(checkout).pack(tmp_path / "a.tar.gz")
    found = names(tmp_path / "a.tar.gz")
    assert {"berth/inner.py", "webui/inner.py", "ansible.cfg", "constraints.txt"} <= found
    assert not [name for name in found if name.startswith("inventory") or "pycache" in name or "molecule" in name]


def test_version_is_the_same_for_the_same_content_and_another_for_another(checkout: Path) -> None:
    before = release(checkout).version
    assert before.startswith("0.1.0-")
    (checkout / "berth" / "__pycache__" / "x.pyc").write_text("compiled anew\n")
    assert release(checkout).version == before
    (checkout / "berth" / "inner.py").write_text("another\n")
    assert release(checkout).version != before


def test_permission_to_run_counts(checkout: Path) -> None:
    before = release(checkout).version
    (checkout / "berth" / "inner.py").chmod(0o755)
    assert release(checkout).version != before


def test_packages_go_beside_the_code(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "flask-3-py3-none-any.whl").write_text("")
    (tmp_path / "wheels" / "requirements.txt").write_text("")
    release(checkout).pack(tmp_path / "a.tar.gz", tmp_path / "wheels")
    assert {name for name in names(tmp_path / "a.tar.gz") if name.startswith("wheels")} == {
        "wheels/flask-3-py3-none-any.whl"
    }


def test_a_directory_without_wheels_is_refused(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no wheels there; make them with tools/wheels"):
        release(checkout).pack(tmp_path / "a.tar.gz", tmp_path)


def test_a_checkout_without_a_part_is_refused(checkout: Path) -> None:
    (checkout / "ansible.cfg").unlink()
    with pytest.raises(ReleaseError, match=r"no ansible\.cfg there"):
        release(checkout)
