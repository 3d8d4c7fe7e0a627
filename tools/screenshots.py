"""Takes the pictures of docs/ui.md from real hosts, by default those of the demo: `make screenshots`."""

import argparse
import time
from pathlib import Path

import httpx
from background_ui import REPOSITORY, BackgroundUi, UiFailed, free_port
from chromium import chromium
from playwright.sync_api import Page, expect

from berth.samples import Samples
from webui.services.fleet import Fleet

IMAGES = REPOSITORY / "docs" / "images"
PASSWORD = "only for these pictures"  # noqa: S105 - of an installation that is removed again
SAMPLES = 4
PATIENCE = 180.0
expect.set_options(timeout=PATIENCE * 1000)


def taken(inventory: Path) -> list[Path]:
    """Take all pictures and return their files; raise UiFailed."""
    ui = BackgroundUi(REPOSITORY / "build" / "screenshots-ui", inventory, free_port(), minutes=0.1)
    ui.remove()
    try:
        ui.start()
        link = ui.admin_link("ada")
        measure(Fleet(inventory))
        with chromium() as browser:
            page = browser.new_page(base_url=ui.url, viewport={"width": 1200, "height": 780}, color_scheme="light")
            page.set_default_timeout(PATIENCE * 1000)
            page.goto(link or "")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_label("Again").fill(PASSWORD)
            page.get_by_role("button", name="Set password").click()
            page.wait_for_url("**/")
            return pictures(page, Fleet(inventory))
    finally:
        ui.remove()


def measure(fleet: Fleet) -> None:
    """Use a project now and then, so that there is something to see, until all hosts were measured a few times."""
    samples, until = Samples(fleet.environment.directory), time.monotonic() + PATIENCE
    project = next(iter(fleet.projects().values()), None)
    while any(len(samples.history(host)) < SAMPLES for host in fleet.hosts()):
        if time.monotonic() > until:
            raise UiFailed(f"not all hosts were measured within {PATIENCE:.0f} s; are they up? make demo boots its own")
        if project:
            keys = fleet.keys(project)
            httpx.get(f"{keys.url}/rest/v1/", headers={"apikey": keys.anon_key})
        time.sleep(2)


def pictures(page: Page, fleet: Fleet) -> list[Path]:
    """Take the pictures one after the other."""
    host, project = next(iter(fleet.hosts())), next(iter(fleet.projects()))
    found = []

    def shot(name: str, theme: str = "light") -> None:
        page.emulate_media(color_scheme=theme)
        path = IMAGES / f"ui-{name}.png"
        page.screenshot(path=path)
        found.append(path)

    shot("hosts")
    for name, path, theme in (("host", f"/hosts/{host}", "dark"), ("project", f"/projects/{project}", "light")):
        page.goto(path)
        shot(name, theme)
    page.goto("/projects/new")
    page.locator("#name").press_sequentially("wiki")
    expect(page.locator("#name-says .fine")).to_be_visible()
    shot("add")
    page.goto(f"/projects/{project}")
    page.locator("form[action$='/apply']").get_by_role("button", name="Plan").click()
    expect(page.locator(".steps > li").nth(9)).to_be_visible()
    shot("run", "dark")
    expect(page.locator("#state .state")).to_have_text("succeeded")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tools/screenshots.py", description=__doc__)
    parser.add_argument("--inventory", type=Path, default=Path("inventory/local"), help="whose hosts are up")
    try:
        for path in taken(parser.parse_args().inventory.absolute()):
            print(path.relative_to(REPOSITORY))
    except UiFailed as error:
        raise SystemExit(f"make screenshots: {error}") from error
