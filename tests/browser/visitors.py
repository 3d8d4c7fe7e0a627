"""People at the web UI: how they log in, and how their pages are watched."""

from collections.abc import Iterator
from types import SimpleNamespace

from background_ui import BackgroundUi
from clients import support
from playwright.sync_api import Browser, BrowserContext, Page

PASSWORD = "correct horse battery"
PATIENCE_MS = 180_000
MOST_BYTES = 150_000
VIOLATIONS = """async () => (await axe.run()).violations.map(
    (found) => found.id + ': ' + found.nodes.map((node) => node.target + ' ' + node.html.slice(0, 120)).join(' | '))"""
WIDER = "document.documentElement.scrollWidth > innerWidth"
MODES = {"light": ("light", 1280), "dark": ("dark", 1280), "narrow": ("dark", 375)}


def let_in(ui: BackgroundUi, browser: Browser) -> SimpleNamespace:
    """Let the first admin in by the one-time link, and return link, and the address that it led to."""
    link = ui.admin_link("admin")
    context = browser.new_context()
    page = context.new_page()
    page.goto(link or "")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Again").fill(PASSWORD)
    page.get_by_role("button", name="Set password and log in").click()
    page.wait_for_url(f"{ui.url}/")
    found = SimpleNamespace(link=link, address=page.url)
    context.close()
    return found


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


def axe_core() -> str:
    """Return axe-core, to be run in a page."""
    return (support.node_modules() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
