"""The command status, over reports of two hosts."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from measured import MIB, ReportingRunner, report, shared, unit
from typer.testing import CliRunner

from berth.cli import app
from berth.playbooks import Play, repository
from berth.run_events import Failure
from berth.runner import INTERRUPTED
from berth.samples import Samples
from berth.status import METHODS

Berth = Callable[..., object]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of two hosts and two projects, named by BERTH_INVENTORY."""
    (tmp_path / "projects").mkdir()
    for number, (name, host) in enumerate({"blog": "alpha", "shop": "bravo"}.items(), start=1):
        values = {"name": name, "number": number, "host": host, "architecture": "shared"}
        (tmp_path / f"projects/{name}.yml").write_text(yaml.safe_dump(values))
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {"alpha": {}, "bravo": {}}}}))
    monkeypatch.setenv("BERTH_INVENTORY", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_CONFIG", str(repository() / "ansible.cfg"))
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path


@pytest.fixture
def runner() -> ReportingRunner:
    """A runner of two hosts: blog is awake on alpha, shop sleeps on bravo."""
    units = (unit("postgresql@17-berth.service", mib=200), *shared("blog", rest_mib=18))
    return ReportingRunner({"alpha": report(*units), "bravo": report(*shared("shop"), method="pss")})


@pytest.fixture
def berth(environment: Path, runner: ReportingRunner) -> Berth:
    """A function that runs a command with that runner."""
    return lambda *arguments: CliRunner().invoke(app, arguments, obj=runner)


def lines_with(text: str, word: str) -> list[list[str]]:
    """The lines that begin with a word, as words."""
    return [line.split() for line in text.splitlines() if line.startswith(f"{word} ")]


def test_all_hosts_and_projects_are_shown(berth: Berth, runner: ReportingRunner, environment: Path) -> None:
    result = berth("status")
    assert (result.exit_code, result.stderr) == (0, "")
    assert runner.plays == [Play("status.yml", environment)]
    [alpha] = lines_with(result.stdout, "alpha")
    assert alpha[1:6] == ["600", "MiB", "of", "4", "GiB"]
    [blog], [shop] = lines_with(result.stdout, "blog"), lines_with(result.stdout, "shop")
    assert blog[:6] == ["blog", "alpha", "shared", "awake", "20", "MiB"]
    assert shop[:6] == ["shop", "bravo", "shared", "asleep", "0", "B"]
    assert f"Memory of alpha: {METHODS['cgroup']}." in result.stdout
    assert f"Memory of bravo: {METHODS['pss']}." in result.stdout


def test_a_host_or_a_project_alone_is_asked_for_on_its_host_only(berth: Berth, runner: ReportingRunner) -> None:
    assert "shop" not in berth("status", "alpha").stdout
    told = berth("status", "blog").stdout
    assert [play.hosts for play in runner.plays] == [("alpha",), ("alpha",)]
    assert lines_with(told, "rest")[0][:4] == ["rest", "awake", "20", "MiB"]
    assert lines_with(told, "auth")[0][:4] == ["auth", "asleep", "0", "B"]


def test_json_has_all_in_bytes(berth: Berth) -> None:
    told = json.loads(berth("status", "--json").stdout)
    assert [host["name"] for host in told["hosts"]] == ["alpha", "bravo"]
    [blog] = told["hosts"][0]["projects"]
    assert {service["name"]: service["memory_bytes"] for service in blog["services"]} == {"auth": 0, "rest": 20 * MIB}
    assert told["down"] == {}
    [only] = json.loads(berth("status", "blog", "--json").stdout)["hosts"]
    assert [project["name"] for project in only["projects"]] == ["blog"]


@pytest.mark.parametrize("how", ["unreachable", "failed"])
def test_host_that_is_down_is_told_and_the_rest_is_shown(berth: Berth, runner: ReportingRunner, how: str) -> None:
    del runner.reports["bravo"]
    if how == "unreachable":
        runner.down = {"bravo": "ssh: connect to host\nbravo port 22: timed out"}
    else:
        runner.failures = (Failure("bravo", "Read", "ssh: connect to host bravo port 22: timed out"),)
    result = berth("status")
    assert result.exit_code == 1
    assert "blog" in result.stdout
    assert lines_with(result.stdout, "bravo") == [["bravo", "no", "answer"]]
    [told] = result.stderr.splitlines()
    assert told.startswith("berth: host bravo did not answer: ")
    assert told.endswith("ssh: connect to host bravo port 22: timed out")
    assert set(json.loads(berth("status", "--json").stdout)["down"]) == {"bravo"}


def test_run_that_cannot_begin_is_no_measurement(berth: Berth, runner: ReportingRunner) -> None:
    runner.failures = (Failure("", "", "the vault password is wrong"),)
    result = berth("status")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the vault password is wrong" in result.stderr


def test_interrupted_measurement_is_no_bad_input_and_is_not_kept(
    berth: Berth, runner: ReportingRunner, environment: Path
) -> None:
    runner.failures = (Failure("", "", INTERRUPTED),)
    for arguments in (["status"], ["add", "new", "--json"]):
        result = berth(*arguments)
        assert (result.exit_code, result.stdout) == (1, ""), result.output
        assert f"not every host was measured: {INTERRUPTED}" in result.stderr
    assert not (environment / "projects/new.yml").exists()


def test_unknown_name_is_refused_before_any_host_is_asked(berth: Berth, runner: ReportingRunner) -> None:
    result = berth("status", "nobody")
    assert result.exit_code == 2
    assert "found 'nobody', allowed: a host or a project (hosts alpha, bravo; projects blog, shop)" in result.stderr
    assert runner.plays == []


def test_measurements_are_kept(berth: Berth, environment: Path) -> None:
    berth("status")
    samples = Samples(environment)
    assert samples.latest("alpha").project("blog").memory_bytes == 20 * MIB
    assert samples.latest("bravo").method == "pss"


def test_samples_that_cannot_be_kept_do_not_hide_the_status(berth: Berth, environment: Path) -> None:
    (environment / ".samples.sqlite3").mkdir()
    result = berth("status")
    assert (result.exit_code, "blog" in result.stdout) == (0, True)
    assert "this measurement is not kept" in result.stderr


def test_show_playbook_prints_the_line_and_does_nothing(berth: Berth, runner: ReportingRunner) -> None:
    assert berth("status", "blog", "--show-playbook").stdout.endswith("playbooks/status.yml --limit alpha\n")
    assert runner.plays == []
