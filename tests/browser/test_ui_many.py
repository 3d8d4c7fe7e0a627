"""Two hundred projects in the browser, a long run, and a host that has no room: pages alone, over measurements."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from background_ui import BackgroundUi, free_port
from fleet.fleet import REPOSITORY
from measured import project, report, shared, unit
from playwright.sync_api import Browser, Page, expect
from visitors import MODES, MOST_BYTES, VIOLATIONS, WIDER, axe_core, let_in, log_in, watched

from berth.proofs import proofs
from berth.samples import Samples
from berth.status import host_status
from webui.config import from_environment
from webui.core import make_core
from webui.models import RunEvent, now
from webui.services.audit import Actor

PROJECTS, STEPS = 200, 60
ATTACKS = ("login", "password", "key", "rest", "auth")
TRIED = {"tried": 40, "reached": [], "unproven": [], "skipped": {}}
DIFF = "--- before\n+++ after\n@@ -1 +1 @@\n-old\n+new\n"


def declare(inventory: Path) -> None:
    """Writes and measures two hosts: roomy has all projects of every state, full has no room for another."""
    (inventory / "projects").mkdir(parents=True)
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {"full": {}, "roomy": {}}}}))
    declared, units = [], [unit("nginx.service", mib=12)]
    for number in range(1, PROJECTS + 1):
        one = project(f"customer-{number:03}", number, "roomy", domains=[f"www.customer-{number:03}.example.com"])
        values = one.model_dump(include={"name", "number", "host", "architecture", "domains"})
        (inventory / f"projects/{one.name}.yml").write_text(yaml.safe_dump(values))
        mine = shared(one.name, *((20, 10) if number % 5 == 0 else ()))
        units += [unit(f"berth-rest@{one.name}.service", "failed"), *mine[2:]] if number % 50 == 1 else mine
        declared.append(one)
    hosts = {
        "roomy": report(*units, total_mib=65536),
        "full": report(unit("nginx.service", mib=12), total_mib=1024, used_mib=1000),
    }
    for host, told in hosts.items():
        Samples(inventory).add(host_status(host, told | {"measured_at": now().isoformat()}, declared))
    attacks = dict.fromkeys(ATTACKS, TRIED)
    reached = {"source": "customer-002", "target": "customer-001", "told": "customer_001_rest is in customer_001"}
    found = {one.name: attacks for one in declared[2:150]}
    found |= {one.name: attacks | {"login": TRIED | {"reached": [reached]}} for one in declared[:2]}
    told = {"at": (now() - timedelta(hours=3)).isoformat(), "projects": found}
    Samples(inventory).keep_proofs(proofs({"roomy": {"isolation": told}}, declared))


def run(ui: BackgroundUi) -> int:
    """Returns the number of a run of many steps, some of which changed something, that has failed."""
    core = make_core(from_environment(ui.settings()))
    try:
        number = core.actions.apply(Actor("ada", "192.0.2.1"), "customer-001").id
        core.runs.claim("worker")
        events = []
        for step in range(1, STEPS + 1):
            given = {"run_id": number, "at": now(), "step": step, "task": f"Ensure thing number {step} is as declared"}
            status = "failed" if step == STEPS else "changed" if step % 4 == 0 else "ok"
            text = DIFF if status == "changed" else "it does not start" if status == "failed" else ""
            events += [
                RunEvent(**given, number=2 * step - 1, host="", status="started", seconds=None, text=""),
                RunEvent(**given, number=2 * step, host="roomy", status=status, seconds=0.4, text=text),
            ]
        core.runs.note(number, events, STEPS)
        core.runs.finish(number, "failed", "Ensure thing number 60 on roomy: it does not start", {"roomy": 15}, None)
        return number
    finally:
        core.close()


@pytest.fixture(scope="module")
def many(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Give the pages over two hundred projects, with an admin: ui, inventory, run (its number)."""
    directory, inventory = tmp_path_factory.mktemp("many"), tmp_path_factory.mktemp("inventory")
    declare(inventory)
    ui = BackgroundUi(directory, inventory, free_port(), pages_only=True)
    try:
        ui.start({**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"), "XDG_STATE_HOME": str(directory)})
        let_in(ui, browser)
        yield SimpleNamespace(ui=ui, inventory=inventory, run=run(ui))
    finally:
        ui.end()


@pytest.fixture(params=MODES)
def themed(request: pytest.FixtureRequest, many: SimpleNamespace, browser: Browser) -> Iterator[tuple[str, Page]]:
    """Give the name of a mode and the admin's page in it."""
    theme, width = MODES[request.param]
    viewport = {"width": width, "height": 800}
    context = browser.new_context(base_url=many.ui.url, color_scheme=theme, viewport=viewport)
    for page in watched(context, many.ui):
        log_in(page)
        yield request.param, page


@pytest.fixture
def page(many: SimpleNamespace, browser: Browser) -> Iterator[Page]:
    """Give the admin's page."""
    for page in watched(browser.new_context(base_url=many.ui.url), many.ui):
        log_in(page)
        yield page


def test_long_pages_are_accessible_light_and_fit(themed: tuple[str, Page], many: SimpleNamespace, shot) -> None:
    mode, page = themed
    pages = {
        "many-projects": "/projects",
        "many-hosts": "/",
        "many-host": "/hosts/roomy",
        "many-run": f"/runs/{many.run}",
        "many-runs": "/runs",
        "many-proof": "/projects/customer-001",
    }
    axe = axe_core()
    for name, path in pages.items():
        answer = page.goto(path)
        assert answer
        assert (answer.status, len(answer.body()) < MOST_BYTES) == (200, True), (name, len(answer.body()))
        shot(page, f"{name}-{mode}")
        page.evaluate(axe)
        assert page.evaluate(VIOLATIONS) == [], f"{name} in {mode}"
        assert not page.evaluate(WIDER), f"{name} is wider than the window in {mode}"


def test_list_is_filtered_as_one_chooses_and_ordered_by_a_click(page: Page) -> None:
    page.goto("/projects")
    rows = page.locator("#list tbody tr")
    expect(rows).to_have_count(PROJECTS)
    page.get_by_label("State").select_option("awake")
    expect(rows).to_have_count(PROJECTS // 5)
    assert "measured_state=awake" in page.url
    page.get_by_label("State").select_option("")
    page.get_by_label("Isolation").select_option("failed")
    expect(rows).to_have_count(2)
    page.get_by_label("Isolation").select_option("")
    expect(rows).to_have_count(PROJECTS)
    page.get_by_role("link", name="State", exact=True).click()
    expect(rows.first).to_contain_text("failed")
    expect(page.get_by_role("columnheader", name="State")).to_have_attribute("aria-sort", "ascending")


def test_host_without_room_refuses_until_it_is_overruled(page: Page, many: SimpleNamespace, shot) -> None:
    declared = many.inventory / "projects" / "one-too-many.yml"
    page.goto("/projects/new")
    page.locator("#name").fill("one-too-many")
    page.locator("input[name=architecture][value=isolated]").check()
    page.locator("input[name=host][value=full]").check()
    page.locator("#domains").fill("too-many.example.com")
    page.get_by_role("button", name="Add at once").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was added")
    expect(page.locator(".error")).to_contain_text("are missing")
    expect(page.locator("#domains")).to_have_value("too-many.example.com")
    expect(page.locator("input[name=host][value=full]")).to_be_checked()
    shot(page, "add-no-room")
    assert not declared.exists()

    page.get_by_label("Add it though the host has no room").check()
    page.get_by_role("button", name="Add at once").click()
    page.wait_for_url("**/runs/*")
    expect(page.locator("h1")).to_have_text("Add one-too-many")
    text = declared.read_text()
    assert "# Added with force on " in text
    assert "refused: memory:" in text
