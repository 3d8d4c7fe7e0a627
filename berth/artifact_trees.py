"""Directory trees and tar archives: careful unpacking, reproducible packing, checksums."""

import gzip
import hashlib
import platform
import shutil
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import zstandard

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class TreeError(Exception):
    """An archive is damaged, unsafe or lacks the file that was asked for."""


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    with archive.open("rb") as stream:
        if stream.read(4) == ZSTD_MAGIC:
            stream.seek(0)
            with (
                zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True) as plain,
                tarfile.open(fileobj=plain, mode="r|") as tar,
            ):
                yield tar
        else:
            stream.seek(0)
            with tarfile.open(fileobj=stream, mode="r|*") as tar:
                yield tar


def unpack(archive: Path, target: Path) -> None:
    """Unpack a tar.gz, tar.xz or tar.zst into target; raises TreeError for any path or link that leads outside."""
    if not hasattr(tarfile, "data_filter"):
        raise TreeError(f"Python {platform.python_version()} cannot unpack safely; use 3.11.4 or newer")
    try:
        with _opened(archive) as tar:
            tar.extractall(target, filter="data")
    except (tarfile.TarError, zstandard.ZstdError) as error:
        raise TreeError(f"archive refused: {error}") from error


def extract_member(archive: Path, member: str, target: Path) -> None:
    """Write one regular file of an archive to target, executable; raises TreeError when it is not there."""
    wanted = PurePosixPath(member)
    try:
        with _opened(archive) as tar:
            for entry in tar:
                if PurePosixPath(entry.name) == wanted and entry.isreg():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with tar.extractfile(entry) as source, target.open("wb") as copy:
                        shutil.copyfileobj(source, copy)
                    target.chmod(0o755)
                    return
    except (tarfile.TarError, zstandard.ZstdError) as error:
        raise TreeError(f"archive refused: {error}") from error
    raise TreeError(f"archive has no regular file {member!r}")


def hoist(tree: Path, executable: str) -> None:
    """Move the content of a single top directory up when the executable lies under it."""
    entries = list(tree.iterdir())
    if not (tree / executable).exists() and len(entries) == 1 and (entries[0] / executable).is_file():
        top = entries[0].rename(tree.with_name(f"{tree.name}.top"))
        tree.rmdir()
        top.rename(tree)


def _entry(tree: Path, path: Path) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path.relative_to(tree).as_posix())
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
    elif stat.S_ISDIR(status.st_mode):
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    elif stat.S_ISREG(status.st_mode):
        entry.size, entry.mode = status.st_size, 0o755 if status.st_mode & 0o111 else 0o644
    else:
        raise TreeError(f"{entry.name} is neither a file, a directory nor a link")
    return entry


def pack(tree: Path, stream: BinaryIO) -> None:
    """Write a tree as tar.gz whose bytes depend on names, content and executable bits alone."""
    with (
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for path in sorted(tree.rglob("*"), key=lambda path: path.relative_to(tree).as_posix()):
            entry = _entry(tree, path)
            if entry.isreg():
                with path.open("rb") as content:
                    tar.addfile(entry, content)
            else:
                tar.addfile(entry)
