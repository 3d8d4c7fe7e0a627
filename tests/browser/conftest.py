"""Fixtures of the tests in a browser: Chromium, and the page of the admin of the web UI."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from background_ui import BackgroundUi
from chromium import chromium
from fleet.fleet import REPOSITORY
from playwright.sync_api import Browser, Page, expect
from visitors import PASSWORD, PATIENCE_MS, log_in, watched

SCREENSHOTS = REPOSITORY / "build" / "screenshots"
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give Debian's Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def admin(ui: BackgroundUi, browser: Browser) -> SimpleNamespace:
    """Let the first admin in by the one-time link: link, and the address that it led to."""
    link = ui.admin_link("admin")
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Again").fill(PASSWORD)
    page.get_by_role("button", name="Set password and log in").click()
    page.wait_for_url(f"{ui.url}/")
    found = SimpleNamespace(link=link, address=page.url)
    context.close()
    return found


@pytest.fixture
def page(ui: BackgroundUi, browser: Browser, admin: SimpleNamespace) -> Iterator[Page]:
    """Give a page of the admin, who is logged in; fails at the end when the console complained or asked elsewhere."""
    for page in watched(browser.new_context(base_url=ui.url), ui):
        log_in(page)
        yield page


@pytest.fixture
def stranger(ui: BackgroundUi, browser: Browser) -> Iterator[Page]:
    """Give a page of somebody who is not logged in, watched in the same way."""
    yield from watched(browser.new_context(base_url=ui.url), ui)


@pytest.fixture
def shot() -> Callable[[Page, str], Path]:
    """Give a function that keeps a picture of the whole page in build/screenshots."""

    def take(page: Page, name: str) -> Path:
        path = SCREENSHOTS / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take
