"""The list of projects: the measured state of each, filters and orders, on the page and in the HTTP API."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from measured import project, report, shared, unit

from berth.models import Project
from berth.samples import Samples
from berth.status import host_status
from webui.models import now

# alpha was measured, bravo never, charlie not lately
STATES = {"blog": "asleep", "busy": "awake", "broken": "failed", "stranger": "unknown", "late": "unknown"}
HOSTS = {"stranger": "bravo", "late": "charlie"}
BROKEN = [unit("berth-rest@broken.service", "failed"), *shared("broken")[2:]]
UNITS = [*shared("blog"), *shared("busy", 20, 10), *BROKEN]


def sample(inventory: Path, host: str, declared: list[Project], minutes: int = 1, units: list | None = None) -> None:
    """Keep a measurement of a host as of so many minutes ago."""
    told = report(*(units or UNITS)) | {"measured_at": (now() - timedelta(minutes=minutes)).isoformat()}
    Samples(inventory).add(host_status(host, told, declared))


@pytest.fixture
def declared(inventory: Path) -> list[Project]:
    """The projects of STATES, declared and as far measured."""
    (inventory / "hosts.yml").write_text("berth_hosts: {hosts: {alpha: {}, bravo: {}, charlie: {}}}")
    found = [project(name, number, HOSTS.get(name, "alpha")) for number, name in enumerate(STATES, 1)]
    for one in found:
        text = f"name: {one.name}\nnumber: {one.number}\nhost: {one.host}\narchitecture: shared\n"
        (inventory / f"projects/{one.name}.yml").write_text(text)
    sample(inventory, "alpha", found)
    sample(inventory, "charlie", found, 90, shared("late", 20, 10))
    return found


def listed(page: str) -> dict[str, str]:
    """The states on a page of the list by project, in its order."""
    return dict(re.findall(r'href="/projects/([a-z]+)">.*?<span class="state [a-z]+">(\w+)</span>', page, re.DOTALL))


def test_page_shows_measured_states_by_filter_and_order(person, declared) -> None:
    browser = person("viewer")
    assert listed(browser.get("/projects").text) == STATES
    assert list(listed(browser.get("/projects").text)) == sorted(STATES)
    assert listed(browser.get("/projects?measured_state=unknown&host=charlie").text) == {"late": "unknown"}
    in_order = list(listed(browser.get("/projects?sort=measured_state").text).items())
    assert in_order == [(name, STATES[name]) for name in ("broken", "late", "stranger", "busy", "blog")]
    assert "No project is like that" in browser.get("/projects?measured_state=stopped").text


def test_project_of_a_host_that_fell_silent_is_unknown_everywhere(person, api, inventory: Path, declared) -> None:
    browser = person("viewer")
    assert listed(browser.get("/hosts/alpha").text)["busy"] == "awake"
    Samples(inventory).note_silence("alpha", "timed out", now())
    assert set(listed(browser.get("/projects").text).values()) == {"unknown"}
    assert listed(browser.get("/hosts/alpha").text)["busy"] == "unknown"
    assert 'class="state off">unknown' in browser.get("/projects/busy").text
    told = api("viewer", "program").get("/projects/busy").json
    assert (told["measured_state"], told["measured_at"] is not None) == ("unknown", True)


def test_paused_project_is_measured_as_such_and_found_by_its_declaration(person, inventory: Path, declared) -> None:
    path = inventory / "projects/stranger.yml"
    path.write_text(path.read_text() + "state: paused\n")
    browser = person("viewer")
    assert listed(browser.get("/projects?status=paused").text) == {"stranger": "unknown"}
    paused = project("stranger", 4, "bravo", state="paused")
    sample(inventory, "bravo", [paused], units=[unit("nginx.service")])
    assert listed(browser.get("/projects?measured_state=paused").text) == {"stranger": "paused"}


def test_api_lists_measured_states_by_filter(api, declared) -> None:
    client = api("viewer")
    items = client.get("/projects").json["items"]
    assert {item["name"]: item["measured_state"] for item in items} == STATES
    assert {item["name"] for item in items if item["measured_at"] is None} == {"stranger"}
    assert [item["name"] for item in client.get("/projects?measured_state=unknown").json["items"]] == [
        "late",
        "stranger",
    ]
    assert [item["name"] for item in client.get("/projects?q=BRO").json["items"]] == ["broken"]
    assert client.get("/projects?measured_state=awke").status_code == 422


@pytest.mark.parametrize("sort", ["name", "number", "host", "architecture", "status", "measured_state"])
def test_pages_of_the_api_have_each_project_once_in_any_order(api, declared, sort: str) -> None:
    client, cursor, names = api("viewer"), "", []
    while cursor is not None:
        page = client.get(f"/projects?limit=2&sort={sort}&after={cursor}").json
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert names == [item["name"] for item in client.get(f"/projects?sort={sort}").json["items"]]
    assert sorted(names) == sorted(STATES)


def test_list_asks_the_file_of_samples_once_for_each_measurement(
    person, core, inventory: Path, declared, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, asked = person("viewer"), []
    latest = Samples.latest
    monkeypatch.setattr(Samples, "latest", lambda self, host: asked.append(host) or latest(self, host))
    for _ in range(3):
        browser.get("/projects")
    assert asked == ["alpha", "bravo", "charlie"]
