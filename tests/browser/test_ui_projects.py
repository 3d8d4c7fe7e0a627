"""The web UI in Chromium with the real worker and the real hosts: a project added, used, refused, cancelled."""

import os
import re
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from clients import support
from fleet import Fleet
from fleet.newcomers import forget
from playwright.sync_api import Page, expect

NAME = "from-a-browser"


@pytest.fixture
def newcomer(fleet: Fleet) -> Iterator[str]:
    """Give a name that is free, and forget what was added under it."""
    forget(fleet, NAME)
    yield NAME
    forget(fleet, NAME)


def declared(fleet: Fleet) -> set[str]:
    """The names of all declared projects."""
    return {path.stem for path in (fleet.inventory / "projects").glob("*.yml")}


def test_added_project_is_watched_live_and_used_with_supabase_js(page: Page, fleet: Fleet, newcomer: str, shot) -> None:
    page.goto("/projects/new")
    page.locator("#name").press_sequentially("From")
    expect(page.locator("#name-says .error")).to_contain_text("allowed: 2 to 24")
    page.locator("#name").fill("one")
    expect(page.locator("#name-says .error")).to_contain_text("already")
    page.locator("#name").fill(newcomer)
    expect(page.locator("#name-says .fine")).to_have_text(f"{newcomer} is free")
    page.locator("input[name=host][value=trixie]").check()
    shot(page, "add-a-project")
    page.get_by_role("button", name="Add at once").click()

    expect(page.locator(".steps > li").first).to_be_visible()
    expect(page.locator("#state")).to_contain_text("running")
    shot(page, "run-live")
    expect(page.locator("#state .state")).to_have_text("succeeded")
    live = [page.locator(".steps > li").count(), page.locator(".result").count()]
    assert live[0] > 10
    page.reload()
    assert [page.locator(".steps > li").count(), page.locator(".result").count()] == live, "it saw all of it live"
    shot(page, "run-succeeded")
    assert "PLAY RECAP" in page.request.get(page.url + "/log").text()

    page.get_by_role("link", name=f"To {newcomer}").click()
    expect(page.locator("h1")).to_have_text(newcomer)
    page.get_by_role("link", name="Keys", exact=True).click()
    keys = {name: page.locator(f"#{name}").inner_text() for name in ("url", "anon-key", "service-role-key", "db-url")}
    assert keys["anon-key"] not in page.url
    support.prepare(keys["db-url"], keys["url"], keys["anon-key"], "js")
    support.node_modules()
    settings = {
        "BERTH_URL": keys["url"],
        "BERTH_ANON_KEY": keys["anon-key"],
        "BERTH_SERVICE_ROLE_KEY": keys["service-role-key"],
        "BERTH_DB_URL": keys["db-url"],
    }
    suite = subprocess.run(
        ["node", "--test", "--test-reporter=tap", "rest.test.mjs"],
        cwd=support.JS,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert suite.returncode == 0, f"{suite.stdout}\n{suite.stderr}"
    assert "# pass 0" not in suite.stdout

    page.goto(f"/projects/{newcomer}/remove")
    page.get_by_label("keep an encrypted archive").uncheck()
    page.get_by_label("Its name again").fill(newcomer)
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#state .state")).to_have_text("succeeded")
    assert newcomer not in declared(fleet)
    assert httpx.get(keys["url"] + "/rest/v1/", headers={"apikey": keys["anon-key"]}).status_code == 404
    page.goto("/audit?target=" + newcomer)
    assert page.locator("tbody tr td:nth-child(4)").all_inner_texts() == ["remove", "show keys", "add"]
    assert not [key for key in keys.values() if key in page.content()]


def test_refused_project_keeps_what_was_typed_and_runs_nothing(page: Page, fleet: Fleet, shot) -> None:
    before = declared(fleet)
    page.goto("/runs")
    runs = page.locator("tbody tr").count()
    page.goto("/projects/new")
    page.locator("#name").fill("twice-the-domain")
    page.locator("input[name=host][value=bookworm]").check()
    page.locator("#domains").fill("one.localhost")
    page.locator("#idle_timeout").fill("soon")
    page.get_by_role("button", name="Add at once").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was added")
    expect(page.locator("#domains-says .error")).to_contain_text("'one.localhost', which")
    expect(page.locator("#idle_timeout-says .error")).to_contain_text("found 'soon', allowed:")
    expect(page.locator("#idle_timeout-says .hint")).to_be_visible()
    expect(page.locator("#idle_timeout")).to_have_attribute("aria-invalid", "true")
    typed = {name: page.locator(f"#{name}").input_value() for name in ("name", "domains", "idle_timeout")}
    assert typed == {"name": "twice-the-domain", "domains": "one.localhost", "idle_timeout": "soon"}
    expect(page.locator("input[name=host][value=bookworm]")).to_be_checked()
    shot(page, "add-refused")
    assert declared(fleet) == before
    page.goto("/runs")
    assert page.locator("tbody tr").count() == runs


def test_run_is_cancelled_while_it_runs(page: Page, shot) -> None:
    page.goto("/projects/one")
    apply = page.locator("form[action$='/apply']")
    apply.get_by_role("button", name="Apply").click()
    expect(page.locator(".steps > li").first).to_be_visible()
    page.locator("#state").get_by_role("button", name="Cancel").click()
    expect(page.locator("#state .state")).to_have_text("cancelled")
    expect(page.locator("#state")).to_contain_text("cancelled after it began; run it again, it goes on where it was")
    expect(page.locator("#state").get_by_role("button", name="Run again")).to_be_visible()
    shot(page, "run-cancelled")
    page.goto("/hosts/trixie")
    expect(page.get_by_role("link", name=re.compile("^run [0-9]+:"))).to_have_count(0)
