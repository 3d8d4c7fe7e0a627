"""What must not be in the files of the repository: package registries, places of one machine; and what must be."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from role_interface import ROOT

# In pieces, so that this file does not hold what it looks for.
WELL_KNOWN = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("npmjs", "com"),
        ("registry", "yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("goproxy", "io"),
        ("galaxy", "ansible", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
]
CONFIGURATION = [
    [sys.executable, "-m", "pip", "config", "list"],
    ["npm", "config", "get", "registry"],
    ["go", "env", "GOPROXY", "GOSUMDB"],
    ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
]
MACHINE = re.compile("|".join("/" + place for place in (r"root\b/", r"work\b/", r"home/\w", r"Users/\w")))


@cache
def files() -> dict[str, str]:
    """Return the text of every file that git knows or would take, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return {
        str(path.relative_to(ROOT)): path.read_text(errors="replace")
        for path in paths
        if path.is_file() and not path.is_symlink()
    }


def configured() -> Iterator[str]:
    """Return the hosts that the package managers of this machine are told to ask."""
    for command in CONFIGURATION:
        if not shutil.which(command[0]):
            continue
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        for url in re.findall(r"https?://[^\s'\",|]+", told):
            host = urlsplit(url).hostname or ""
            if "." in host and not re.fullmatch(r"127\.[\d.]+", host):
                yield host


def test_files_are_looked_at() -> None:
    assert len(files()) > 100
    assert "tests/contract/test_repository.py" in files()


@pytest.mark.parametrize("host", sorted({*WELL_KNOWN, *configured()}))
def test_no_package_registry_is_named(host: str) -> None:
    assert [path for path, text in files().items() if host in text.lower()] == []


def test_no_place_of_one_machine_is_named() -> None:
    places = re.compile(f"{MACHINE.pattern}|{re.escape(str(ROOT))}/") if len(ROOT.parts) > 2 else MACHINE
    found = {path: places.findall(text) for path, text in files().items()}
    assert {path: hits for path, hits in found.items() if hits} == {}


def test_scripts_are_executable_and_nothing_else_is() -> None:
    listed = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=True)
    executable = {line.split("\t")[1] for line in listed.stdout.splitlines() if line.startswith("100755")}
    scripts = {path for path in executable if files().get(path, "").startswith("#!")}
    assert executable - scripts == set()
    assert {path for path in executable if Path(path).suffix in (".yml", ".j2", ".md")} == set()


def test_installed_package_has_all_of_its_parts() -> None:
    given = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    parts = {str(Path(path).parent).replace("/", ".") for path in files() if path.endswith("/__init__.py")}
    assert sorted(part for part in parts if part.split(".")[0] in ("berth", "webui")) == sorted(given)
