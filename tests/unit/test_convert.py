"""The command convert and the account it keeps: what may begin, end, be undone, and what a killed run leaves."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pexpect
import pytest
import yaml
from test_cli_commands import BERTH, FAILED, NotingRunner, all_files, declared, refused
from typer.testing import CliRunner

from berth.cli import app
from berth.conversions import ConversionError, Conversions, Side
from berth.playbooks import Play, repository
from berth.run_events import Change, Failure
from berth.store import DeclarationStore

BLOG = "# of Ada\nname: blog\nnumber: 1  # the first\nhost: alpha\narchitecture: shared\nlimits: {memory: 512M}\n"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
SHARED, ISOLATED, DEDICATED = Side("shared"), Side("isolated"), Side("isolated", "dedicated")

Berth = Callable[..., object]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of two hosts and one shared project, named by BERTH_INVENTORY."""
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects/blog.yml").write_text(BLOG)
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {"alpha": {}, "bravo": {}}}}))
    monkeypatch.setenv("BERTH_INVENTORY", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_CONFIG", str(repository() / "ansible.cfg"))
    return tmp_path


@pytest.fixture
def runner() -> NotingRunner:
    """A runner whose plays succeed and do nothing."""
    return NotingRunner()


@pytest.fixture
def berth(environment: Path, runner: NotingRunner) -> Berth:
    """A function that runs a command with the noting runner."""
    return lambda *arguments: CliRunner().invoke(app, arguments, obj=runner)


@pytest.fixture
def conversions(environment: Path) -> Conversions:
    """The conversions of the environment."""
    return Conversions(DeclarationStore(environment, ("alpha", "bravo")))


def test_conversion_runs_its_play_and_leaves_the_declaration_to_it(
    berth: Berth, runner: NotingRunner, environment: Path
) -> None:
    runner.reports = {"alpha": {"held_seconds": 1.5}}
    result = berth("convert", "blog", "--to", "isolated", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told["project"]["architecture"] == "isolated"
    assert told["conversion"] == {"step": "convert", "to": "isolated", "database": "shared", "open_until": None}
    assert told["run"]["held_seconds"] == 1.5
    assert runner.plays == [Play("convert.yml", environment, "blog", convert="isolated")]
    assert declared(environment, "blog") == BLOG


def test_playbook_line_says_the_same(berth: Berth, runner: NotingRunner) -> None:
    shown = berth("convert", "blog", "--to", "isolated", "--show-playbook")
    assert shown.stdout.rstrip().endswith("playbooks/convert.yml -e project=blog -e convert=isolated")
    assert runner.plays == []


def test_plan_tells_steps_pause_and_changes(berth: Berth, runner: NotingRunner, environment: Path) -> None:
    before = all_files(environment)
    runner.changes = (Change("alpha", "Ensure a file", ("-one\n+two",)),)
    result = berth("convert", "blog", "--to", "isolated", "--plan")
    assert (result.exit_code, result.stderr) == (0, "")
    for words in ("1. refuse", "requests of blog wait", "other projects feel nothing", "--rollback", "Ensure a file"):
        assert words in result.stdout
    assert [play.check for play in runner.plays] == [True]
    assert all_files(environment) == before
    told = json.loads(berth("convert", "blog", "--to", "isolated", "--plan", "--json").stdout)
    assert len(told["steps"]) == 5


REFUSED = {
    "nothing to do": (["blog"], "what to do: give one of --to isolated, --to shared, --rollback and --commit"),
    "two things": (["blog", "--to", "isolated", "--commit"], "what to do: give one of"),
    "no such kind": (["blog", "--to", "big"], "--to: found 'big', allowed: shared or isolated"),
    "that already": (["blog", "--to", "shared"], "architecture: found 'shared', which blog is already"),
    "unknown": (["nothing", "--to", "isolated"], "project 'nothing' is not declared in"),
    "nothing to undo": (["blog", "--rollback"], "blog: no conversion of the last day to roll back"),
    "nothing to keep": (["blog", "--commit"], "blog: no conversion of the last day to commit"),
    "database of a shared one": (
        ["blog", "--to", "shared", "--database", "dedicated"],
        "database: found 'dedicated', allowed: shared, as long as architecture is shared",
    ),
    "no such database": (
        ["blog", "--to", "isolated", "--database", "big"],
        "database: found 'big', allowed: shared or",
    ),
    "database alone": (["blog", "--rollback", "--database", "dedicated"], "--database: found 'dedicated' without --to"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_ends_with_2_and_one_line_and_does_nothing(
    berth: Berth, runner: NotingRunner, environment: Path, case: str
) -> None:
    arguments, told = REFUSED[case]
    before = all_files(environment)
    assert told in refused(berth("convert", *arguments))
    assert (runner.plays, all_files(environment)) == ([], before)


def test_limit_below_what_the_services_need_is_refused(berth: Berth, environment: Path, runner: NotingRunner) -> None:
    (environment / "projects/blog.yml").write_text(BLOG.replace("512M", "128M"))
    assert "limits.memory: found 128M, allowed: 384M or more" in refused(berth("convert", "blog", "--to", "isolated"))
    assert runner.plays == []


def test_host_that_refuses_ends_with_2_and_its_words_alone(berth: Berth, runner: NotingRunner) -> None:
    words = "Host alpha: blog with architecture isolated on Debian 12.5, whose Podman has no Quadlet"
    runner.failures = (Failure("alpha", "Require a system whose Podman knows Quadlet", words),)
    assert refused(berth("convert", "blog", "--to", "isolated")) == f"berth: {words}\n"


def test_failed_run_says_what_completes_and_what_undoes_it(berth: Berth, runner: NotingRunner) -> None:
    runner.failures = (FAILED,)
    result = berth("convert", "blog", "--to", "isolated")
    assert result.exit_code == 1
    again = "berth convert blog --to isolated --database shared"
    last = f"berth: {again} goes on where it was; berth convert blog --rollback undoes it"
    assert result.stderr.splitlines()[-1] == last


def test_database_moves_with_steps_of_its_own(berth: Berth, runner: NotingRunner, environment: Path) -> None:
    (environment / "projects/blog.yml").write_text(BLOG.replace("512M", "640M"))
    to = ["blog", "--to", "isolated", "--database", "dedicated"]
    told = json.loads(berth("convert", *to, "--plan", "--json").stdout)
    assert told["conversion"] == {"step": "convert", "to": "isolated", "database": "dedicated"}
    assert any("copy the database" in step for step in told["steps"])
    assert berth("convert", *to, "--json").exit_code == 0
    assert runner.plays[-1].variables == {"project": "blog", "convert": "isolated", "convert_database": "dedicated"}


def test_isolated_project_keeps_its_database_unless_told(conversions: Conversions, environment: Path) -> None:
    (environment / "projects/blog.yml").write_text(BLOG.replace("512M", "640M"))
    conversions.begin("blog", DEDICATED, NOW)
    assert conversions.aim("blog", "isolated", NOW) == DEDICATED
    with pytest.raises(ConversionError, match="berth convert blog --to isolated --database dedicated completes it"):
        conversions.aim("blog", "isolated", NOW, "shared")
    conversions.finish("blog", "isolated", NOW, "dedicated")
    assert "database: dedicated" in declared(environment, "blog")
    conversions.finish("blog", "commit", NOW)
    with pytest.raises(ConversionError, match="which blog is already"):
        conversions.aim("blog", "isolated", NOW)
    assert conversions.aim("blog", "isolated", NOW, "shared") == ISOLATED
    conversions.begin("blog", SHARED, NOW)
    conversions.finish("blog", "shared", NOW)
    assert declared(environment, "blog") == BLOG.replace("512M", "640M")


def test_database_of_a_paused_project_does_not_move(berth: Berth, runner: NotingRunner, environment: Path) -> None:
    (environment / "projects/blog.yml").write_text(BLOG.replace("512M", "640M") + "state: paused\n")
    assert "berth resume blog first" in refused(berth("convert", "blog", "--to", "isolated", "--database", "dedicated"))
    assert runner.plays == []


def test_terminal_is_asked_first(environment: Path) -> None:
    command = ["convert", "blog", "--to", "isolated"]
    terminal = pexpect.spawn(str(BERTH), command, timeout=60, encoding="utf-8", cwd=repository())
    terminal.expect_exact("Make blog isolated?")
    terminal.sendline("n")
    terminal.expect_exact("berth: nothing was changed")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 2
    assert declared(environment, "blog") == BLOG


def test_account_of_a_conversion_that_is_rolled_back(conversions: Conversions, environment: Path) -> None:
    conversions.begin("blog", ISOLATED, NOW)
    assert declared(environment, "blog") == BLOG
    conversions.finish("blog", "isolated", LATER)
    assert declared(environment, "blog") == BLOG.replace("shared", "isolated")
    with pytest.raises(ConversionError, match="converted from shared to isolated 2026-11-25 12:01 UTC and not commit"):
        conversions.aim("blog", "shared", LATER)
    assert conversions.aim("blog", "rollback", LATER) == SHARED
    conversions.finish("blog", "rollback", LATER)
    assert declared(environment, "blog") == BLOG
    assert conversions.open("blog", LATER) is None


@pytest.mark.parametrize("way", ["commit", "a day"])
def test_conversion_ends_by_commit_or_after_a_day(conversions: Conversions, environment: Path, way: str) -> None:
    conversions.begin("blog", ISOLATED, NOW)
    conversions.finish("blog", "isolated", NOW)
    if way == "commit":
        conversions.finish("blog", "commit", NOW)
    after = NOW if way == "commit" else NOW + timedelta(days=1)
    with pytest.raises(ConversionError, match="blog: no conversion of the last day to roll back"):
        conversions.aim("blog", "rollback", after)
    assert conversions.aim("blog", "shared", after) == SHARED
    conversions.begin("blog", SHARED, after)
    assert conversions.open("blog", after).origin == ISOLATED
    assert "architecture: isolated" in declared(environment, "blog")


def test_killed_conversion_is_completed_or_undone_and_nothing_else(conversions: Conversions) -> None:
    begun = conversions.begin("blog", ISOLATED, NOW)
    assert conversions.begin("blog", ISOLATED, LATER) == begun
    for word in ("shared", "commit"):
        with pytest.raises(ConversionError, match="its conversion to isolated, begun 2026-11-25 12:00 UTC, did not e"):
            conversions.aim("blog", word, LATER)
    assert conversions.aim("blog", "rollback", LATER + timedelta(days=9)) == SHARED
    conversions.finish("blog", "rollback", LATER)
    assert conversions.open("blog", LATER) is None


def test_conversion_killed_before_its_account_was_closed_is_completed(conversions: Conversions) -> None:
    conversions.begin("blog", ISOLATED, NOW)
    conversions.store.change_side("blog", "isolated", "shared")
    assert conversions.aim("blog", "isolated", LATER) == ISOLATED
    conversions.finish("blog", "isolated", LATER)
    assert conversions.open("blog", LATER).done == LATER


def test_conversion_that_is_done_may_be_asked_for_again(conversions: Conversions, environment: Path) -> None:
    conversions.begin("blog", ISOLATED, NOW)
    conversions.finish("blog", "isolated", NOW)
    assert conversions.begin("blog", ISOLATED, LATER) == conversions.open("blog", LATER)
    conversions.finish("blog", "isolated", LATER)
    assert declared(environment, "blog") == BLOG.replace("shared", "isolated")
    assert (conversions.open("blog", LATER).origin, conversions.open("blog", LATER).done) == (SHARED, NOW)


def test_conversion_that_failed_leaves_no_account_but_one_that_is_done_stays(conversions: Conversions) -> None:
    conversions.begin("blog", ISOLATED, NOW)
    conversions.abandon("blog", NOW)
    assert conversions.open("blog", NOW) is None
    conversions.begin("blog", ISOLATED, NOW)
    conversions.finish("blog", "isolated", NOW)
    conversions.abandon("blog", NOW)
    assert conversions.open("blog", NOW).done == NOW


def test_who_edits_the_declaration_has_decided(conversions: Conversions, environment: Path) -> None:
    conversions.begin("blog", ISOLATED, NOW)
    conversions.finish("blog", "isolated", NOW)
    (environment / "projects/blog.yml").write_text(BLOG)
    assert conversions.aim("blog", "isolated", NOW) == ISOLATED


def test_account_that_says_nothing_is_told_with_its_file(berth: Berth, environment: Path) -> None:
    (environment / "projects/.blog.conversion.yml").write_text("to: isolated\n")
    assert ".blog.conversion.yml: tells of no conversion" in refused(berth("convert", "blog", "--rollback"))
