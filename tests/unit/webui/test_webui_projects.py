"""Pages of projects: what forms declare, and which runs come of them."""

from pathlib import Path

import pytest

from berth.placement import Candidate
from webui.services import placing

SHOP = {"name": "shop", "host": "bravo", "architecture": "shared", "domains": "shop.example.com", "idle_timeout": "1h"}


def test_add_writes_the_declaration_and_asks_for_a_run(person, core, executor, runner, inventory: Path) -> None:
    answer = person("operator").send("/projects/new", **SHOP, intent="do")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/1")
    assert "idle_timeout: 1h" in (inventory / "projects/shop.yml").read_text()
    assert core.runs.get(1).state == "queued"
    executor.work()
    assert (core.runs.get(1).state, [(p.project, p.check) for p in runner.plays]) == ("succeeded", [("shop", False)])


def test_plan_writes_nothing_and_can_be_carried_out(person, core, executor, runner, inventory: Path) -> None:
    browser = person("operator")
    browser.send("/projects/new", **SHOP, intent="plan")
    executor.work()
    assert not (inventory / "projects/shop.yml").exists()
    assert (runner.plays[0].check, "name: shop" in runner.texts[0]) == (True, True)
    assert browser.send("/runs/1/carry-out", "/runs/1").headers["location"] == "/runs/2"
    executor.work()
    assert (inventory / "projects/shop.yml").exists()
    assert [play.check for play in runner.plays] == [True, False]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "Shop"}, 'id="name-says" aria-live="polite"><span class="error">allowed: 2 to 24 of a-z'),
        ({"name": "blog"}, 'id="name-says" aria-live="polite"><span class="error">found &#39;blog&#39;, which'),
        ({"host": "nowhere"}, '<span class="error">found &#39;nowhere&#39;'),
        ({"domains": "blog.example.com"}, 'id="domains-says"><span class="error">found &#39;blog.example.com&#39;'),
        ({"idle_timeout": "soon"}, 'id="idle_timeout-says"><span class="error">found &#39;soon&#39;'),
        ({"database": "own"}, '<span class="error">found &#39;own&#39;, allowed: shared or dedicated'),
    ],
)
def test_bad_input_keeps_what_was_typed_and_runs_nothing(person, core, inventory: Path, fields, told: str) -> None:
    typed = SHOP | fields
    answer = person("operator").send("/projects/new", **typed, intent="do")
    assert answer.status_code == 400
    assert told in answer.text
    assert f'value="{typed["domains"]}"' in answer.text
    assert core.runs.page() == []
    assert [path.name for path in (inventory / "projects").glob("*.yml")] == ["blog.yml"]


def test_host_without_room_is_refused_unless_overruled(
    person, core, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Candidate(host="bravo", verdict="refused", reason="memory: 82 MiB of 4 GiB are missing")
    monkeypatch.setattr(placing, "candidates", lambda *_: [full])
    browser = person("operator")
    answer = browser.send("/projects/new", **SHOP, intent="do")
    assert (answer.status_code, "82 MiB of 4 GiB are missing" in answer.text) == (400, True)
    assert f'value="{SHOP["domains"]}"' in answer.text
    assert (core.runs.page(), (inventory / "projects/shop.yml").exists()) == ([], False)
    assert browser.send("/projects/new", **SHOP, force="yes", intent="do").status_code == 303
    assert "# Added with force on" in (inventory / "projects/shop.yml").read_text()


def test_database_of_its_own_is_declared_and_the_default_is_not(person, inventory: Path) -> None:
    browser = person("operator")
    assert 'name="database" value="shared" checked' in browser.get("/projects/new").text
    browser.send("/projects/new", **SHOP | {"architecture": "isolated", "database": "dedicated"}, intent="do")
    assert "database: dedicated" in (inventory / "projects/shop.yml").read_text()
    other = {"name": "other", "domains": "", "architecture": "isolated", "database": "shared"}
    browser.send("/projects/new", **SHOP | other, intent="do")
    assert "database" not in (inventory / "projects/other.yml").read_text()


def test_database_of_its_own_wants_an_isolated_project(person, core, inventory: Path) -> None:
    answer = person("operator").send("/projects/new", **SHOP, database="dedicated", intent="do")
    assert answer.status_code == 400
    assert "allowed: shared, as long as architecture is shared; choose architecture: isolated" in answer.text
    assert 'name="database" value="dedicated" checked' in answer.text
    assert core.runs.page() == []
    assert not (inventory / "projects/shop.yml").exists()


def test_changed_setting_is_declared_and_an_emptied_one_gets_its_default(person, inventory: Path) -> None:
    browser = person("operator")
    fields = {"limits.connections": "30", "idle_timeout": "15min"}
    assert browser.send("/projects/blog/update", "/projects/blog", **fields).status_code == 303
    assert "connections: 30" in (inventory / "projects/blog.yml").read_text()
    assert browser.send("/projects/blog/update", "/projects/blog", **{"limits.connections": ""}).status_code == 303
    assert "connections" not in (inventory / "projects/blog.yml").read_text()


def test_bad_setting_is_told_beside_its_field(person, inventory: Path) -> None:
    answer = person("operator").send("/projects/blog/update", "/projects/blog", **{"limits.connections": "many"})
    assert answer.status_code == 400
    assert 'value="many"' in answer.text
    assert 'id="limits.connections-says"><span class="error">found &#39;many&#39;' in answer.text
    assert "connections" not in (inventory / "projects/blog.yml").read_text()


def test_update_of_nothing_is_refused(person, core) -> None:
    answer = person("operator").send("/projects/blog/update", "/projects/blog", idle_timeout="15min")
    assert (answer.status_code, core.runs.page()) == (400, [])


def test_pause_and_resume(person, inventory: Path) -> None:
    browser = person("operator")
    browser.send("/projects/blog/pause", "/projects/blog", intent="do")
    assert "state: paused" in (inventory / "projects/blog.yml").read_text()
    browser.send("/projects/blog/resume", "/projects/blog", intent="do")
    assert "paused" not in (inventory / "projects/blog.yml").read_text()


def test_domains_are_added_and_removed(person, inventory: Path) -> None:
    fields = {"add": "a.example.com, b.example.com", "remove": "blog.example.com"}
    person("operator").send("/projects/blog/domains", "/projects/blog", **fields)
    assert "domains: [a.example.com, b.example.com]" in (inventory / "projects/blog.yml").read_text()


def test_remove_wants_the_name_and_runs_the_removal(person, core, executor, runner, inventory: Path) -> None:
    browser = person("operator")
    refused = browser.send("/projects/blog/remove", again="blgo", intent="do")
    assert (refused.status_code, core.runs.page()) == (400, [])
    assert 'value="blgo"' in refused.text
    planned = browser.send("/projects/blog/remove", archive="on", intent="plan")
    assert planned.headers["location"] == "/runs/1"
    executor.work()
    assert browser.send("/runs/1/carry-out", "/runs/1").status_code == 303
    browser.send("/projects/blog/remove", again="blog", intent="do")
    executor.work()
    done = [(play.playbook, play.project, play.check, play.archive) for play in runner.plays]
    assert done == [
        ("remove.yml", "blog", True, True),
        ("remove.yml", "blog", False, True),
        ("remove.yml", "blog", False, False),
    ]


def test_many_projects_come_in_pages_that_keep_the_filter(person, inventory: Path) -> None:
    for number in range(2, 304):
        text = f"name: p{number:03}\nnumber: {number}\nhost: bravo\narchitecture: shared\n"
        (inventory / f"projects/p{number:03}.yml").write_text(text)
    browser = person("viewer")
    first, last = browser.get("/projects?host=bravo").text, browser.get("/projects?host=bravo&page=9").text
    assert "1 to 200 of 302" in first
    assert "host=bravo&amp;page=2" in first
    assert "201 to 302 of 302" in last
    assert (last.count("/projects/p"), "/projects/p303" in last) == (102, True)
    assert "of 302" not in browser.get("/projects?q=p30").text
