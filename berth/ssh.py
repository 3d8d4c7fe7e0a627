"""How to run a command on a host, as the inventory says it is reached."""

import os
import shlex
from collections.abc import Mapping
from typing import Any

from berth.errors import BerthError

VARIABLES = (
    "ansible_connection",
    "ansible_host",
    "ansible_port",
    "ansible_user",
    "ansible_ssh_private_key_file",
    "ansible_private_key_file",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
    "ansible_host_key_checking",
    "ansible_become",
    "ansible_become_user",
    "ansible_become_method",
)


class NoSsh(BerthError):
    """A host that is reached in another way than SSH, with the remedy."""


def session(host: str, variables: Mapping[str, Any]) -> list[str]:
    """The command line of a session on a host, as Ansible would connect."""
    return ["ssh", *_options(variables), str(variables.get("ansible_host", host))]


def command(host: str, variables: Mapping[str, Any], shell_line: str, terminal: bool = False) -> list[str]:
    """The arguments that run a shell line as root on a host; `terminal` ends it there when it ends here."""
    become = str(variables.get("ansible_become", "")).lower() in ("true", "yes", "1")
    if become and variables.get("ansible_become_method", "sudo") != "sudo":
        found = variables["ansible_become_method"]
        raise NoSsh(f"host {host}: ansible_become_method: found {found!r}, allowed: sudo; log in on the host yourself")
    inner = ["sh", "-c", shell_line]
    remote = ["sudo", "-n", "-u", str(variables.get("ansible_become_user", "root")), *inner] if become else inner
    connection = variables.get("ansible_connection", "ssh")
    if connection == "local":
        return remote
    if connection not in ("ssh", "smart", "ansible.builtin.ssh"):
        raise NoSsh(f"host {host}: ansible_connection: found {connection!r}, allowed: ssh; log in on the host yourself")
    ssh, *reached = session(host, variables)
    unattended = [*(["-tt"] if terminal else []), "-o", "BatchMode=yes", "-o", "ConnectTimeout=30"]
    return [ssh, *unattended, *reached, shlex.join(remote)]


def _options(variables: Mapping[str, Any]) -> list[str]:
    found = []
    checking = str(variables.get("ansible_host_key_checking", os.environ.get("ANSIBLE_HOST_KEY_CHECKING", "")))
    if checking.lower() in ("false", "no", "0"):
        found += ["-o", "StrictHostKeyChecking=no"]
    key = variables.get("ansible_ssh_private_key_file") or variables.get("ansible_private_key_file")
    for option, value in (("-p", variables.get("ansible_port")), ("-l", variables.get("ansible_user")), ("-i", key)):
        if value:
            found += [option, str(value)]
    for name in ("ansible_ssh_common_args", "ansible_ssh_extra_args"):
        found += shlex.split(str(variables.get(name) or ""))
    return found
