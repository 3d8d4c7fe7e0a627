"""Fetch what a host runs: one verified, reproducible tar.gz per service, version and platform, kept in a cache."""

import argparse
import fcntl
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from berth.artifact_catalogue import OVERRIDE_VARIABLE, ArtifactError, Build, Catalogue, CatalogueError, load
from berth.artifact_sources import Job, Progress, SourceError, deliver
from berth.artifact_trees import pack, sha256_of

__all__ = ["Artifact", "ArtifactError", "ArtifactUnavailable", "Catalogue", "CatalogueError", "catalogue", "fetch"]

CACHE_VARIABLE = "BERTH_CACHE"
PLATFORM = "linux-x86_64"


@dataclass(frozen=True)
class Artifact:
    """A tar.gz in the cache whose root is what belongs in /opt/berth/<service>/<version>."""

    service: str
    version: str
    path: Path
    sha256: str


class ArtifactUnavailable(ArtifactError):
    """No source delivered the artifact; answers holds (source, what it answered) in the order tried."""

    def __init__(self, service: str, version: str, platform: str, answers: list[tuple[str, str]]) -> None:
        """Compose the message out of all the answers."""
        self.service, self.version, self.answers = service, version, answers
        tried = "\n".join(f"  {number}. {source}: {answer}" for number, (source, answer) in enumerate(answers, 1))
        super().__init__(
            f"{service} {version} for {platform} is not available. Sources tried, in this order:\n{tried}\n"
            f"Let this machine reach one of them, or name a source or checksum of your own in a YAML file and set "
            f"{OVERRIDE_VARIABLE} to its path (now {os.environ.get(OVERRIDE_VARIABLE) or 'unset'})."
        )


def catalogue() -> Catalogue:
    """Return the catalogue in force; raises CatalogueError when the operator's file is wrong."""
    return load()


def cache_directory() -> Path:
    """Return the cache: BERTH_CACHE, or berth/artifacts in the user's cache directory."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "berth" / "artifacts"


def fetch(
    service: str,
    version: str | None = None,
    platform: str = PLATFORM,
    progress: Progress | None = None,
    known: Catalogue | None = None,
) -> Artifact:
    """Return the artifact, from the cache or fetched now; raises CatalogueError or ArtifactUnavailable.

    progress is called with (what is being done, bytes done, bytes in all or None).
    """
    known = known or catalogue()
    entry = known.service(service)
    version = version or entry.default
    build = known.build(service, version, platform)
    path = cache_directory() / f"{service}-{version}-{platform}.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_name(f"{path.name}.lock")):
        digest = _cached(path, build)
        if digest is None:
            digest = _fetch(path, build, (service, version, platform), entry.executable, progress or _silent)
    return Artifact(service, version, path, digest)


def _silent(what: str, done: int, total: int | None) -> None:
    del what, done, total


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _receipt(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _cached(path: Path, build: Build) -> str | None:
    """Return the sha256 of an intact artifact made from a source that the catalogue still lists, else None."""
    try:
        receipt = json.loads(_receipt(path).read_text(encoding="utf-8"))
        digest, source = receipt["sha256"], receipt["source"]
        if source in {known.fingerprint() for known in build.sources} and sha256_of(path) == digest:
            return digest
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _fetch(path: Path, build: Build, name: tuple[str, str, str], executable: str, progress: Progress) -> str:
    answers = []
    for source in build.sources:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as work:
            tree, scratch = Path(work) / "tree", Path(work) / "scratch"
            tree.mkdir()
            scratch.mkdir()

            def report(what: str, done: int, total: int | None, described: str = source.describe()) -> None:
                progress(f"{what}: {described}", done, total)

            try:
                deliver(source, Job(tree, scratch, executable, name[2], report))
            except SourceError as error:
                answers.append((source.describe(), str(error)))
                progress(f"{source.describe()} did not deliver: {error}", 0, None)
                continue
            return _store(tree, path, source.fingerprint(), source.describe())
    raise ArtifactUnavailable(*name, answers)


def _store(tree: Path, path: Path, fingerprint: str, described: str) -> str:
    packed = tree.with_name("packed")
    with packed.open("wb") as stream:
        pack(tree, stream)
        os.fsync(stream.fileno())
    digest = sha256_of(packed)
    receipt = tree.with_name("receipt")
    receipt.write_text(json.dumps({"sha256": digest, "source": fingerprint, "from": described}) + "\n", "utf-8")
    # The receipt last: an artifact without its receipt, or with an older one, is fetched again.
    packed.rename(path)
    receipt.rename(_receipt(path))
    return digest


class _Line:
    """Progress of one service on standard error: rewritten in place on a terminal, one line per step elsewhere."""

    def __init__(self, label: str) -> None:
        self.label, self.last = label, ""

    def __call__(self, what: str, done: int, total: int | None) -> None:
        if sys.stderr.isatty():
            size = f" {done >> 20}" + (f" of {total >> 20}" if total else "") + " MiB" if done else ""
            print(f"\r\033[K{self.label}: {what}{size}"[:200], end="", file=sys.stderr, flush=True)
        elif what != self.last:
            print(f"{self.label}: {what}", file=sys.stderr, flush=True)
        self.last = what

    def close(self) -> None:
        if self.last and sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m berth.artifacts", description=__doc__)
    fetching = parser.add_subparsers(dest="command", required=True).add_parser("fetch", help="fetch and verify")
    fetching.add_argument("services", nargs="+", metavar="SERVICE[=VERSION]")
    fetching.add_argument("--platform", default=PLATFORM)
    fetching.add_argument("--allow-missing", action="append", default=[], metavar="SERVICE", help="go on without it")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Fetch the named services and print a line for each; return 0, or 1 when one that is needed is missing."""
    arguments = _arguments(argv)
    status = 0
    for wanted in arguments.services:
        service, _, version = wanted.partition("=")
        line = _Line(wanted)
        try:
            artifact = fetch(service, version or None, arguments.platform, line)
        except ArtifactError as error:
            line.close()
            print(f"{wanted}: {error}", file=sys.stderr)
            if isinstance(error, ArtifactUnavailable) and service in arguments.allow_missing:
                print(f"{service} {error.version}: NOT AVAILABLE; going on without {service}", flush=True)
            else:
                status = 1
            continue
        line.close()
        size = artifact.path.stat().st_size / 2**20
        print(f"{service} {artifact.version}: {artifact.path} ({size:.1f} MiB, sha256 {artifact.sha256})", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
