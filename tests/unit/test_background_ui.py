"""The web UI in the background, as `make demo` has it: one of it, found again, ended with all its processes."""

import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import demo
import httpx
import pytest
import yaml
from background_ui import BackgroundUi, UiFailed, free_port
from demo_ui import demo_ui, told


@pytest.fixture
def ui(tmp_path: Path) -> Iterator[BackgroundUi]:
    """A UI over an inventory without hosts, ended at the end."""
    inventory = tmp_path / "inventory"
    (inventory / "projects").mkdir(parents=True)
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {}}}))
    ui = BackgroundUi(tmp_path / "ui", inventory, free_port())
    yield ui
    ui.remove()


def test_there_is_one_of_it_until_it_is_removed(ui: BackgroundUi) -> None:
    assert ui.running_port() is None
    link = ui.admin_link("admin")
    assert ui.start()
    assert link
    assert httpx.get(link).status_code == 200
    first = set(ui.processes())
    assert len(first) >= 4, "one that minds, web server, worker, measuring"
    assert not ui.start()
    assert first <= set(ui.processes()), "a second start leaves the first alone"
    fresh = ui.admin_link("admin")
    assert fresh
    assert fresh != link
    assert fresh in told(ui, fresh)
    assert httpx.get(link).status_code == 400, "the newer link replaces the older"
    assert stat.S_IMODE(ui.directory.stat().st_mode) & 0o077 == 0
    ui.remove()
    assert list(ui.processes()) == []
    assert not ui.directory.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(ui.url)


def test_what_a_killed_one_left_ends_and_another_port_moves_it(ui: BackgroundUi) -> None:
    ui.start()
    before = set(ui.processes())
    minding = ui.running()
    assert minding
    os.kill(minding[0], signal.SIGKILL)
    moved = BackgroundUi(ui.directory, ui.inventory, free_port())
    assert moved.start()
    assert before.isdisjoint(moved.processes())
    assert moved.running_port() == moved.port
    assert httpx.get(f"{moved.url}/healthz").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(ui.url)


def test_port_of_another_program_is_refused_before_anything_is_made(
    ui: BackgroundUi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", ui.port))
        other.listen()
        with pytest.raises(UiFailed, match=f"UI_PORT: found {ui.port}, which another program has"):
            ui.start()
        monkeypatch.setenv("UI_PORT", str(ui.port))
        monkeypatch.setattr(demo, "make", lambda: pytest.fail("hosts were made"))
        with pytest.raises(SystemExit, match="UI_PORT"):
            demo.main()
    assert not ui.directory.exists()


@pytest.mark.parametrize("port", ["", "http", "80", "65536"])
def test_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(UiFailed, match="allowed: 1024 to 65535"):
        demo_ui(port)
