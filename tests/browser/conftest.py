"""Fixtures of the tests in a browser: Chromium, and the page of the admin of the web UI."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from background_ui import BackgroundUi
from chromium import chromium
from fleet.fleet import REPOSITORY
from playwright.sync_api import Browser, Page, expect
from visitors import PATIENCE_MS, let_in, log_in, watched

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
    return let_in(ui, browser)


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
