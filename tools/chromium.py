"""Debian's Chromium, without a window, for tests and screenshots."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

SWITCHES = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update"
    " --disable-sync --disable-gpu"
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser that asks nobody for anything on its own; FileNotFoundError where it is not installed."""
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES.split())
        yield browser
        browser.close()
