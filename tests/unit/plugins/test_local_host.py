"""What the module local_host finds out and decides without booting anything."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible_collections.berth.supabase.plugins.modules import local_host
from ansible_collections.berth.supabase.plugins.modules.local_host import LocalHost, ensure_absent, ensure_started


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    """Give a local host on a machine without systemd, in check mode, that was never made."""
    params: dict[str, Any] = {"name": "no-such-host", "directory": str(tmp_path / "machines"), "bridge": "berth9"}
    found = LocalHost(SimpleNamespace(params=params, check_mode=True))
    found.has_systemd = False
    found.pid_file = tmp_path / "host.pid"
    return found


def test_a_host_without_a_process_does_not_run(host: LocalHost) -> None:
    assert not host.is_running()


@pytest.mark.parametrize("left", ["", "x", "999999999", "1"])
def test_a_stale_process_id_is_no_host(host: LocalHost, left: str) -> None:
    host.pid_file.write_text(left)
    assert not host.is_running()


def test_machine_carries_the_name(host: LocalHost) -> None:
    command = host.command()
    assert command[0] == "systemd-nspawn"
    assert "--machine=berth-no-such-host" in command
    assert "--network-bridge=berth9" in command
    assert not [part for part in command if part.startswith("--register=") and part != "--register=no"]


def test_starting_a_host_that_is_not_there_is_a_change_that_check_mode_leaves_out(host: LocalHost) -> None:
    assert ensure_started(host) is True
    assert not host.root.parent.exists()


def test_removing_a_host_that_is_not_there_changes_nothing(host: LocalHost) -> None:
    assert ensure_absent(host) is False


def test_network_of_the_host_is_the_one_given() -> None:
    text = local_host.NETWORK.format(address="10.88.0.11/24", gateway="10.88.0.1")
    assert "\nAddress=10.88.0.11/24\n" in text
    assert "\nGateway=10.88.0.1\n" in text
