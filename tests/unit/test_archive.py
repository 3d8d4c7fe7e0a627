"""Archives of removed projects: complete or not there, encrypted, opened by hand with openssl and ansible-vault."""

import gzip
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from berth.archive import Archive, ArchiveError, Draft, require_readable
from berth.secrets import SecretStore
from berth.vault import Vault

DECLARATION = "name: blog\nnumber: 7\nhost: alpha\narchitecture: shared\n"
SQL = b"CREATE TABLE todos (id bigint);\n" * 200_000 + b"--\n-- PostgreSQL database dump complete\n--\n\n"
BY_HAND = """
set -eu
passphrase=$(ansible-vault decrypt --output - passphrase)
openssl enc -d -aes-256-cbc -pbkdf2 -in database.sql.gz.enc -pass fd:3 3<<<"$passphrase" | gunzip
"""


def seal(path: Path, plain: bytes, passphrase: str) -> None:
    """Write a dump as the module does on the host."""
    command = ["openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-salt", "-out", str(path), "-pass", f"pass:{passphrase}"]
    subprocess.run(command, input=plain, check=True)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """The archives of a declared project that has secrets."""
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects/blog.yml").write_text(DECLARATION)
    SecretStore(tmp_path).project("blog")
    return Archive(tmp_path, "blog", 7)


def kept(archive: Archive, plain: bytes = SQL) -> Path:
    """An archive with this dump."""
    with archive.drafted() as draft:
        seal(draft.dump, gzip.compress(plain), draft.passphrase)
        return draft.keep()


def test_kept_archive_opens_by_hand(archive: Archive, tmp_path: Path) -> None:
    directory = kept(archive)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "ANSIBLE_VAULT_PASSWORD_FILE": str(tmp_path / ".vault-password"),
        "HOME": str(tmp_path),
    }
    opened = subprocess.run(["bash", "-c", BY_HAND], cwd=directory, env=environment, capture_output=True, check=True)
    assert opened.stdout == SQL
    assert Vault(tmp_path).decrypt(directory / "declaration.yml") == DECLARATION
    assert (directory / "secrets.yml").read_bytes() == (tmp_path / "secrets/blog.yml").read_bytes()


def test_nothing_in_it_is_for_others_or_for_git(archive: Archive, tmp_path: Path) -> None:
    directory = kept(archive)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert [path.name for path in directory.iterdir() if b"todos" in path.read_bytes()] == []
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    seen = subprocess.run(["git", "status", "--short", "-uall"], cwd=tmp_path, capture_output=True, text=True)
    assert "projects/blog.yml" in seen.stdout
    assert "archives" not in seen.stdout


def test_latest_is_the_newest_of_this_project_alone(archive: Archive, tmp_path: Path) -> None:
    assert archive.latest() is None
    for name in ("blog-7-20260101T000000Z", "blog-7-20270101T000000Z", "blog-8-20280101T000000Z", "blog-7b-2"):
        (tmp_path / "archives" / name).mkdir(parents=True)
    assert archive.latest() == tmp_path / "archives/blog-7-20270101T000000Z"


@pytest.mark.parametrize(
    "broken",
    [
        lambda draft: seal(draft.dump, gzip.compress(SQL), "another"),
        lambda draft: seal(draft.dump, gzip.compress(SQL)[:-100], draft.passphrase),
        lambda draft: seal(draft.dump, gzip.compress(b"CREATE TABLE todos ();\n"), draft.passphrase),
        lambda draft: seal(draft.dump, SQL, draft.passphrase),
        lambda draft: draft.dump.write_bytes(gzip.compress(SQL)),
        lambda draft: draft.dump.write_bytes(b""),
        lambda draft: None,
    ],
    ids=["passphrase", "cut", "incomplete", "not-packed", "not-encrypted", "empty", "missing"],
)
def test_dump_that_cannot_be_read_is_no_archive(archive: Archive, tmp_path: Path, broken: object) -> None:
    with archive.drafted() as draft:
        broken(draft)
        with pytest.raises(ArchiveError, match=r"database\.sql\.gz\.enc: "):
            draft.keep()
    assert [path.name for path in (tmp_path / "archives").iterdir()] == [".gitignore"]


def test_what_an_interrupted_archive_has_left_goes(archive: Archive, tmp_path: Path) -> None:
    for name in (".blog-7-abc", ".blog-8-abc"):
        (tmp_path / "archives" / name).mkdir(parents=True)
        (tmp_path / "archives" / name / "database.sql.gz.enc").write_text("half")
    kept(archive)
    left = [path.name for path in (tmp_path / "archives").iterdir() if path.name.startswith(".blog")]
    assert left == [".blog-8-abc"]


def test_project_without_secrets_has_an_archive_too(archive: Archive, tmp_path: Path) -> None:
    SecretStore(tmp_path).remove_project("blog")
    assert sorted(path.name for path in kept(archive).iterdir()) == [
        "database.sql.gz.enc",
        "declaration.yml",
        "passphrase",
    ]


def test_cut_at_any_end_is_noticed(archive: Archive, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    seal(whole, gzip.compress(SQL), "word")
    require_readable(whole, "word")
    for size in (8, 16, 100, whole.stat().st_size - 16):
        part = tmp_path / "part"
        part.write_bytes(whole.read_bytes()[:size])
        with pytest.raises(ArchiveError):
            require_readable(part, "word")


def test_passphrases_differ(archive: Archive, tmp_path: Path) -> None:
    assert len({Draft(archive, tmp_path).passphrase for _ in range(3)}) == 3
