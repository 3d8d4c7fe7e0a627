"""Capacity in the browser, as measured on real hosts: what is awake counts after load, what sleeps does not."""

import re
import subprocess

import pytest
from fleet import Fleet
from fleet.content import fill, mark
from fleet.gateway import Gateway
from fleet.services import put_to_sleep
from playwright.sync_api import Page, expect

NAMES = ("one", "two-words")  # which fall asleep after a quarter of an hour
HOST = "trixie"


@pytest.fixture
def gateway(fleet: Fleet):
    """Give a client of the gateways whose projects have a table each."""
    gateway = Gateway(fleet)
    with gateway.client:
        for name in NAMES:
            fill(gateway, fleet.project(name))
        yield gateway


def measure(fleet: Fleet) -> None:
    """Measures the host as berth status does, which keeps the sample for the pages."""
    environment = {"BERTH_INVENTORY": str(fleet.inventory), **fleet.environment}
    subprocess.run(["berth", "status", HOST], env=environment, capture_output=True, check=True)


def awake(page: Page) -> int:
    """How many projects the page of the host says are awake."""
    page.goto(f"/hosts/{HOST}")
    found = re.search(r"(\d+) awake", page.locator(".tiles").inner_text())
    assert found
    return int(found[1])


def memory(page: Page, name: str) -> str:
    """The memory of a project on the page of its host."""
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))
    return row.locator("td.num").first.inner_text()


def test_page_of_a_host_counts_what_load_has_woken(page: Page, fleet: Fleet, gateway: Gateway, shot) -> None:
    put_to_sleep(fleet, *(fleet.project(name) for name in NAMES))
    measure(fleet)
    before = awake(page)
    assert {memory(page, name) for name in NAMES} == {"0 B"}
    page.goto("/projects?measured_state=asleep")
    for name in NAMES:
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()

    for name in NAMES:
        assert mark(gateway, fleet.project(name)) == name
    measure(fleet)
    assert awake(page) == before + len(NAMES)
    assert all(re.fullmatch(r"[\d.]+ MiB", memory(page, name)) for name in NAMES)
    shot(page, "host-after-load")
    page.goto("/projects?measured_state=awake")
    for name in NAMES:
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    page.goto("/")
    expect(page.locator("main")).to_contain_text(f"{before + len(NAMES)} awake")
