#!/usr/bin/python
"""Ansible module: Berth itself on a server, in a directory per version, with a link to the current one."""

DOCUMENTATION = r"""
module: controller_release
short_description: Installs the code of this checkout with its Python packages
description:
  - Copies the code that the playbook runs from to C(/opt/berth/controller/<version>), where the version names its
    content, and installs the packages that it needs into a virtual environment there.
  - The link C(current) is switched once all of that is done, so that a part never runs. The version before stays.
options:
  wheels:
    description:
      - Directory of the machine that runs the playbook with the wheels of all packages. Empty means that pip of the
        server gets them, as it is configured there.
    type: path
  version:
    description: Version of the code; filled in by the action.
    type: str
  offline:
    description: Whether wheels are in the archive; filled in by the action.
    type: bool
  source:
    description: Archive on the server; filled in by the action.
    type: path
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the version before and after.
"""

EXAMPLES = r"""
- name: Ensure Berth is installed
  berth.supabase.controller_release:
"""

RETURN = r"""
version:
  description: Version that is current now.
  type: str
  returned: always
previous:
  description: Version that was current before, or an empty string.
  type: str
  returned: always
"""

import os
import shutil
import sys
import tarfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DIRECTORY = Path("/opt/berth/controller")
RECEIPT = ".complete"
KEPT = 2
COLLECTIONS = Path(".cache/collections/ansible_collections")
WORDS_SHOWN = 5


class Installation:
    """The versions of Berth on this server."""

    def __init__(self, module):
        self.module = module
        self.target = DIRECTORY / module.params["version"]
        self.link = DIRECTORY / "current"

    def current(self):
        return self.link.readlink().name if self.link.is_symlink() else ""

    def is_complete(self):
        return (self.target / RECEIPT).exists()

    def install(self, source, offline):
        """Makes the directory of the version; the receipt comes last, so that a part is never taken for it."""
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir(parents=True, mode=0o755)
        with tarfile.open(source) as archive:
            archive.extractall(self.target, filter="data")
        namespace = self.target / COLLECTIONS / "berth"
        namespace.mkdir(parents=True)
        (namespace / "supabase").symlink_to("../../../..")
        self.install_packages(offline)
        shutil.rmtree(self.target / "wheels", ignore_errors=True)
        (self.target / RECEIPT).touch()

    def install_packages(self, offline):
        import tomllib

        needed = tomllib.loads((self.target / "pyproject.toml").read_text())["project"]["dependencies"]
        (self.target / "requirements.txt").write_text("".join(f"{line}\n" for line in needed))
        self.run([sys.executable, "-m", "venv", ".venv"])
        [packages] = (self.target / ".venv" / "lib").glob("python*/site-packages")
        pip = [".venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        given = ["--constraint", "constraints.txt", "--requirement", "requirements.txt"]
        self.run([*pip, *given, *(["--no-index", "--find-links", "wheels"] if offline else [])])
        (packages / "berth.pth").write_text(f"{self.target}\n")
        # Modules of collections are sent to hosts, not imported here: compiling their thousands takes minutes
        places = ["berth", "webui", str(packages)]
        self.run([".venv/bin/python", "-m", "compileall", "-q", "-j", "0", "-x", "ansible_collections", *places])

    def run(self, command):
        code, out, err = self.module.run_command(command, cwd=str(self.target))
        if code != 0:
            words = " | ".join((err or out).strip().splitlines()[-WORDS_SHOWN:])
            stays = self.current()
            self.module.fail_json(
                msg=f"{' '.join(command[:4])} failed in {self.target}: {words}. "
                + (f"Version {stays} goes on. " if stays else "")
                + "Correct the configuration of pip on the server, or give packages with controller_wheels."
            )

    def switch(self):
        fresh = DIRECTORY / ".current.partial"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.target.name)
        fresh.replace(self.link)

    def prune(self):
        """Deletes the oldest versions beyond those to keep; the current one always stays."""
        versions = [path for path in DIRECTORY.iterdir() if path.is_dir() and not path.is_symlink()]
        versions.sort(key=lambda path: (path == self.target, path.stat().st_mtime))
        for path in versions[:-KEPT]:
            shutil.rmtree(path)


def main():
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "offline": {"type": "bool", "default": False},
            "source": {"type": "path"},
        },
        supports_check_mode=True,
    )
    os.umask(0o022)
    installation = Installation(module)
    previous = installation.current()
    needs_source = not installation.is_complete()
    changed = needs_source or previous != module.params["version"]
    if changed and not module.check_mode:
        if needs_source and module.params["source"]:
            installation.install(module.params["source"], module.params["offline"])
            needs_source = False
        if not needs_source:
            installation.switch()
            installation.prune()
    module.exit_json(
        changed=changed,
        needs_source=needs_source,
        version=module.params["version"],
        previous=previous,
        diff={"before": f"{previous}\n" if previous else "", "after": f"{module.params['version']}\n"},
    )


if __name__ == "__main__":
    main()
