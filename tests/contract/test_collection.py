"""The repository as a collection: it builds, carries no secrets, and its roles work where it is installed."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from role_interface import ROLES, ROOT

COMMANDS = Path(sys.executable).parent
DECOYS = (
    "inventory/production/.vault-password",
    "inventory/production/secrets/blog.yml",
    ".venv/bin/python",
    ".cache/collections/x",
    ".hypothesis/x",
    "build/x",
)
PLAYBOOK = """\
- name: A role by its full name
  hosts: elsewhere
  gather_facts: false
  vars:
    ansible_host: 10.88.0.250
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  roles:
    - role: berth.supabase.local_host
      vars:
        local_host_state: absent
        local_host_bridge: berth-nowhere
        local_host_directory: "{{ playbook_dir }}/local"
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Return a command that has succeeded, run without the settings of this repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the collection, built from a copy that also holds what must not be in it."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("archive")
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).stdout
    for name in (name for name in listed.split("\0") if name and (ROOT / name).is_file()):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    for name in DECOYS:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("not for others\n")
    run(COMMANDS / "ansible-galaxy", "collection", "build", "--output-path", out, cwd=copy)
    return next(out.glob("berth-supabase-*.tar.gz"))


def test_archive_holds_the_parts_and_nothing_private(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        names = {name.removeprefix("./") for name in tar.getnames()}
        manifest = json.load(tar.extractfile("MANIFEST.json"))
    assert {f"roles/{role}/meta/argument_specs.yml" for role in ROLES} <= names
    assert {"plugins/modules/file_tree.py", "plugins/action/file_tree.py", "playbooks/site.yml"} <= names
    assert set(DECOYS) & names == set()
    assert [name for name in names if name.split("/")[0] in ("tests", "inventory", ".git")] == []
    assert manifest["collection_info"]["name"] == "supabase"


def test_role_of_the_installed_collection_works_by_its_full_name(archive: Path, tmp_path: Path) -> None:
    collections = tmp_path / "collections"
    install = ("collection", "install", archive, "--collections-path", collections, "--offline", "--no-deps")
    elsewhere = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"}
    run(COMMANDS / "ansible-galaxy", *install, cwd=tmp_path, **elsewhere)
    (tmp_path / "playbook.yml").write_text(PLAYBOOK)
    done = run(
        COMMANDS / "ansible-playbook",
        *("--check", "-i", "elsewhere,", "playbook.yml"),
        cwd=tmp_path,
        **elsewhere,
    )
    assert "berth.supabase.local_host : Validating arguments" in done.stdout
    assert "berth.supabase.local_host : Remove the local host" in done.stdout
    assert re.search(r"elsewhere .*changed=0 .*failed=0 ", done.stdout)
    assert not (tmp_path / "local").exists()
