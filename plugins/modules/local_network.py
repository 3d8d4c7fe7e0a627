#!/usr/bin/python
"""Ansible module: the bridge and NAT that local hosts live on."""

DOCUMENTATION = r"""
module: local_network
short_description: Bridge and NAT for local hosts
description:
  - Makes one bridge with an address on the machine that runs it, and an nftables table that lets the hosts on
    the bridge reach the outside. Removes both, and restores IP forwarding, when O(state=absent).
options:
  bridge:
    description: Name of the bridge; the nftables table and the state file carry it too.
    type: str
    required: true
  network:
    description: IPv4 network of the bridge in CIDR form. The bridge takes its first address.
    type: str
    required: true
  state:
    description: V(absent) removes the bridge only when no host is attached to it any more.
    type: str
    choices: [present, absent]
    default: present
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
"""

EXAMPLES = r"""
- name: Ensure the network of the local hosts exists
  berth.supabase.local_network:
    bridge: berth0
    network: 10.88.0.0/24
"""

RETURN = r"""
gateway:
  description: Address of the bridge.
  type: str
  returned: always
"""

import ipaddress
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
STATE = Path("/run/berth-local")


def ruleset(table, bridge, network):
    """Returns nftables commands that replace the table with NAT for the network."""
    return f"""table ip {table}
delete table ip {table}
table ip {table} {{
  chain nat {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {network} oifname != "{bridge}" masquerade
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname "{bridge}" accept
    oifname "{bridge}" accept
  }}
}}
"""


class Network:
    """The bridge, its NAT table and the forwarding switch of this machine."""

    def __init__(self, module):
        self.module = module
        self.bridge = module.params["bridge"]
        self.network = ipaddress.ip_network(module.params["network"])
        self.gateway = str(next(self.network.hosts()))
        self.table = f"berth_local_{self.bridge}"
        self.saved_forwarding = STATE / f"{self.bridge}.ip_forward"

    def run(self, *args, data=None, check=True):
        code, out, err = self.module.run_command(list(args), data=data)
        if check and code != 0:
            self.module.fail_json(msg=f"{' '.join(args)} failed: {err.strip() or out.strip()}")
        return code == 0, out

    def has_bridge(self):
        return Path(f"/sys/class/net/{self.bridge}").exists()

    def has_members(self):
        return self.has_bridge() and any(Path(f"/sys/class/net/{self.bridge}/brif").iterdir())

    def has_nat(self):
        return self.run("nft", "list", "table", "ip", self.table, check=False)[0]

    def forwards(self):
        return FORWARDING.read_text().strip() == "1"

    def is_present(self):
        return self.has_bridge() and self.has_nat() and self.forwards()

    def create(self):
        if not self.has_bridge():
            self.run("ip", "link", "add", self.bridge, "type", "bridge")
            self.run("ip", "address", "add", f"{self.gateway}/{self.network.prefixlen}", "dev", self.bridge)
        self.run("ip", "link", "set", self.bridge, "up")
        self.run("nft", "-f", "-", data=ruleset(self.table, self.bridge, self.network))
        STATE.mkdir(mode=0o755, exist_ok=True)
        if not self.forwards():
            self.saved_forwarding.write_text(FORWARDING.read_text())
            FORWARDING.write_text("1")

    def remove(self):
        if self.has_nat():
            self.run("nft", "delete", "table", "ip", self.table)
        if self.has_bridge():
            self.run("ip", "link", "delete", self.bridge)
        if self.saved_forwarding.exists():
            FORWARDING.write_text(self.saved_forwarding.read_text())
            self.saved_forwarding.unlink()


def main():
    module = AnsibleModule(
        argument_spec={
            "bridge": {"type": "str", "required": True},
            "network": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    network = Network(module)
    if module.params["state"] == "present":
        changed = not network.is_present()
        act = network.create
    else:
        changed = (network.has_bridge() or network.has_nat()) and not network.has_members()
        act = network.remove
    if changed and not module.check_mode:
        act()
    module.exit_json(changed=changed, gateway=network.gateway)


if __name__ == "__main__":
    main()
