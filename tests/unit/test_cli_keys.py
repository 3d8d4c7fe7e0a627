"""The commands keys and rotate, with a runner that notes the plays and the secrets that they would read."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from berth.cli import app
from berth.host_projects import of_host
from berth.inventory import HostVars
from berth.playbooks import Play, repository
from berth.project_secrets import ProjectSecrets
from berth.run_events import Failure
from berth.runner import OnStep, Result
from berth.secrets import SecretStore

BLOG = "name: blog\nnumber: 1\nhost: alpha\narchitecture: shared\n"
USAGE = {"k1.anon": {"requests": 7, "last_request": "2026-11-25T12:00:00+00:00"}}


@dataclass
class NotingRunner:
    """Notes each play and the ids of the key sets that it would find."""

    ok: bool = True
    plays: list[Play] = field(default_factory=list)
    found: list[list[str]] = field(default_factory=list)

    def run(self, play: Play, on_step: OnStep) -> Result:
        """Give the result it was told to give, with a report of usage."""
        self.plays.append(play)
        self.found.append(ids(SecretStore(play.inventory, ephemeral=True).project("blog")))
        failures = () if self.ok else (Failure("alpha", "Read who uses which key", "The disk is gone"),)
        return Result(self.ok, {}, (), failures, {}, Path("/logs/1.log"), 1.0, {"alpha": {"key_usage": USAGE}})


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of one project with secrets, named by BERTH_INVENTORY."""
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects/blog.yml").write_text(BLOG)
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {"alpha": {}}}}))
    monkeypatch.setenv("BERTH_INVENTORY", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_CONFIG", str(repository() / "ansible.cfg"))
    SecretStore(tmp_path).project("blog")
    return tmp_path


@pytest.fixture
def runner() -> NotingRunner:
    """A runner whose plays succeed."""
    return NotingRunner()


@pytest.fixture
def berth(environment: Path, runner: NotingRunner) -> Callable[..., Any]:
    """A function that runs a command with the noting runner."""
    return lambda *arguments: CliRunner().invoke(app, arguments, obj=runner)


def ids(secrets: ProjectSecrets) -> list[str]:
    return [one.id for one in secrets.key_sets]


def kept(environment: Path) -> ProjectSecrets:
    return SecretStore(environment).project("blog")


def sets_on_host(environment: Path) -> set[str]:
    host = HostVars("alpha", "http://localhost", "127.0.0.1:5432", 4096)
    given = of_host(environment, ["alpha"], host, SecretStore(environment)).secrets["blog"]
    return {key["id"].partition(".")[0] for key in given["api_keys"]}


def told(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_rotation_writes_both_sets_and_runs_the_play_of_the_project(berth, runner, environment: Path) -> None:
    before = kept(environment).current
    answer = told(berth("rotate", "blog", "--json"))
    assert kept(environment).key_sets[0] == before
    assert (ids(kept(environment)), runner.found) == (["k1", "k2"], [["k1", "k2"]])
    assert [(play.playbook, play.project, play.check) for play in runner.plays] == [("project.yml", "blog", False)]
    assert [key["id"] for key in answer["keys"] if key["in_use"]] == [
        "k2.publishable",
        "k2.secret",
        "k2.anon",
        "k2.service_role",
    ]
    assert not any("key" in key for key in answer["keys"])


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([[], []], ["k1", "k2"]),
        ([[], ["--retire"]], ["k2"]),
        ([["--retire"]], ["k1"]),
        ([["--now"]], ["k2"]),
        ([[], ["--now"]], ["k3"]),
        ([[], ["--retire"], []], ["k2", "k3"]),
    ],
)
def test_steps_lead_to_the_sets(berth, environment: Path, steps: list[list[str]], left: list[str]) -> None:
    for step in steps:
        assert berth("rotate", "blog", *step).exit_code == 0
    assert ids(kept(environment)) == left


def test_rotation_that_failed_on_the_host_is_kept_and_completed(berth, runner, environment: Path) -> None:
    runner.ok = False
    failed = berth("rotate", "blog")
    assert failed.exit_code == 1
    assert "berth apply blog brings them to the host" in failed.stderr
    made = kept(environment)
    runner.ok = True
    assert berth("rotate", "blog").exit_code == 0
    assert kept(environment) == made


@pytest.mark.parametrize("step", [[], ["--now"]])
def test_plan_reads_the_new_sets_and_writes_nothing(berth, runner, environment: Path, step: list[str]) -> None:
    text = (environment / "secrets/blog.yml").read_text()
    assert told(berth("rotate", "blog", *step, "--plan", "--json"))["keys"][0]["id"] == "k2.publishable"
    [play] = runner.plays
    assert (play.check, runner.found[0][-1]) == (True, "k2")
    assert not play.inventory.exists()
    assert (environment / "secrets/blog.yml").read_text() == text


def test_show_playbook_does_nothing(berth, runner, environment: Path) -> None:
    result = berth("rotate", "blog", "--show-playbook")
    assert "playbooks/project.yml -e project=blog" in result.stdout
    assert (runner.plays, ids(kept(environment))) == ([], ["k1"])
    assert "playbooks/key_usage.yml" in berth("keys", "blog", "--usage", "--show-playbook").stdout
    assert berth("keys", "blog", "--show-playbook").exit_code == 2
    assert runner.plays == []


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--now", "--retire"], "exclude each other"),
        (["--retire", "--retire-at", "2027-01-31"], "exclude each other"),
        (["--retire-at", "soon"], "--retire-at: found soon, allowed: a day such as 2027-01-31"),
        (["--retire-at", "2020-01-31"], "--retire-at: found 2020-01-31, which has passed"),
    ],
)
def test_options_that_cannot_be_change_nothing(berth, runner, environment: Path, options: list[str], rule: str) -> None:
    result = berth("rotate", "blog", *options)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert rule in result.stderr
    assert (runner.plays, ids(kept(environment))) == ([], ["k1"])


def test_rotation_needs_a_declared_project_with_secrets(berth, environment: Path) -> None:
    assert "project 'shop' is not declared" in berth("rotate", "shop").stderr
    (environment / "secrets/blog.yml").unlink()
    result = berth("rotate", "blog")
    assert (result.exit_code, "blog.yml: no such file" in result.stderr) == (2, True)


def test_keys_show_the_former_ones_in_an_overlap(berth, environment: Path) -> None:
    berth("rotate", "blog")
    shown = berth("keys", "blog").stdout
    assert "former keys, which work until they are retired" in shown
    for one in kept(environment).key_sets:
        for key in one.api_keys:
            assert key.value in shown.split()


def test_end_of_an_overlap_is_kept_shown_and_carried_out_by_any_run_after_it(berth, environment: Path) -> None:
    answer = told(berth("rotate", "blog", "--retire-at", "2999-01-31T18:00+01:00", "--json"))
    assert {key["retire_at"] for key in answer["keys"]} == {None, "2999-01-31T18:00:00+01:00"}
    assert "work until 2999-01-31T18:00:00+01:00" in berth("keys", "blog").stdout
    assert sets_on_host(environment) == {"k1", "k2"}
    SecretStore(environment).change_project(
        "blog", lambda kept: replace(kept, retire_at=datetime(2020, 1, 1, tzinfo=UTC))
    )
    assert sets_on_host(environment) == {"k2"}
    ended = "ended at 2020-01-01T00:00:00+00:00, still accepted until the first run after it"
    shown = berth("keys", "blog").stdout
    assert f"former keys, which {ended}: berth apply blog:" in shown
    assert all(key.value in shown for key in kept(environment).key_sets[0].api_keys)
    assert ended in berth("keys", "blog", "--usage").stdout
    berth("rotate", "blog", "--retire")
    assert "former" not in berth("keys", "blog").stdout


@pytest.mark.parametrize("names", [["blog"], []])
def test_apply_forgets_keys_whose_date_has_passed_once_no_host_accepts_them(
    berth, runner, environment: Path, names: list[str]
) -> None:
    berth("rotate", "blog", "--retire-at", "2999-01-31")
    assert berth("apply", *names).exit_code == 0
    assert ids(kept(environment)) == ["k1", "k2"]
    past = datetime(2020, 1, 1, tzinfo=UTC)
    SecretStore(environment).change_project("blog", lambda found: replace(found, retire_at=past))
    runner.ok = False
    assert berth("apply", *names).exit_code == 1
    assert ids(kept(environment)) == ["k1", "k2"]
    runner.ok = True
    assert berth("apply", *names, "--plan").exit_code == 0
    assert ids(kept(environment)) == ["k1", "k2"]
    assert berth("apply", *names).exit_code == 0
    assert ids(kept(environment)) == ["k2"]


def test_usage_is_asked_of_the_host_alone_and_shown_without_keys(berth, runner, environment: Path) -> None:
    usage = {key["id"]: key["usage"] for key in told(berth("keys", "blog", "--usage", "--json"))["keys"]}
    assert usage["k1.anon"] == USAGE["k1.anon"]
    assert usage["k1.secret"] == {"requests": 0, "last_request": None}
    assert [(play.playbook, play.hosts) for play in runner.plays] == [("key_usage.yml", ("alpha",))]
    shown = berth("keys", "blog", "--usage").stdout
    assert "7" in shown
    assert not any(key.value in shown for key in kept(environment).current.api_keys)


def test_usage_that_cannot_be_read_is_told(berth, runner) -> None:
    runner.ok = False
    result = berth("keys", "blog", "--usage", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "The disk is gone" in result.stderr
