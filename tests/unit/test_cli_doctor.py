"""The command doctor, over a host whose check or repair goes wrong."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import yaml
from measured import report, unit
from typer.testing import CliRunner

from berth.cli import app
from berth.playbooks import Play, repository
from berth.run_events import Change, Failure
from berth.runner import INTERRUPTED, OnStep, Result

Berth = Callable[..., object]
STOPPED = Failure("", "", INTERRUPTED)
FULL = Failure("alpha", "Ensure the service runs", "The disk is full")
DRIFT = Change("alpha", "Ensure the clock is kept right", ("-old\n+new",))
SOUND = report(unit("nginx.service"), unit("postgresql@17-berth.service"))
LOOKS = ["doctor.yml", "site.yml"]


@dataclass
class Runner:
    """A runner over alpha, which is sound; each play ends as was said of its playbook."""

    ends: dict[str, dict] = field(default_factory=dict)
    plays: list[str] = field(default_factory=list)

    def run(self, play: Play, on_step: OnStep) -> Result:
        """Give the result."""
        self.plays.append(play.playbook)
        seen = SOUND | {"holdings": {"things": [], "gateway_error": ""}}
        reports = {"alpha": seen} if play.playbook == "doctor.yml" else {}
        said = self.ends.get(f"{play.playbook} check" if play.check else play.playbook, {})
        ok = not said.get("failures") and not said.get("unreachable")
        log = Path(f"/logs/{len(self.plays)}.log")
        return replace(Result(ok, {"alpha": 0}, (), (), {}, log, 1.0, reports), **said)


@pytest.fixture
def runner() -> Runner:
    """A runner whose plays succeed and find nothing."""
    return Runner()


@pytest.fixture
def berth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: Runner) -> Berth:
    """A function that runs a command over that host, which has no project."""
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {"alpha": {}}}}))
    monkeypatch.setenv("BERTH_INVENTORY", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_CONFIG", str(repository() / "ansible.cfg"))
    return lambda *arguments: CliRunner().invoke(app, ["doctor", *arguments], obj=runner)


def test_nothing_is_wrong(berth: Berth) -> None:
    result = berth()
    assert (result.exit_code, result.output) == (0, "nothing wrong was found\n")
    assert json.loads(berth("--json").stdout) == {"findings": [], "fixed": [], "runs": []}


def test_check_that_was_interrupted_is_no_sound_host(berth: Berth, runner: Runner) -> None:
    runner.ends = {"site.yml check": {"failures": (STOPPED,)}}
    for arguments in ([], ["--json"]):
        result = berth(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"berth: not all was looked at: {INTERRUPTED}; the whole log: /logs/")


def test_measurement_that_was_interrupted_is_no_bad_input(berth: Berth, runner: Runner) -> None:
    runner.ends = {"doctor.yml": {"failures": (STOPPED,), "unreachable": {"alpha": "no route to host"}}}
    result = berth()
    assert (result.exit_code, result.stdout, runner.plays) == (1, "", ["doctor.yml"])
    assert result.stderr == f"berth: not every host was measured: {INTERRUPTED}; the whole log: /logs/1.log\n"


def test_host_that_goes_down_after_it_was_measured_is_told(berth: Berth, runner: Runner) -> None:
    runner.ends = {"site.yml check": {"unreachable": {"alpha": "no route to host"}}}
    result = berth()
    assert result.exit_code == 1
    assert "alpha: does not answer: no route to host" in result.stdout


def test_repair_that_fails_is_told_as_by_other_commands(berth: Berth, runner: Runner) -> None:
    runner.ends = {"site.yml check": {"changes": (DRIFT,)}, "repair.yml": {"failures": (FULL,)}}
    result = berth("--fix", "--json")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "berth: Ensure the service runs on alpha: The disk is full",
        "berth: the whole log: /logs/3.log",
    ]
    told = json.loads(result.stdout)
    assert [(run["ok"], run["log"]) for run in told["runs"]] == [(False, "/logs/3.log"), (True, "/logs/4.log")]
    assert told["runs"][0]["failures"][0]["message"] == "The disk is full"
    assert len(told["findings"]) == 1


def test_repair_that_does_not_reach_its_host_is_told(berth: Berth, runner: Runner) -> None:
    runner.ends = {"site.yml check": {"changes": (DRIFT,)}, "site.yml": {"unreachable": {"alpha": "timed out"}}}
    result = berth("--fix")
    assert result.exit_code == 1
    assert "berth: host alpha is not reachable: timed out" in result.stderr


def test_repair_that_was_interrupted_goes_no_further(berth: Berth, runner: Runner) -> None:
    runner.ends = {"site.yml check": {"changes": (DRIFT,)}, "repair.yml": {"failures": (STOPPED,)}}
    result = berth("--fix")
    assert (result.exit_code, runner.plays) == (1, [*LOOKS, "repair.yml"])
    assert result.stderr.splitlines()[0] == f"berth: {INTERRUPTED}"
    assert result.stderr.splitlines()[-1] == "berth: the repair did not end; berth doctor shows what is left"


def test_show_playbook_prints_both_looks_and_does_nothing(berth: Berth, runner: Runner) -> None:
    lines = berth("--show-playbook").stdout.splitlines()
    assert [line.split("playbooks/")[1] for line in lines] == ["doctor.yml", "site.yml --check --diff"]
    assert len(json.loads(berth("--show-playbook", "--json").stdout)["playbooks"]) == 2
    assert berth("--fix", "--show-playbook").exit_code == 2
    assert runner.plays == []
