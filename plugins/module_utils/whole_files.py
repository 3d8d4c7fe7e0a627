"""What Berth's modules share to write files that a reader sees as they were or as they are to be, never a part."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def content_of(path):
    """Returns the bytes of a file, None where there is none."""
    return path.read_bytes() if path.is_file() else None


def is_as(path, content, mode, owner=(0, 0)):
    """Returns whether a file has this content, these permissions and this owner, a user's and a group's number."""
    if content_of(path) != content:
        return False
    status = path.stat()
    return (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (mode, *owner)


def write(path, content, mode, owner=None):
    """Replaces a file in one step; directories above it are made. Without an owner it is the writer's."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        if owner:
            os.fchown(handle, *owner)
        os.fchmod(handle, mode)
        os.fsync(handle)
    Path(partial).replace(path)


def shown(path, before, after):
    """Returns the difference of a file as Ansible shows it."""
    texts = {"before": (before or b"").decode(errors="replace"), "after": after.decode(errors="replace")}
    return {**texts, "before_header": str(path), "after_header": str(path)}
