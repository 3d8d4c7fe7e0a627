#!/usr/bin/python
"""Ansible module: the container images of the services of isolated projects."""

DOCUMENTATION = r"""
module: service_images
short_description: Ensures the container images of services
description:
  - Ensures that C(localhost/berth/<service>:current) is the image of the version that C(/opt/berth/<service>/current)
    names. Containers are started from that name, whatever the source of the image.
  - An image is built from the installed program and the Debian packages that it runs on, taken from this host, or
    pulled by its digest.
options:
  services:
    description: Services whose images are wanted.
    type: list
    elements: str
    required: true
  source:
    description: Where images come from.
    type: str
    choices: [build, pull]
    default: build
  catalogue:
    description: For each service and version what an image is made of; filled in by the action.
    type: dict
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
  diff_mode:
    support: full
    description: Shows the images by what they are made of.
"""

EXAMPLES = r"""
- name: Ensure the images are there
  berth.supabase.service_images:
    services: [rest, auth]
"""

RETURN = r""" # """

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.debian_files import Packages

ROOT = Path("/opt/berth")
LABEL = "berth.made-of"
MERGED = ("bin", "lib", "lib64", "sbin")
MOUNT_POINTS = ("dev", "etc", "proc", "run", "sys", "tmp")


class Image:
    """The image of one service: what it should be made of, and how it is made."""

    def __init__(self, module, service):
        self.module, self.service, self.link = module, service, ROOT / service / "current"
        self.version = self.link.readlink().name if self.link.is_symlink() else ""
        self.spec = (module.params["catalogue"] or {}).get(service, {}).get(self.version) or {}
        self.names = [f"localhost/berth/{service}:{tag}" for tag in (self.version, "current")]

    def made_of(self, packages):
        """Returns one line that changes whenever the image must be made anew."""
        if self.module.params["source"] == "pull":
            return f"{self.version} {self._reference()}"
        receipt = (self.link / ".sha256").read_text() if (self.link / ".sha256").exists() else "unknown"
        return " ".join([self.version, receipt, *packages.versions(self.spec.get("packages", ()))])

    def _reference(self):
        """Returns the pinned name of the image; the module fails when the catalogue has no digest."""
        image = self.spec.get("image")
        if not image:
            self.module.fail_json(
                msg=f"{self.service} {self.version}: the catalogue has no image with a digest for it, and images are "
                "only pulled by digest. Set isolated_image_source: build, or choose a version that has one."
            )
        return f"{image['name']}@{image['digest']}"

    def make(self, made_of, packages):
        labels = {LABEL: made_of}
        if self.module.params["source"] == "pull":
            self._pull(labels)
        else:
            self._build(labels, packages)
        self._podman("tag", *self.names)

    def _pull(self, labels):
        reference = self._reference()
        code, _out, err = self.module.run_command(["podman", "pull", "--quiet", reference])
        if code != 0:
            self.module.fail_json(
                msg=f"Image {reference} cannot be had: {' | '.join(err.strip().splitlines()[-1:])}. Let this host "
                "reach the registry, or set isolated_image_source: build, which needs none."
            )
        command = self.spec["image"]["command"]
        lines = [f"FROM {reference}", *([f"ENTRYPOINT {json.dumps(command)}", "CMD []"] if command else [])]
        lines += [f"LABEL {name}={json.dumps(value)}" for name, value in labels.items()]
        command = ["podman", "build", "--quiet", "--pull=never", "--tag", self.names[0], "-"]
        self._require(*self.module.run_command(command, data="\n".join(lines)))

    def _build(self, labels, packages):
        if "executable" not in self.spec:
            self.module.fail_json(
                msg=f"{self.service} {self.version or 'none'} is installed here, which is no version of the catalogue. "
                "Run playbooks/site.yml, which installs one, or set BERTH_CATALOGUE to the file that has it."
            )
        entrypoint = json.dumps([str(ROOT / self.service / "current" / self.spec["executable"])])
        changes = [f"ENTRYPOINT {entrypoint}", "ENV PATH=/usr/bin:/bin"]
        changes += [f"LABEL {name}={json.dumps(value)}" for name, value in labels.items()]
        options = [option for change in changes for option in ("--change", change)]
        command = ["podman", "import", "--quiet", *options, "-", self.names[0]]
        importing = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            with tarfile.open(fileobj=importing.stdin, mode="w|") as archive:
                self._fill(archive, packages)
            importing.stdin.close()
        except BrokenPipeError:
            pass  # podman has ended, and says why
        err = importing.stderr.read().decode(errors="replace")
        self._require(importing.wait(), "", err)

    def _fill(self, archive, packages):
        """Writes the root file system: the program below the very path that it has on the host, and what it runs on."""
        inside = (ROOT / self.service / "current").relative_to("/")
        wanted = self.spec.get("packages", ())
        paths = {path.lstrip("/") for path in packages.files(wanted)} if wanted else set()
        paths |= {name for name in MERGED if wanted and Path("/", name).is_symlink()}
        for name in sorted(set(MOUNT_POINTS) - paths):
            _add_directory(archive, name)
        for path in sorted(paths):
            archive.add(f"/{path}", path, recursive=False)
        archive.add(self.link.resolve(), str(inside), filter=_owned_by_root)

    def _podman(self, *arguments):
        self._require(*self.module.run_command(["podman", *arguments]))

    def _require(self, code, _out, err):
        if code != 0:
            words = " | ".join(err.strip().splitlines()[-3:])
            self.module.fail_json(msg=f"podman could not make the image of {self.service} {self.version}: {words}")


def _add_directory(archive, name):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
    archive.addfile(entry)


def _owned_by_root(entry):
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def present(module):
    """Returns what each image of Berth on this host says it is made of, by name."""
    if not shutil.which("podman"):
        return {}
    code, out, err = module.run_command(["podman", "image", "ls", "--format", "json"])
    if code != 0:
        module.fail_json(msg=f"podman image ls failed: {err.strip()}")
    return {name: (image.get("Labels") or {}).get(LABEL, "") for image in json.loads(out) for name in _names(image)}


def _names(image):
    return image.get("Names") or image.get("RepoTags") or []


def main():
    module = AnsibleModule(
        argument_spec={
            "services": {"type": "list", "elements": "str", "required": True},
            "source": {"type": "str", "choices": ["build", "pull"], "default": "build"},
            "catalogue": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    found, packages, before, after = present(module), Packages(module), "", ""
    for service in module.params["services"]:
        image = Image(module, service)
        if not image.link.exists():
            if not module.check_mode:
                module.fail_json(msg=f"{image.link} is not there; run the role {service} before this one")
            after += f"{service}\n"
            continue
        made_of, has = image.made_of(packages), found.get(image.names[1])
        if has == made_of:
            continue
        before, after = before + (f"{service} {has}\n" if has else ""), after + f"{service} {made_of}\n"
        if not module.check_mode:
            image.make(made_of, packages)
    module.exit_json(changed=bool(after), diff={"before": before, "after": after})


if __name__ == "__main__":
    main()
