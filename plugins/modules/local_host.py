#!/usr/bin/python
"""Ansible module: one local host, a booted Debian in systemd-nspawn with an address of its own."""

DOCUMENTATION = r"""
module: local_host
short_description: Boots or removes a local host
description:
  - Unpacks an image into a directory, gives it a network address and SSH keys, and boots it with systemd-nspawn.
  - Works where systemd is PID 1 (a transient service) and where it is not (a process in cgroups of its own).
options:
  name:
    description: Name of the host. The machine is called C(berth-<name>).
    type: str
    required: true
  directory:
    description: Directory below which the root file systems of local hosts are kept.
    type: path
    required: true
  state:
    description: V(absent) shuts the host down and deletes its root file system.
    type: str
    choices: [started, absent]
    default: started
  image:
    description: Tar archive to unpack for a host that does not exist yet.
    type: path
  address:
    description: IPv4 address with prefix length, for instance V(10.88.0.11/24).
    type: str
  gateway:
    description: Default gateway of the host.
    type: str
  bridge:
    description: Bridge that the host is attached to.
    type: str
  authorized_key:
    description: SSH public key that may log in as root.
    type: str
  host_key:
    description: Private SSH host key file of this machine to install in the host.
    type: path
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
"""

EXAMPLES = r"""
- name: Ensure alpha runs
  berth.supabase.local_host:
    name: alpha
    directory: /var/lib/berth-local/machines
    image: /var/lib/berth-local/images/trixie.tar
    address: 10.88.0.11/24
    gateway: 10.88.0.1
    bridge: berth0
    authorized_key: "{{ lookup('file', '/var/lib/berth-local/ssh/id_ed25519.pub') }}"
    host_key: /var/lib/berth-local/ssh/alpha_host_key
"""

RETURN = r"""
machine:
  description: Name of the machine.
  type: str
  returned: always
"""

import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils.waiting import comes_true

NETWORK = """[Match]
Name=host0

[Network]
Address={address}
Gateway={gateway}
LinkLocalAddressing=no
"""
CGROUP_ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")
POLL = 0.1  # seconds
SHUTDOWN_SECONDS = 30
REBOOT = 133  # what systemd-nspawn ends with when the host was rebooted from inside and somebody else is to start it
# A caught signal makes wait return early: then the host is still shutting down.
SUPERVISOR = f"""
trap 'ended=1' TERM
while :; do
    code=0
    "$@" & wait $! || code=$?
    while kill -0 $! 2>/dev/null; do code=0; wait $! || code=$?; done
    [ "$code" = {REBOOT} ] && [ -z "$ended" ] || exit "$code"
done
"""


class LocalHost:
    """One systemd-nspawn machine on this computer."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.machine = f"berth-{self.params['name']}"
        self.root = Path(self.params["directory"]) / self.params["name"]
        self.pid_file = Path(f"/run/berth-local/{self.machine}.pid")
        self.log = Path(self.params["directory"]) / f"{self.params['name']}.log"
        self.unit = f"{self.machine}.service"
        self.has_systemd = Path("/run/systemd/system").is_dir()

    def pid(self):
        """Returns the process id of what supervises systemd-nspawn, or None when the host does not run."""
        try:
            pid = int(self.pid_file.read_text())
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if f"--machine={self.machine}".encode() in arguments else None

    def is_running(self):
        if self.has_systemd:
            return self.module.run_command(["systemctl", "is-active", "--quiet", self.unit])[0] == 0
        return self.pid() is not None

    def unpack(self):
        """Makes the root file system; a partly unpacked one of an interrupted run never gets the final name."""
        self.root.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for leftover in self.root.parent.glob(f".{self.params['name']}-*"):
            shutil.rmtree(leftover)
        fresh = Path(tempfile.mkdtemp(prefix=f".{self.params['name']}-", dir=self.root.parent))
        fresh.chmod(0o755)
        self.module.run_command(["tar", "-xf", self.params["image"], "-C", str(fresh)], check_rc=True)
        (fresh / "etc/hostname").write_text(f"{self.params['name']}\n")
        (fresh / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {self.params['name']}\n")
        (fresh / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
        network = fresh / "etc/systemd/network/10-host0.network"
        network.write_text(NETWORK.format(**self.params))
        ssh = fresh / "root/.ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        (ssh / "authorized_keys").write_text(self.params["authorized_key"].strip() + "\n")
        for old_key in (fresh / "etc/ssh").glob("ssh_host_*"):
            old_key.unlink()
        for suffix, mode in (("", 0o600), (".pub", 0o644)):
            target = fresh / f"etc/ssh/ssh_host_ed25519_key{suffix}"
            shutil.copyfile(self.params["host_key"] + suffix, target)
            target.chmod(mode)
        fresh.rename(self.root)

    def command(self):
        """Returns the systemd-nspawn command line; the kernel keyring and BPF calls are for containers inside."""
        resolver = "copy-uplink" if Path("/run/systemd/resolve/resolv.conf").exists() else "copy-host"
        fuse = ["--bind=/dev/fuse"] if Path("/dev/fuse").exists() else []
        return [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            "--register=no",
            "--keep-unit",
            f"--directory={self.root}",
            f"--machine={self.machine}",
            f"--network-bridge={self.params['bridge']}",
            f"--resolv-conf={resolver}",
            "--link-journal=no",
            "--capability=all",
            "--system-call-filter=@keyring bpf add_key keyctl",
            "--kill-signal=SIGRTMIN+3",
            "--console=pipe",
            *fuse,
        ]

    def cgroups(self):
        """Returns the cgroup directories of the host where no systemd makes them: hosts that share one collide."""
        roots = [Path(root) for root in CGROUP_ROOTS if Path(root, "cgroup.procs").exists()]
        return [root / self.machine for root in roots]

    def boot(self):
        Path("/run/berth-local").mkdir(mode=0o755, exist_ok=True)
        if self.has_systemd:
            service = ["systemd-run", f"--unit={self.unit}", "--collect", "--property=Delegate=yes"]
            unified = "--setenv=SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1"
            kill = ["--property=KillMode=mixed", f"--property=TimeoutStopSec={SHUTDOWN_SECONDS}"]
            reboot = [f"--property={name}={REBOOT}" for name in ("RestartForceExitStatus", "SuccessExitStatus")]
            self.module.run_command([*service, *kill, *reboot, unified, *self.command()], check_rc=True)
            return
        joins = []
        for cgroup in self.cgroups():
            cgroup.mkdir(exist_ok=True)
            joins.append(f"echo $$ > {cgroup}/cgroup.procs")
        script = "\n".join([*joins, f"echo $$ > {self.pid_file}", SUPERVISOR])
        with self.log.open("ab") as log:
            subprocess.Popen(
                ["/bin/sh", "-ec", script, "sh", *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )
        self.wait(lambda: self.pid() is not None, 10, "did not start")

    def wait(self, condition, seconds, complaint):
        if not comes_true(condition, seconds, POLL):
            self.module.fail_json(msg=f"Local host {self.params['name']} {complaint}; see {self.log}")

    def shut_down(self):
        if self.has_systemd:
            self.module.run_command(["systemctl", "stop", self.unit], check_rc=True)
            return
        group = f"-{self.pid()}"
        self.module.run_command(["kill", "-TERM", "--", group], check_rc=True)
        if not comes_true(lambda: self.pid() is None, SHUTDOWN_SECONDS, POLL):
            self.module.run_command(["kill", "-KILL", "--", group], check_rc=True)
            self.wait(lambda: self.pid() is None, 10, "did not end")

    def clean(self):
        """Deletes what a stopped host leaves: cgroups (deepest first), files, log."""
        if not self.has_systemd:
            for cgroup in self.cgroups():
                for child in sorted(cgroup.rglob("*/"), reverse=True) if cgroup.exists() else []:
                    child.rmdir()
                if cgroup.exists():
                    cgroup.rmdir()
        self.pid_file.unlink(missing_ok=True)
        if self.root.exists():
            shutil.rmtree(self.root)
        self.log.unlink(missing_ok=True)
        self.root.with_name(f".#{self.root.name}.lck").unlink(missing_ok=True)


def ensure_started(host):
    """Boots the host where it does not run and returns whether that was needed."""
    changed = not (host.root.exists() and host.is_running())
    if changed and not host.module.check_mode:
        if not host.root.exists():
            host.unpack()
        if not host.is_running():
            host.boot()
    return changed


def ensure_absent(host):
    """Ends and deletes the host and returns whether there was anything to delete."""
    running = host.is_running()
    changed = running or host.root.exists()
    if changed and not host.module.check_mode:
        if running:
            host.shut_down()
        host.clean()
    return changed


def main():
    needed = ["image", "address", "gateway", "bridge", "authorized_key", "host_key"]
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["started", "absent"], "default": "started"},
            "image": {"type": "path"},
            "address": {"type": "str"},
            "gateway": {"type": "str"},
            "bridge": {"type": "str"},
            "authorized_key": {"type": "str", "no_log": False},
            "host_key": {"type": "path", "no_log": False},
        },
        required_if=[("state", "started", needed)],
        supports_check_mode=True,
    )
    host = LocalHost(module)
    changed = ensure_started(host) if module.params["state"] == "started" else ensure_absent(host)
    module.exit_json(changed=changed, machine=host.machine)


if __name__ == "__main__":
    main()
