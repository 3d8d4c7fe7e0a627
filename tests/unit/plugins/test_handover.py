"""Requests that wait for a restart go on in the end, whatever became of the restart."""

from pathlib import Path
from types import SimpleNamespace

import ansible_plugins  # noqa: F401
import pytest
from ansible_collections.berth.supabase.plugins.module_utils import handover
from ansible_collections.berth.supabase.plugins.module_utils.replication import MoveFailed

Commands = list[tuple[str, list[str]]]


class Stopped(SystemExit):
    """What ends a module that fails."""


class Systemd:
    """Notes the commands, and fails at one verb as a module does."""

    def __init__(self, failing: str = "") -> None:
        self.module = SimpleNamespace(check_mode=False)
        self.commands: Commands = []
        self.failing = failing

    def show(self, names: list[str], properties: tuple[str, ...]) -> dict[str, dict[str, str]]:
        return {name: dict.fromkeys(properties, "active") for name in names}

    def run(self, verb: str, names: list[str]) -> None:
        self.commands.append((verb, names))
        if names and verb == self.failing:
            raise Stopped(1)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A running service and the way to it."""
    monkeypatch.setattr(handover, "RUN", tmp_path)
    door = handover.Door("rest", "blog")
    door.lead_to(door.open)
    worker, proxy = "berth-rest@blog.service", "berth-rest-wake@blog.service"
    return SimpleNamespace(name="rest", door=door, worker=worker, proxy=proxy)


def test_requests_wait_during_the_switch_and_go_on_afterwards(service: SimpleNamespace) -> None:
    systemd, during = Systemd(), []
    handover.restart_held(systemd, [service], switch=lambda: during.append(service.door.leads_to(service.door.held)))
    assert (during, service.door.is_disturbed()) == ([True], False)
    assert ("try-restart", [service.worker]) in systemd.commands


def test_switch_that_fails_restarts_nothing_and_lets_requests_go_on(service: SimpleNamespace) -> None:
    def switch() -> None:
        raise MoveFailed("far behind")

    systemd = Systemd()
    with pytest.raises(MoveFailed, match="far behind"):
        handover.restart_held(systemd, [service], switch=switch)
    assert not service.door.is_disturbed()
    assert "try-restart" not in [verb for verb, _ in systemd.commands]


def test_service_that_does_not_start_after_the_switch_gets_requests_again(service: SimpleNamespace) -> None:
    with pytest.raises(Stopped):
        handover.restart_held(Systemd(failing="try-restart"), [service], switch=lambda: None)
    assert not service.door.is_disturbed()


def test_service_that_does_not_start_on_its_new_side_keeps_requests_waiting_for_the_old_one(
    service: SimpleNamespace,
) -> None:
    with pytest.raises(Stopped):
        handover.restart_held(Systemd(failing="try-restart"), [], [service])
    assert service.door.is_disturbed()
