"""Every page of the web UI in Chromium: both themes, narrow, by keyboard, without violations of axe-core."""

import sqlite3
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from background_ui import BackgroundUi
from fleet import Fleet
from fleet.services import wait_until
from playwright.sync_api import Browser, Page, expect
from visitors import MODES, MOST_BYTES, PASSWORD, VIOLATIONS, WIDER, axe_core, log_in, watched

from berth.samples import Samples

PAGES = {
    "hosts": "/",
    "host": "/hosts/trixie",
    "projects": "/projects",
    "project": "/projects/one",
    "project-paused": "/projects/parked",
    "new": "/projects/new",
    "keys": "/projects/one/keys",
    "rotate": "/projects/one/rotate",
    "conversion": "/projects/one/conversion",
    "remove": "/projects/one/remove",
    "runs": "/runs",
    "users": "/users",
    "audit": "/audit",
    "tokens": "/tokens",
    "doctor": "/doctor",
    "account": "/account",
    "second-factor": "/account/totp",
    "not-found": "/nowhere",
}


@pytest.fixture(scope="module")
def axe() -> str:
    """Give axe-core, to be run in a page."""
    return axe_core()


@pytest.fixture(params=MODES)
def themed(request, ui: BackgroundUi, browser: Browser, admin: SimpleNamespace) -> Iterator[tuple[str, Page]]:
    """Give the name of a mode and the admin's page in it."""
    theme, width = MODES[request.param]
    context = browser.new_context(
        base_url=ui.url,
        color_scheme=theme,
        viewport={"width": width, "height": 800},
    )
    for page in watched(context, ui):
        log_in(page)
        yield request.param, page


@pytest.fixture(scope="module")
def measured(ui: BackgroundUi, fleet: Fleet) -> None:
    """Return when the UI has measured all hosts."""
    samples = Samples(ui.inventory)
    wait_until(lambda: all(map(samples.latest, fleet.variables)), "all hosts are measured", 120)


@pytest.mark.usefixtures("measured")
def test_pages_are_accessible_light_and_fit(themed: tuple[str, Page], axe: str, shot) -> None:
    mode, page = themed
    for name, path in PAGES.items():
        answer = page.goto(path)
        assert answer
        assert answer.status == (404 if name == "not-found" else 200), name
        assert len(answer.body()) < MOST_BYTES, name
        shot(page, f"{name}-{mode}")
        page.evaluate(axe)
        assert page.evaluate(VIOLATIONS) == [], f"{name} in {mode}"
        assert not page.evaluate(WIDER), f"{name} is wider than the window in {mode}"


def test_login_is_accessible_and_tells_no_more_than_it_must(stranger: Page, axe: str, shot) -> None:
    stranger.goto("/projects/one")
    stranger.evaluate(axe)
    assert stranger.evaluate(VIOLATIONS) == []
    stranger.get_by_label("Name").fill("nobody-of-that-name")
    stranger.get_by_label("Password").fill("wrong")
    stranger.get_by_role("button", name="Log in").click()
    expect(stranger.get_by_role("alert")).to_have_text("name or password is wrong")
    expect(stranger.get_by_label("Name")).to_have_value("nobody-of-that-name")
    expect(stranger.get_by_label("Password")).to_have_value("")
    shot(stranger, "login-refused")
    stranger.evaluate(axe)
    assert stranger.evaluate(VIOLATIONS) == []


def test_first_admin_comes_in_by_a_link_that_works_once(stranger: Page, admin: SimpleNamespace, ui) -> None:
    assert admin.address == f"{ui.url}/"
    stranger.goto(admin.link)
    expect(stranger.locator("h1")).to_have_text("That does not work")
    expect(stranger.locator("main")).to_contain_text("used already")
    assert ui.admin_link("admin") is None, "the admin has a password now"


def test_theme_is_switched_and_kept(themed: tuple[str, Page]) -> None:
    mode, page = themed
    before = "light" if mode == "light" else "dark"
    after = "dark" if before == "light" else "light"
    page.goto("/")
    background = "getComputedStyle(document.body).backgroundColor"
    shown = page.evaluate(background)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(background) != shown
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", after)
    assert page.evaluate(background) != shown


def focused(page: Page) -> str:
    """What has the focus: its text, name or value."""
    return page.evaluate(
        "(() => { const it = document.activeElement;"
        " return (it.innerText || it.name && `${it.name}=${it.value}` || it.tagName).trim() })()"
    )


def tab_to(page: Page, wanted: str, most: int = 60) -> None:
    """Press Tab until that has the focus, which must be visible all the way."""
    seen = []
    for _ in range(most):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"the focus is not visible on {seen[-1]!r}"
        if seen[-1].startswith(wanted):
            return
    raise AssertionError(f"Tab never came to {wanted!r}, but to {seen}")


def test_keyboard_alone_logs_in_and_plans_a_project(stranger: Page, admin: SimpleNamespace, shot) -> None:
    page = stranger
    page.goto("/login")
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    tab_to(page, "Skip to content")
    page.keyboard.press("Enter")
    tab_to(page, "Add a project")
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects/new")
    page.keyboard.type("by-keyboard")
    expect(page.locator("#name-says .fine")).to_be_visible()
    tab_to(page, "architecture=shared")
    tab_to(page, "host=")
    page.keyboard.press("ArrowDown")
    chosen = focused(page)
    assert chosen.startswith("host=")
    tab_to(page, "Show the plan")
    shot(page, "keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    expect(page.locator("h1")).to_have_text("Plan add by-keyboard")
    tab_to(page, "Cancel")
    page.keyboard.press("Enter")
    expect(page.locator("#state .state")).to_have_text("cancelled")
    page.goto("/projects?q=by-keyboard")
    expect(page.locator("main")).to_contain_text("No project is like that")


def test_what_if_answers_while_the_slider_moves(page: Page, measured: None) -> None:
    page.goto("/hosts/trixie")
    slider = page.get_by_label("Shared projects more")
    slider.focus()
    before = page.locator("#answer").inner_text()
    page.keyboard.press("End")
    expect(page.locator("#answer")).not_to_have_text(before)
    expect(page.locator("#answer")).to_contain_text("refused")
    assert page.locator("#shared-value").inner_text() == slider.input_value()


def test_form_that_needs_the_password_again_is_not_lost(page: Page, ui: BackgroundUi) -> None:
    page.goto("/users")
    page.get_by_label("Name").fill("Not a name")
    page.get_by_role("button", name="Add and show the link").click()
    expect(page.get_by_role("alert")).to_contain_text("found 'Not a name', allowed:")
    expect(page.get_by_label("Name")).to_have_value("Not a name")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Higher roles for single projects").last.fill("one operator\nthree viewer")
    with sqlite3.connect(ui.directory / "state" / "ui.db") as database:
        database.execute("UPDATE logins SET proven_at = datetime('now', '-11 minutes')")
    page.get_by_role("button", name="Add and show the link").click()
    expect(page.locator("h1")).to_have_text("Your password again")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_have_text("name or password is wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#link")).to_contain_text(f"{ui.url}/welcome/")
    page.goto("/users")
    expect(page.get_by_role("row", name="ada")).to_contain_text("one: operator, three: viewer")
