#!/usr/bin/python
"""Ansible module: the image that local hosts are unpacked from."""

DOCUMENTATION = r"""
module: local_image
short_description: Builds a bootable Debian image with mmdebstrap
description:
  - Builds a tar archive with a minimal Debian and the packages asked for; does nothing when the archive exists.
options:
  path:
    description: Archive to make. Its name should change with its content.
    type: path
    required: true
  suite:
    description: Debian release, for instance V(trixie).
    type: str
    required: true
  mirror:
    description: Package mirror.
    type: str
    required: true
  packages:
    description: Packages to install.
    type: list
    elements: str
    required: true
  cached_packages:
    description: Packages to download with all that they depend on, without installing them.
    type: list
    elements: str
    default: []
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
"""

EXAMPLES = r"""
- name: Build the image of Debian 13
  berth.supabase.local_image:
    path: /var/lib/berth-local/images/trixie.tar
    suite: trixie
    mirror: "{{ mirror }}"
    packages: [systemd-sysv, python3, openssh-server]
"""

RETURN = r"""
path:
  description: The archive.
  type: str
  returned: always
"""

import fcntl
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

HOOKS = (
    "rm -f $1/etc/ssh/ssh_host_*",
    "systemctl --root=$1 enable systemd-networkd",
    "systemctl --root=$1 mask systemd-modules-load.service",  # a host that shares the kernel loads no modules
)


def build(module, path):
    """Builds the archive under a temporary name, then gives it its own."""
    params = module.params
    partial = path.with_suffix(".partial.tar")
    hooks = [f"--customize-hook={hook}" for hook in HOOKS]
    if params["cached_packages"]:
        names = " ".join(params["cached_packages"])
        fetch = f"chroot $1 apt-get install -y --download-only --no-install-recommends {names}"
        hooks.append(f"--customize-hook={fetch}")
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(params['packages'])}",
        "--skip=cleanup/apt",
        *hooks,
        params["suite"],
        str(partial),
        params["mirror"],
    ]
    code, _out, err = module.run_command(command)
    if code != 0:
        partial.unlink(missing_ok=True)
        last = err.strip().splitlines()[-5:]
        module.fail_json(msg=f"mmdebstrap could not build {path.name} from {params['mirror']}: {' | '.join(last)}")
    partial.rename(path)


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "suite": {"type": "str", "required": True},
            "mirror": {"type": "str", "required": True},
            "packages": {"type": "list", "elements": "str", "required": True},
            "cached_packages": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    path = Path(module.params["path"])
    changed = not path.exists()
    if changed and not module.check_mode:
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                build(module, path)
    module.exit_json(changed=changed, path=str(path))


if __name__ == "__main__":
    main()
