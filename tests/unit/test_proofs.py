"""Proofs of isolation: their verdicts, where they are kept, and the command that makes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from measured import ReportingRunner, project
from typer.testing import CliRunner

from berth.cli import app
from berth.playbooks import Play, repository
from berth.proofs import proofs
from berth.run_events import Failure
from berth.runner import INTERRUPTED
from berth.samples import Samples

SOUND = {"tried": 4, "reached": [], "unproven": [], "skipped": {}}
ATTEMPT = {"source": "blog", "target": "shop", "told": "shop_rest is in shop"}
BLOG = project("blog")


def told(**attacks: dict[str, Any]) -> dict[str, Any]:
    """What a host reports of blog, with all attacks as sound as is not said otherwise."""
    every = dict.fromkeys(("login", "password", "key", "rest", "auth"), SOUND)
    return {"isolation": {"at": "2026-11-25T10:00:00+00:00", "projects": {"blog": every | attacks}}}


@pytest.mark.parametrize(
    ("attacks", "verdict"),
    [
        ({}, "passed"),
        ({"rest": SOUND | {"skipped": {"shop": "asleep"}}}, "partial"),
        ({"rest": SOUND | {"tried": 0}}, "partial"),
        ({"key": SOUND | {"unproven": [ATTEMPT]}, "rest": SOUND | {"skipped": {"shop": "asleep"}}}, "unproven"),
        ({"login": SOUND | {"reached": [ATTEMPT]}, "key": SOUND | {"unproven": [ATTEMPT]}}, "failed"),
    ],
)
def test_verdict_is_the_worst_of_the_attacks(attacks: dict[str, Any], verdict: str) -> None:
    [proof] = proofs({"alpha": told(**attacks)}, [BLOG])
    assert proof.verdict == verdict


def test_proof_is_kept_and_counts_for_the_project_as_it_was(tmp_path: Path) -> None:
    samples, found = Samples(tmp_path), proofs({"alpha": told()}, [BLOG])
    assert (samples.proof(BLOG), samples.verdicts()) == (None, {})
    samples.keep_proofs(found)
    assert samples.proof(BLOG) == found[0]
    for other in ({"number": 2}, {"host": "bravo"}, {"architecture": "isolated"}):
        assert samples.proof(BLOG.model_copy(update=other)) is None, other
    samples.keep_proofs(proofs({"alpha": told(login=SOUND | {"reached": [ATTEMPT]})}, [BLOG]))
    assert samples.verdicts()["blog"][1] == "failed"


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
def berth(environment: Path) -> Callable[..., Any]:
    """A function that runs the command with a runner."""
    return lambda runner, *arguments: CliRunner().invoke(app, ["prove", *arguments], obj=runner)


def test_command_proves_one_project_on_its_host_and_keeps_it(berth, environment: Path) -> None:
    runner = ReportingRunner({"alpha": told(), "bravo": told()})
    done = berth(runner, "blog", "--wake")
    assert (done.exit_code, done.stderr) == (0, "")
    assert runner.plays == [Play("prove.yml", environment, "blog", hosts=("alpha",), wakes=True)]
    assert "the gateway knows its own key" in done.stdout
    assert Samples(environment).verdicts()["blog"][1] == "passed"


def test_what_was_reached_ends_with_1_and_is_named_once(berth) -> None:
    runner = ReportingRunner({"alpha": told(login=SOUND | {"reached": [ATTEMPT, ATTEMPT]})})
    done = berth(runner)
    assert done.exit_code == 1
    assert done.stdout.count("blog on shop: reached: shop_rest is in shop") == 1
    assert json.loads(berth(runner, "--json").stdout)["proofs"][0]["verdict"] == "failed"


def test_host_that_does_not_answer_ends_with_1_and_keeps_the_proof_before(berth, environment: Path) -> None:
    berth(ReportingRunner({"alpha": told()}))
    done = berth(ReportingRunner({"alpha": told()}, down={"alpha": "timed out"}))
    assert (done.exit_code, "host alpha did not answer: timed out" in done.stderr) == (1, True)
    assert Samples(environment).verdicts()["blog"][1] == "passed"


def test_interrupted_proof_ends_with_1_and_keeps_nothing(berth, environment: Path) -> None:
    failures = (Failure("", "", INTERRUPTED),)
    done = berth(ReportingRunner({"alpha": told()}, failures=failures))
    assert (done.exit_code, INTERRUPTED in done.stderr) == (1, True)
    assert Samples(environment).verdicts() == {}


def test_unknown_project_and_the_line_of_the_playbook(berth, environment: Path) -> None:
    assert berth(ReportingRunner(), "nowhere").exit_code == 2
    line = berth(ReportingRunner(), "blog", "--wake", "--show-playbook").stdout
    assert "playbooks/prove.yml -e project=blog -e prove_wakes=true --limit alpha" in line
