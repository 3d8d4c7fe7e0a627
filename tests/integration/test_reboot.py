"""A host that was rebooted serves its projects again, and those asleep stay asleep."""

import pytest
from fleet.content import mark
from fleet.services import processes, wait_until

HOST = "bookworm"


def booted(fleet):
    """Returns when the host was booted, or an empty text while it cannot be asked."""
    try:
        return fleet.on(HOST, "systemctl is-system-running --wait >&2; cat /proc/sys/kernel/random/boot_id; uptime -s")
    except AssertionError:
        return ""


@pytest.mark.slow
def test_reboot(gateway, fleet):
    started = "systemctl show --property=UserspaceTimestampMonotonic --value"
    before = fleet.on(HOST, started)
    fleet.on(HOST, "systemctl reboot", check=False)
    wait_until(lambda: fleet.on(HOST, started, check=False) not in ("", before), "the host is up again")
    wait_until(lambda: booted(fleet), "the host has booted")
    fleet.succeed("local_hosts.yml")  # forwards the loopback ports anew
    project = fleet.project("twelve")
    assert processes(fleet, project) == []
    assert "29998" in fleet.on(HOST, "nft list set inet berth owners")
    assert mark(gateway, project) == "twelve"
    assert fleet.succeed("site.yml", "--limit", HOST).changed == 0
