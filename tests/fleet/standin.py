"""GoTrue for tests: the real one where any of its sources answers, else the stand-in, said plainly."""

import hashlib
import os
import shlex
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path

import yaml

SOURCE = Path(__file__).resolve().parents[1] / "standins" / "gotrue"
VERSION = "2.189.0-stand-in"


@cache
def missing() -> str:
    """Returns why the real GoTrue cannot be had, or an empty text when it can."""
    command = [sys.executable, "-m", "berth.artifacts", "fetch", "auth"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip()


def environment(directory: Path) -> dict[str, str]:
    """Returns the environment of playbooks, with a catalogue of the stand-in beside the directory if needed."""
    if not missing():
        return {}
    print(f"\nGoTrue: the stand-in of tests/standins/gotrue is used, because:\n{missing()}", file=sys.stderr)
    catalogue = directory.with_name(f"{directory.name}-catalogue") / "standin.yml"
    catalogue.parent.mkdir(parents=True, exist_ok=True)
    archive = pack(catalogue.parent / "gotrue-standin.tar.gz")
    source = {"kind": "archive", "url": archive.as_uri(), "sha256": hashlib.sha256(archive.read_bytes()).hexdigest()}
    version = {"linux-x86_64": {"sources": [source], "packages": ["libc-bin", "python3", "python3-psycopg"]}}
    catalogue.write_text(yaml.safe_dump({"services": {"auth": {"default": VERSION, "versions": {VERSION: version}}}}))
    return {"BERTH_CATALOGUE": str(catalogue)}


def pack(path: Path) -> Path:
    """Returns the stand-in as an archive with bin/ and lib/, as a release of GoTrue would have."""
    with tarfile.open(path, "w:gz") as archive:
        archive.add(SOURCE / "auth", "bin/auth")
        archive.add(SOURCE / "gotrue_standin", "lib/gotrue_standin", filter=_no_bytecode)
    return path


def _no_bytecode(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member


def report() -> str:
    """Returns one line that says which GoTrue the tests used."""
    if missing():
        return "GoTrue: STAND-IN. No source of the real one answered, so nothing here says that the real one works."
    return "GoTrue: the real one."


if __name__ == "__main__":
    if sys.argv[1] == "--report":
        print(report())
        sys.exit(bool(missing()) and os.environ.get("BERTH_REQUIRE_GOTRUE") == "1")
    else:
        for name, value in environment(Path(sys.argv[1]).resolve()).items():
            print(f"export {name}={shlex.quote(value)}")
