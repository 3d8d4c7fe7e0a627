"""The host that `berth add` takes, by measurements of two hosts."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pexpect
import pytest
import yaml
from measured import ReportingRunner, host, report, unit
from typer.testing import CliRunner

from berth.cli import app
from berth.playbooks import repository
from berth.samples import Samples
from berth.yaml_files import read_mapping

BERTH = Path(sys.executable).parent / "berth"
Berth = Callable[..., object]
POSTGRES = unit("postgresql@17-berth.service", mib=100)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of two hosts without projects, named by BERTH_INVENTORY."""
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {"alpha": {}, "bravo": {}}}}))
    monkeypatch.setenv("BERTH_INVENTORY", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_CONFIG", str(repository() / "ansible.cfg"))
    return tmp_path


@pytest.fixture
def runner() -> ReportingRunner:
    """A runner of a host of 4 and one of 8 GiB."""
    return ReportingRunner({"alpha": report(POSTGRES), "bravo": report(POSTGRES, total_mib=8192)})


@pytest.fixture
def berth(environment: Path, runner: ReportingRunner) -> Berth:
    """A function that runs a command with that runner."""
    return lambda *arguments: CliRunner().invoke(app, arguments, obj=runner)


def keep(environment: Path, name: str, total_mib: int, ago: timedelta = timedelta()) -> None:
    """Keep a measurement of a host."""
    at = (datetime.now(UTC) - ago).isoformat()
    Samples(environment).add(host(name=name, units=(POSTGRES,), total_mib=total_mib, measured_at=at))


def playbooks(runner: ReportingRunner) -> list[tuple[str, tuple[str, ...]]]:
    """What was run on which hosts."""
    return [(play.playbook, play.hosts) for play in runner.plays]


def declared(environment: Path, name: str = "shop") -> dict:
    """The declaration of a project."""
    return read_mapping(environment / f"projects/{name}.yml")


def test_hosts_are_measured_and_the_one_with_the_most_room_is_taken(
    berth: Berth, runner: ReportingRunner, environment: Path
) -> None:
    result = berth("add", "shop")
    assert result.exit_code == 0, result.output
    assert playbooks(runner) == [("status.yml", ("alpha", "bravo")), ("project.yml", ())]
    assert declared(environment)["host"] == "bravo"
    assert result.stdout.startswith("bravo: fits: memory: ")
    assert "more than on alpha" in result.stdout


def test_placement_is_in_the_json(berth: Berth) -> None:
    told = json.loads(berth("add", "shop", "--json").stdout)["placement"]
    assert (told["host"], told["verdict"]) == ("bravo", "fits")
    assert [candidate["host"] for candidate in told["candidates"]] == ["bravo", "alpha"]


def test_fresh_measurements_are_not_made_again(berth: Berth, runner: ReportingRunner, environment: Path) -> None:
    keep(environment, "alpha", 65_536)
    keep(environment, "bravo", 8192, ago=timedelta(minutes=16))
    assert berth("add", "shop").exit_code == 0
    assert playbooks(runner) == [("status.yml", ("bravo",)), ("project.yml", ())]
    assert declared(environment)["host"] == "alpha"


def test_plan_is_made_for_the_host_that_would_be_taken_and_writes_nothing(berth: Berth, environment: Path) -> None:
    told = json.loads(berth("add", "shop", "--plan", "--json").stdout)
    assert (told["project"]["host"], told["placement"]["host"]) == ("bravo", "bravo")
    assert not (environment / "projects/shop.yml").exists()


def test_line_of_the_playbook_needs_no_measurement(berth: Berth, runner: ReportingRunner) -> None:
    assert "-e project=shop" in berth("add", "shop", "--show-playbook").stdout
    assert runner.plays == []


def test_bad_input_is_told_before_any_host_is_asked(berth: Berth, runner: ReportingRunner) -> None:
    assert berth("add", "Shop").exit_code == 2
    assert berth("add", "shop", "--idle-timeout", "x").exit_code == 2
    assert runner.plays == []


def test_no_room_anywhere_is_refused_and_nothing_is_written(
    berth: Berth, runner: ReportingRunner, environment: Path
) -> None:
    runner.reports = {"alpha": report(POSTGRES, total_mib=700)}
    runner.down = {"bravo": "timed out"}
    result = berth("add", "shop")
    assert (result.exit_code, result.stdout) == (2, "")
    first, alpha, bravo = result.stderr.splitlines()
    assert first == "berth: no host takes shop; add a host, or name one with --host and --force"
    assert alpha.startswith("berth: alpha: refused: memory: ")
    assert bravo == "berth: bravo: unknown: timed out"
    assert not (environment / "projects").exists() or not list((environment / "projects").glob("*.yml"))


def test_named_host_is_judged_by_its_last_measurement(berth: Berth, runner: ReportingRunner, environment: Path) -> None:
    keep(environment, "alpha", 700, ago=timedelta(hours=3))
    result = berth("add", "shop", "--host", "alpha")
    assert (result.exit_code, result.stdout) == (2, "")
    [told] = result.stderr.splitlines()
    assert told.startswith("berth: shop on alpha: refused: memory: ")
    assert "measured 3 h ago; name another host, measure again with berth status alpha, or overrule" in told
    assert runner.plays == []


def test_force_takes_the_host_and_the_declaration_says_so(berth: Berth, environment: Path) -> None:
    keep(environment, "alpha", 700)
    result = berth("add", "shop", "--host", "alpha", "--force")
    assert result.exit_code == 0, result.output
    first = (environment / "projects/shop.yml").read_text().splitlines()[1]
    assert first.startswith(f"# Added with --force on {datetime.now(UTC):%Y-%m-%d}; refused: memory: ")
    assert berth("update", "shop", "limits.connections=30").exit_code == 0
    assert first in (environment / "projects/shop.yml").read_text().splitlines()
    assert result.stdout.startswith("alpha: refused: memory: ")


def test_force_leaves_no_trace_where_there_is_room(berth: Berth, environment: Path) -> None:
    keep(environment, "alpha", 4096)
    assert berth("add", "shop", "--host", "alpha", "--force").exit_code == 0
    assert (environment / "projects/shop.yml").read_text().startswith("---\nname: shop\n")


def test_named_host_without_a_measurement_is_taken_as_it_is(berth: Berth, runner: ReportingRunner) -> None:
    told = json.loads(berth("add", "shop", "--host", "alpha", "--json").stdout)
    assert told["placement"]["verdict"] == "unknown"
    assert "berth status alpha measures it" in told["placement"]["reason"]
    assert playbooks(runner) == [("project.yml", ())]


def test_terminal_proposes_the_host_with_the_reason(environment: Path) -> None:
    for name, total in (("alpha", 4096), ("bravo", 8192)):
        keep(environment, name, total)
    # the host that is chosen instead has no room: the refusal ends the command before any run
    keep(environment, "alpha", 700)
    terminal = pexpect.spawn(str(BERTH), ["add", "shop"], timeout=120, encoding="utf-8", cwd=repository())
    terminal.expect_exact("Architecture (shared, isolated) [shared]: ")
    terminal.sendline("")
    terminal.expect("bravo: fits: memory: ")
    terminal.expect_exact("Host (alpha, bravo) [bravo]: ")
    terminal.sendline("gamma")
    terminal.expect_exact("Error: host: found 'gamma', allowed: a host of the inventory (alpha, bravo)")
    terminal.expect_exact("Host (alpha, bravo) [bravo]: ")
    terminal.sendline("alpha")
    terminal.expect_exact("Domains, with spaces between")
    terminal.sendline("")
    terminal.expect_exact("berth: shop on alpha: refused: memory: ")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 2
