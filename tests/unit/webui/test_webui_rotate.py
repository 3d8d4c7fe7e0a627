"""Rotating keys: on a page of its own after a fresh proof, with an overlap, and who uses which key."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from ansible.parsing.vault import is_encrypted

from berth.playbooks import Play
from berth.project_secrets import ProjectSecrets
from berth.runner import Result
from berth.secrets import SecretStore
from webui.services.execution import Executor


@pytest.fixture
def secrets(inventory):
    """A function that gives the present secrets of blog."""
    SecretStore(inventory).project("blog")
    return lambda: SecretStore(inventory).project("blog", create=False)


@dataclass
class Counting:
    """A runner whose hosts count that the anon key was used, and that notes what secrets it was given."""

    runner: object
    given: ProjectSecrets | None = None

    def run(self, play: Play, on_step: object, on_event: object, cancelled: object) -> Result:
        """Give what the play would."""
        result = self.runner.run(play, on_step, on_event, cancelled)
        if play.playbook != "key_usage.yml":
            self.given = SecretStore(play.inventory).project("blog", create=False)
            return result
        usage = {"k1-anon": {"requests": 7, "last_request": "2026-11-25T18:00:00+00:00"}}
        return replace(result, changed={}, reports={"alpha": {"key_usage": usage}})


@pytest.fixture
def counting(runner) -> Counting:
    """That runner."""
    return Counting(runner)


@pytest.fixture
def worker(core, inventory, counting) -> Executor:
    """A worker with it."""
    return Executor(core.runs, inventory, counting)


def test_rotation_has_an_overlap_and_retires(person, core, secrets, worker) -> None:
    operator = person("operator")
    before = secrets()
    answer = operator.send("/projects/blog/rotate", step="start", intent="do")
    assert answer.headers["location"] == "/runs/1"
    worker.work()
    assert core.runs.get(1).state == "succeeded"
    assert [one.id for one in secrets().key_sets] == [before.current.id, secrets().current.id]
    page = operator.get("/projects/blog/rotate").text
    assert "until it is retired" in page
    assert "Start a rotation" not in page
    operator.send("/projects/blog/rotate", step="retire", intent="do")
    worker.work()
    assert secrets().current.id != before.current.id
    assert len(secrets().key_sets) == 1
    assert "rotate" in person("admin").get("/audit").text


def test_plan_shows_new_keys_to_the_run_alone(person, core, secrets, worker, counting, inventory) -> None:
    before = secrets()
    person("operator").send("/projects/blog/rotate", step="start", intent="plan")
    worker.work()
    run = core.runs.get(1)
    assert (run.state, run.check, run.draft, run.asked) == ("succeeded", True, None, {"step": "start"})
    assert len(counting.given.key_sets) == 2
    assert secrets() == before
    assert is_encrypted((inventory / "secrets/blog.yml").read_bytes())


def test_plan_is_carried_out(person, secrets, worker) -> None:
    operator = person("operator")
    operator.send("/projects/blog/rotate", step="start", intent="plan")
    worker.work()
    operator.send("/runs/1/carry-out", "/runs/1")
    worker.work()
    assert len(secrets().key_sets) == 2


def test_overlap_has_a_date_to_end_that_can_be_changed(person, core, secrets, worker) -> None:
    operator = person("operator")
    assert "until it is retired" not in operator.get("/projects/blog/rotate").text
    operator.send("/projects/blog/rotate", step="start", retire_at="2999-01-31", intent="do")
    page = operator.get("/projects/blog/rotate").text
    assert page.count("until 2999-01-31 00:00:00 UTC") == len(secrets().key_sets[0].api_keys) + 1
    operator.send("/projects/blog/rotate", step="start", retire_at="2999-02-01T18:00+01:00", intent="do")
    assert "They work until 2999-02-01 17:00:00 UTC" in operator.get("/projects/blog/rotate").text
    assert len(secrets().key_sets) == 2
    assert core.runs.get(2).asked == {"step": "start", "retire_at": "2999-02-01T18:00:00+01:00"}
    assert "2999-02-01T18:00:00+01:00" in person("admin").get("/audit").text


def test_keys_whose_date_has_passed_are_shown_until_they_are_taken_away(person, inventory, secrets) -> None:
    operator = person("operator")
    operator.send("/projects/blog/rotate", step="start", intent="do")
    past = datetime(2020, 1, 31, tzinfo=UTC)
    SecretStore(inventory).change_project("blog", lambda kept: replace(kept, retire_at=past))
    page = operator.get("/projects/blog/rotate").text
    told = "ended 2020-01-31 00:00:00 UTC, accepted until the first run after it"
    assert page.count(told) == len(secrets().key_sets[0].api_keys)
    assert "Start a rotation" in page


def test_planned_date_is_carried_out(person, secrets, worker, counting) -> None:
    operator = person("operator")
    operator.send("/projects/blog/rotate", step="start", retire_at="2999-01-31", intent="plan")
    worker.work()
    assert counting.given.retire_at == datetime(2999, 1, 31, tzinfo=UTC)
    assert secrets().retire_at is None
    operator.send("/runs/1/carry-out", "/runs/1")
    assert secrets().retire_at == datetime(2999, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("soon", "found soon, allowed: a day such as 2027-01-31"),
        ("2020-01-31", "found 2020-01-31, which has passed"),
        ("9999-12-31T23:00-12:00", "found 9999-12-31T23:00-12:00, allowed"),
    ],
)
def test_bad_date_is_told_beside_its_field(person, api, core, secrets, date: str, told: str) -> None:
    before = secrets()
    answer = person("operator").send("/projects/blog/rotate", step="start", retire_at=date, intent="do")
    assert answer.status_code == 400
    assert f'id="retire_at-says"><span class="error">{told}' in answer.text
    assert f'value="{date}"' in answer.text
    refused = api("admin").post("/projects/blog/rotate", {"retire_at": date})
    assert (refused.status_code, refused.json["detail"].startswith(f"retire_at: {told}")) == (400, True)
    assert (secrets(), core.runs.page()) == (before, [])


@pytest.mark.parametrize(
    ("fields", "told"),
    [({"step": "now", "again": "blgo"}, "allowed: blog; nothing was changed"), ({"step": "never"}, "allowed: start")],
)
def test_cut_wants_the_name_and_slips_change_nothing(person, core, secrets, fields: dict[str, str], told: str) -> None:
    before = secrets()
    answer = person("operator").send("/projects/blog/rotate", intent="do", **fields)
    assert (answer.status_code, told in answer.text) == (400, True)
    assert (secrets(), core.runs.page()) == (before, [])


def test_cut_leaves_new_keys_alone(person, secrets, worker) -> None:
    before = secrets()
    person("operator").send("/projects/blog/rotate", step="now", again="blog", intent="do")
    assert len(secrets().key_sets) == 1
    assert secrets().current.id != before.current.id


def test_page_says_who_uses_which_key_once_it_was_counted(person, secrets, worker) -> None:
    operator = person("operator")
    assert "Not counted yet" in operator.get("/projects/blog/rotate").text
    assert operator.send("/projects/blog/usage", "/projects/blog/rotate").headers["location"] == "/runs/1"
    worker.work()
    page = operator.get("/projects/blog/rotate").text
    assert "Counted" in page
    assert "never" in page
    for key in (key.value for one in secrets().key_sets for key in one.api_keys):
        assert key not in page


def test_api_does_all_of_it(api, secrets, worker) -> None:
    operator = api("operator")
    key = operator.get("/projects/blog/key-usage").json["items"][0]
    assert (key["in_use"], key["requests"], key["last_request"]) == (True, None, None)
    assert operator.post("/projects/blog/rotate?check=true", {}).status_code == 202
    assert len(secrets().key_sets) == 1
    assert operator.post("/projects/blog/rotate", {"step": "start", "retire_at": "2999-01-31"}).status_code == 202
    assert operator.post("/projects/blog/rotate", {"step": "now", "retire_at": "2999-01-31"}).status_code == 400
    ends = {one["in_use"]: one["retire_at"] for one in operator.get("/projects/blog/key-usage").json["items"]}
    assert ends == {True: None, False: "2999-01-31T00:00:00Z"}
    assert operator.post("/projects/blog/rotate", {"step": "never"}).status_code == 422
    assert len(secrets().key_sets) == 2
    operator.post("/projects/blog/key-usage")
    worker.work()
    told = operator.get("/projects/blog/key-usage")
    assert {one["requests"] for one in told.json["items"]} >= {0}
    assert told.json["counted_at"]
    for value in (key.value for one in secrets().key_sets for key in one.api_keys):
        assert value not in told.text
