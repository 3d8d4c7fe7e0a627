"""Local hosts where systemd is PID 1, tried on a local host, since there systemd is."""

from pathlib import Path

import pytest

PLAYBOOK = Path(__file__).with_name("playbooks") / "nested_host.yml"


@pytest.mark.slow
def test_host_boots_as_a_unit_and_leaves_nothing(fleet) -> None:
    run = fleet.play(f"../{PLAYBOOK.relative_to(PLAYBOOK.parents[3])}")
    assert run.returncode == 0, "\n".join(run.output.splitlines()[-40:])
