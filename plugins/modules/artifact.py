#!/usr/bin/python
"""Ansible module: a service's program on a host, in a directory per version, with a link to the current one."""

DOCUMENTATION = r"""
module: artifact
short_description: Installs one version of a service's program
description:
  - Fetches the artifact on the controller from the first source of the catalogue that answers, verifies it, and
    unpacks it on the host as C(/opt/berth/<service>/<version>). The link C(current) is switched at the end.
  - The version before stays, so that switching back is a matter of the link.
options:
  service:
    description: Service in the catalogue.
    type: str
    choices: [rest, auth, meta]
    required: true
  version:
    description: Version in the catalogue; empty means its default.
    type: str
  keep:
    description: How many versions stay on the host.
    type: int
    default: 2
  sha256:
    description: Checksum of the artifact; filled in by the action.
    type: str
  source:
    description: Archive on the host; filled in by the action.
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
- name: Ensure PostgREST is installed
  berth.supabase.artifact:
    service: rest
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
import tarfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

ROOT = Path("/opt/berth")
RECEIPT = ".sha256"


class Installation:
    """The versions of one service on this host."""

    def __init__(self, params):
        self.directory = ROOT / params["service"]
        self.version = params["version"]
        self.sha256 = params["sha256"]
        self.target = self.directory / self.version
        self.link = self.directory / "current"

    def current(self):
        return self.link.readlink().name if self.link.is_symlink() else ""

    def is_unpacked(self):
        receipt = self.target / RECEIPT
        return receipt.exists() and receipt.read_text() == self.sha256

    def unpack(self, source):
        """Unpacks beside the final place; the receipt and the name come last, so that a part is never taken for it."""
        fresh = self.directory / f".{self.version}.partial"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o755)
        with tarfile.open(source) as archive:
            archive.extractall(fresh)  # noqa: S202 - packed and verified by the controller
        (fresh / RECEIPT).write_text(self.sha256)
        if self.target.exists():
            shutil.rmtree(self.target)
        fresh.rename(self.target)

    def switch(self):
        fresh = self.directory / ".current.partial"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.version)
        fresh.replace(self.link)

    def prune(self, keep):
        """Deletes the oldest versions beyond those to keep; the current one always stays."""
        versions = [path for path in self.directory.iterdir() if path.is_dir() and not path.is_symlink()]
        versions.sort(key=lambda path: (path.name == self.version, path.stat().st_mtime))
        for path in versions[:-keep]:
            shutil.rmtree(path)


def main():
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "required": True, "choices": ["rest", "auth", "meta"]},
            "version": {"type": "str", "required": True},
            "sha256": {"type": "str", "required": True},
            "keep": {"type": "int", "default": 2},
            "source": {"type": "path"},
        },
        supports_check_mode=True,
    )
    os.umask(0o022)
    installation = Installation(module.params)
    previous = installation.current()
    needs_source = not installation.is_unpacked()
    changed = needs_source or previous != installation.version
    if changed and not module.check_mode:
        if needs_source and module.params["source"]:
            installation.unpack(module.params["source"])
            needs_source = False
        if not needs_source:
            installation.switch()
            installation.prune(module.params["keep"])
    module.exit_json(
        changed=changed,
        needs_source=needs_source,
        version=installation.version,
        previous=previous,
        diff={"before": f"{previous}\n" if previous else "", "after": f"{installation.version}\n"},
    )


if __name__ == "__main__":
    main()
