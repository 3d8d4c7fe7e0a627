"""Conversions: on a page of their own and in the API, with what they do in words, and a way back for a day."""

import html
from datetime import timedelta
from pathlib import Path

import pytest
from measured import project, report, shared

from berth.conversion_words import Intent
from berth.conversions import Conversions, Side, moment
from berth.playbooks import Play
from berth.samples import Samples
from berth.status import host_status
from webui.models import now

PAGE = "/projects/blog/conversion"
ISOLATED, DEDICATED = Side("isolated"), Side("isolated", "dedicated")


@pytest.fixture
def convert(core):
    """A function that does to blog what the playbook would, so many hours ago."""

    def carry_out(to: Side, hours: float = 0, done: bool = True) -> None:
        conversions, at = Conversions(core.fleet.store), moment() - timedelta(hours=hours)
        conversions.begin("blog", to, at)
        if done:
            conversions.finish("blog", to.architecture, at, to.database)

    return carry_out


@pytest.fixture
def small(inventory: Path) -> None:
    """Alpha was measured and has 1 GiB."""
    told = report(*shared("blog", 20, 10), total_mib=1024) | {"measured_at": now().isoformat()}
    Samples(inventory).add(host_status("alpha", told, [project("blog")]))


def test_page_says_what_each_conversion_does_as_the_command_does(person) -> None:
    page = html.unescape(person("operator").get(PAGE).text)
    for aim, moves in ((ISOLATED, False), (DEDICATED, True)):
        intent = Intent("blog", "isolated", aim, moves)
        assert f"Make it {aim}</h2>" in page
        assert "".join(f"<li>{step}</li>" for step in intent.steps()) in page
        assert intent.pause in page
    assert "Make it shared" not in page
    assert '<a href="/projects" aria-current="true">' in page
    assert "not measured yet" in page


@pytest.mark.parametrize(("database", "told"), [("shared", "shared"), ("dedicated", "dedicated"), ("", None)])
def test_conversion_runs_its_playbook_and_leaves_the_declaration_to_it(
    person, executor, runner, inventory: Path, database: str, told: str | None
) -> None:
    before = (inventory / "projects/blog.yml").read_text()
    answer = person("operator").send(PAGE, step="convert", to="isolated", database=database, intent="do")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/1")
    executor.work()
    assert runner.plays == [Play("convert.yml", inventory, "blog", convert="isolated", database=told)]
    assert (inventory / "projects/blog.yml").read_text() == before


def test_plan_is_carried_out(person, core, executor, runner, inventory: Path) -> None:
    browser = person("operator")
    browser.send(PAGE, step="convert", to="isolated", database="dedicated", intent="plan")
    executor.work()
    browser.send("/runs/1/carry-out", "/runs/1")
    executor.work()
    play = Play("convert.yml", inventory, "blog", convert="isolated", database="dedicated")
    assert [(one.check, one.convert, one.database) for one in runner.plays] == [
        (True, "isolated", "dedicated"),
        (False, "isolated", "dedicated"),
    ]
    assert runner.plays[1] == play
    assert [run.action for run in core.runs.page()] == ["convert", "convert"]


def test_open_conversion_is_rolled_back_or_kept(person, core, executor, runner, convert) -> None:
    convert(DEDICATED, hours=1)
    browser, until = person("operator"), moment() + timedelta(hours=23)
    for page in (browser.get("/projects/blog").text, browser.get(PAGE).text):
        assert f"It can be rolled back until {until:%Y-%m-%d %H}:" in page
        assert "Make it" not in page
        assert 'name="step" value="rollback"' in page
        assert 'name="step" value="commit"' in page
    for step in ("rollback", "commit"):
        assert browser.send(PAGE, "/projects/blog", step=step, intent="do").status_code == 303
    executor.work()
    assert [(play.convert, play.database) for play in runner.plays] == [("rollback", None), ("commit", None)]
    assert [run.action for run in core.runs.page()] == ["commit", "rollback"]
    refused = browser.send(PAGE, step="convert", to="shared", intent="do")
    assert (refused.status_code, "not committed" in refused.text) == (400, True)


def test_conversion_of_yesterday_counts_as_kept(person, convert) -> None:
    convert(ISOLATED, hours=25)
    page = person("operator").get(PAGE).text
    assert "Make it shared</h2>" in page
    assert "Make it isolated with a dedicated database</h2>" in page
    assert "rolled back until" not in page


def test_conversion_that_did_not_end_is_completed_or_undone(person, executor, runner, convert) -> None:
    convert(ISOLATED, done=False)
    browser = person("operator")
    assert "did not end" in browser.get("/projects/blog").text
    page = browser.get(PAGE).text
    assert "Complete: isolated</h2>" in page
    assert "Roll back to shared</h2>" in page
    browser.send(PAGE, step="convert", to="isolated", database="shared", intent="do")
    browser.send(PAGE, step="rollback", intent="do")
    executor.work()
    assert [play.convert for play in runner.plays] == ["isolated", "rollback"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"step": "convert", "to": "shared"}, "found 'shared', which blog is already"),
        ({"step": "convert", "to": "big"}, "to: found 'big', allowed: shared or isolated"),
        ({"step": "convert"}, "to: found None, allowed: shared or isolated"),
        ({"step": "convert", "to": "isolated", "database": "big"}, "database: found 'big', allowed: shared or"),
        ({"step": "rollback"}, "no conversion of the last day to roll back"),
        ({"step": "commit", "to": "shared"}, "found beside step commit, allowed: beside convert"),
        ({"step": "undo"}, "step: found 'undo', allowed: convert, rollback, commit"),
    ],
)
def test_what_may_not_be_is_told_and_runs_nothing(person, api, core, fields: dict[str, str], told: str) -> None:
    for intent in ("plan", "do"):
        answer = person("operator", f"operator-{intent}").send(PAGE, intent=intent, **fields)
        assert (answer.status_code, told in html.unescape(answer.text)) == (400, True)
    assert api("operator").post(PAGE, fields).status_code in (400, 422)
    assert core.runs.page() == []


def test_limit_below_what_a_database_of_its_own_needs_is_told(person, core, inventory: Path) -> None:
    declared = inventory / "projects/blog.yml"
    declared.write_text(declared.read_text() + "limits: {memory: 512M}\n")
    browser = person("operator")
    refused = browser.send(PAGE, step="convert", to="isolated", database="dedicated", intent="do")
    assert (refused.status_code, "allowed: 640M or more" in refused.text) == (400, True)
    assert browser.send(PAGE, step="convert", to="isolated", database="shared", intent="do").status_code == 303


def test_host_without_room_refuses_unless_overruled(person, api, core, small) -> None:
    browser, body = person("operator"), {"to": "isolated"}
    assert "convert though the host has no room" in browser.get(PAGE).text
    refused = browser.send(PAGE, step="convert", to="isolated", intent="do")
    assert (refused.status_code, "blog on alpha: refused: memory" in refused.text) == (400, True)
    answer = api("operator", "program").post(PAGE, body)
    assert (answer.status_code, "overrule with force" in answer.json["detail"]) == (409, True)
    assert core.runs.page() == []
    assert browser.send(PAGE, step="convert", to="isolated", force="on", intent="do").status_code == 303
    assert api("operator", "program").post(PAGE, body | {"force": True}).status_code == 202
    entries = api("admin").get("/audit?target=blog").json["items"]
    assert [entry["details"] for entry in entries] == [{"word": "isolated", "force": True}] * 2


def test_api_tells_what_may_be_asked_for_and_does_it_once(api, core, convert) -> None:
    client = api("operator")
    found = client.get(PAGE).json
    assert found["open"] is None
    assert [(one["step"], one["to"], one["database"], one["verdict"]) for one in found["offers"]] == [
        ("convert", "isolated", "shared", "unknown"),
        ("convert", "isolated", "dedicated", "unknown"),
    ]
    intent = Intent("blog", "isolated", DEDICATED, moves=True)
    assert (found["offers"][1]["steps"], found["offers"][1]["pause"]) == (intent.steps(), intent.pause)
    body = {"to": "isolated", "database": "dedicated"}
    runs = [client.post(PAGE, body, **{"Idempotency-Key": "one"}).json["id"] for _ in range(2)]
    assert (runs, len(core.runs.page())) == ([1, 1], 1)
    assert client.post(f"{PAGE}?check=true", body).json["check"] is True
    convert(DEDICATED)
    found = client.get(PAGE).json
    assert (found["open"]["to_database"], found["open"]["from_architecture"]) == ("dedicated", "shared")
    assert found["open"]["open_until"] > found["open"]["done"]
    assert [(one["step"], one["to"]) for one in found["offers"]] == [("rollback", "shared"), ("commit", "isolated")]
    assert client.post(PAGE, {"step": "rollback"}).json["action"] == "rollback"
    assert client.post(PAGE, {"step": "commit"}).json["action"] == "commit"


def test_account_that_cannot_be_read_is_told_and_hides_nothing_else(person, inventory: Path) -> None:
    (inventory / "projects/.blog.conversion.yml").write_text("nothing: true\n")
    page = person("operator").get("/projects/blog")
    assert (page.status_code, "tells of no conversion; restore or remove it" in page.text) == (200, True)
