"""Archives of projects: a dump of the database, the declaration and the secrets, encrypted, read before they count."""

import os
import secrets
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from berth.declarations import projects_directory, shown
from berth.errors import BerthError
from berth.files import sync_directory, write_atomically
from berth.names import validate_name
from berth.secrets import SecretStore
from berth.vault import Vault

DIRECTORY = "archives"
DUMP = "database.sql.gz.enc"
PASSPHRASE = "passphrase"  # noqa: S105 - the name of a file
_LAST_WORDS = b"PostgreSQL database dump complete"
_MAGIC, _SALT_BYTES, _ITERATIONS = b"Salted__", 8, 10_000  # as `openssl enc -pbkdf2` has them
_CHUNK = 1 << 20


class ArchiveError(BerthError):
    """An archive that cannot be written or read, with the file and the remedy."""


class Archive:
    """The archives of one project; raise InvalidName."""

    def __init__(self, inventory_dir: Path, project: str, number: int) -> None:
        validate_name(project)
        self.inventory_dir = inventory_dir
        self.project = project
        self.directory = inventory_dir / DIRECTORY
        self.stem = f"{project}-{number}-"

    def latest(self) -> Path | None:
        """The directory of the newest archive, None when there is none."""
        return max(self.directory.glob(f"{self.stem}*"), default=None)

    @contextmanager
    def drafted(self) -> Iterator["Draft"]:
        """Give an archive that is nothing until it is kept; what an interrupted one has left goes. Raise BerthError."""
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            # archives are for nobody's repository, wherever the environment is
            write_atomically(self.directory / ".gitignore", "*\n")
            for left in self.directory.glob(f".{self.stem}*"):
                shutil.rmtree(left)
            partial = tempfile.TemporaryDirectory(
                prefix=f".{self.stem}", dir=self.directory, ignore_cleanup_errors=True
            )
            with partial:
                yield Draft(self, Path(partial.name))
        except OSError as error:
            raise ArchiveError(f"{shown(self.directory)}: not writable ({error.strerror}); correct it") from error


class Draft:
    """An archive in the making: the encrypted dump is put into `dump` by whoever has it."""

    def __init__(self, archive: Archive, directory: Path) -> None:
        self.archive = archive
        self.directory = directory
        self.dump = directory / DUMP
        self.passphrase = secrets.token_urlsafe(48)

    def keep(self) -> Path:
        """The directory of the archive, complete, readable and on the disk; raise ArchiveError or VaultError."""
        require_readable(self.dump, self.passphrase)
        self.dump.chmod(0o600)
        of = self.archive
        vault = Vault(of.inventory_dir)
        declaration = projects_directory(of.inventory_dir) / f"{of.project}.yml"
        has_secrets = SecretStore(of.inventory_dir).project_file(of.project)
        write_atomically(self.directory / "declaration.yml", vault.encrypt(declaration.read_text(encoding="utf-8")))
        write_atomically(self.directory / PASSPHRASE, vault.encrypt(f"{self.passphrase}\n"))
        if has_secrets.exists():
            write_atomically(self.directory / "secrets.yml", has_secrets.read_text(encoding="utf-8"))
        with self.dump.open("rb") as stream:
            os.fsync(stream.fileno())
        kept = of.directory / f"{of.stem}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        self.directory.rename(kept)
        sync_directory(of.directory)
        return kept


def require_readable(dump: Path, passphrase: str) -> None:
    """Return when the dump decrypts, unpacks and is whole; raise ArchiveError."""
    unpacked = zlib.decompressobj(wbits=31)
    end = b""
    try:
        for piece in _decrypted(dump, passphrase):
            packed = piece
            while packed:
                end = (end + unpacked.decompress(packed, _CHUNK))[-4096:]
                packed = unpacked.unconsumed_tail
    except (OSError, ValueError, zlib.error) as error:
        raise ArchiveError(f"{dump}: not readable ({error}); run it again") from error
    if not unpacked.eof or _LAST_WORDS not in end:
        raise ArchiveError(f"{dump}: it ends too early; run it again")


def _decrypted(path: Path, passphrase: str) -> Iterator[bytes]:
    """The content of a file in the salted format of `openssl enc -aes-256-cbc -pbkdf2`; ValueError for any other."""
    with path.open("rb") as stream:
        magic, salt = stream.read(len(_MAGIC)), stream.read(_SALT_BYTES)
        if magic != _MAGIC or len(salt) != _SALT_BYTES:
            raise ValueError("no salted file of openssl")
        derived = PBKDF2HMAC(hashes.SHA256(), 48, salt, _ITERATIONS).derive(passphrase.encode())
        decryptor = Cipher(algorithms.AES(derived[:32]), modes.CBC(derived[32:])).decryptor()
        unpadder = padding.PKCS7(algorithms.AES.block_size).unpadder()
        while piece := stream.read(_CHUNK):
            yield unpadder.update(decryptor.update(piece))
        yield unpadder.update(decryptor.finalize()) + unpadder.finalize()
