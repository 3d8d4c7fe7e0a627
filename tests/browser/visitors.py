"""People at the web UI: how they log in, and how their pages are watched."""

from collections.abc import Iterator

from background_ui import BackgroundUi
from playwright.sync_api import BrowserContext, Page

PASSWORD = "correct horse battery"
PATIENCE_MS = 180_000


def log_in(page: Page) -> None:
    """Log in as the admin, who may see keys then without a further proof."""
    page.goto("/login")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


def watched(context: BrowserContext, ui: BackgroundUi) -> Iterator[Page]:
    """Give a page; AssertionError afterwards when it complained or sent a request to another server."""
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((ui.url, "data:")) else complaints.append(asked.url))
    yield page
    context.close()
    # Chromium reports an answer of 4xx to the page itself as an error too
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []
