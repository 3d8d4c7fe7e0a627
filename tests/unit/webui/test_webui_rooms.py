"""Measurements in the UI: what pages show of a host that was measured, is silent, or was never asked."""

import gc
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from measured import project, report, shared, unit

from berth import capacity
from berth.samples import Samples
from berth.status import Measurement, host_status
from webui import server
from webui.models import now
from webui.services import measuring
from webui.services.rooms import Rooms

BLOG = project("blog")
TIGHT = report()["postgres"] | {"max_connections": 17}


def sample(inventory: Path, minutes: int = 0, rest_mib: int = 20) -> None:
    """Keep a measurement of alpha as of so many minutes ago."""
    told = report(unit("nginx.service", mib=12), *shared("blog", rest_mib, rest_mib and 10))
    told["measured_at"] = (now() - timedelta(minutes=minutes)).isoformat()
    Samples(inventory).add(host_status("alpha", told, [BLOG]))


def test_hosts_show_measurement_beside_guidance(person, inventory: Path) -> None:
    sample(inventory)
    page = person("viewer").get("/").text
    assert "guidance 3 to 5" in page
    assert "more</b> fit" in page
    assert "not measured yet" in page, "bravo was never measured"


def test_hosts_say_what_is_tight(person, inventory: Path) -> None:
    told = report(*shared("blog", 20, 10)) | {"load": [9.0, 9.0, 9.0], "measured_at": now().isoformat()}
    Samples(inventory).add(host_status("alpha", told, [BLOG]))
    assert "tight: cpu<" in person("viewer").get("/").text


def test_page_after_a_measurement_computes_no_capacity(
    person, core, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = host_status("alpha", report(*shared("blog", 20, 10)) | {"measured_at": now().isoformat()}, [BLOG])
    declared = list(core.fleet.projects().values())
    monkeypatch.setattr(measuring, "measure", lambda *_: Measurement(hosts=(found,), down={}))
    measuring.measure_once(core.fleet, Rooms(core.fleet), measuring.UntilOver(threading.Event()))
    expected = capacity.capacity(found, declared)
    monkeypatch.setattr(capacity, "capacity", lambda *_: pytest.fail("computed for a page"))
    assert "more</b> fit" in person("viewer").get("/").text
    assert core.rooms.host("alpha").capacity == expected


def test_web_server_reads_all_before_its_first_page_and_starts_where_it_cannot(core, inventory: Path, caplog) -> None:
    sample(inventory)
    try:
        server.read_before_requests(core)
        assert gc.get_freeze_count() > 0
        assert caplog.text == ""
        (inventory / "projects/blog.yml").write_text("name: other\n")
        server.read_before_requests(core)
        assert "blog.yml" in caplog.text
    finally:
        gc.unfreeze()


def test_host_that_does_not_answer_says_since_when_and_why(person, inventory: Path) -> None:
    sample(inventory, minutes=90)
    samples, browser = Samples(inventory), person("operator")
    for minutes, reason in ((80, "timed out"), (1, "no route to host")):
        samples.note_silence("alpha", reason, now() - timedelta(minutes=minutes))
    samples.note_silence("bravo", "key refused", now())
    page = browser.get("/hosts/alpha").text
    assert "does not answer since" in page
    assert "1 hour ago" in page
    assert "no route to host" in page
    assert "key refused" in browser.get("/hosts/bravo").text
    assert browser.get("/").text.count("does not answer") == 2
    assert browser.get("/projects/new").text.count("does not answer") == 2
    sample(inventory)
    assert "does not answer" not in browser.get("/hosts/alpha").text


def test_host_that_nobody_measured_lately_is_not_called_silent(person, inventory: Path) -> None:
    sample(inventory, minutes=90)
    page = person("viewer").get("/hosts/alpha").text
    assert "Nobody has measured this host since" in page
    assert "does not answer" not in page


def test_what_if_tells_the_verdict(person, inventory: Path) -> None:
    sample(inventory)
    browser = person("viewer")
    assert "fits" in browser.get("/hosts/alpha/what-if?shared=1").text
    refused = browser.get("/hosts/alpha/what-if?shared=9900&isolated=3").text
    assert "refused" in refused
    assert "missing" in refused
    assert browser.get("/hosts/alpha/what-if?shared=many").status_code == 200
    assert browser.get("/hosts/nowhere/what-if").status_code == 404


def test_project_shows_its_services(person, inventory: Path) -> None:
    sample(inventory, minutes=5, rest_mib=0)
    browser = person("viewer")
    assert browser.get("/projects/blog").text.count("asleep") >= 2
    sample(inventory)
    page = browser.get("/projects/blog").text
    assert "awake" in page
    assert "22 MiB" in page


def test_new_project_is_suggested_the_host_with_room(person, inventory: Path) -> None:
    sample(inventory)
    page = person("operator").get("/projects/new").text
    assert page.index('value="alpha" checked') < page.index('value="bravo"')
    assert "suggested" in page


def test_database_of_its_own_tells_its_measured_cost_and_takes_no_connections_of_the_host(
    person, inventory: Path
) -> None:
    browser = person("operator")
    assert "About 20 MiB at rest" in browser.get("/projects/new").text
    mine = project("depot", 2, architecture="isolated", database="dedicated")
    told = report(unit("postgresql@17-berth_depot.service", mib=33, slice="berth-depot.slice"), postgres=TIGHT)
    told["measured_at"] = now().isoformat()
    Samples(inventory).add(host_status("alpha", told, [BLOG, mine]))
    assert "About 33 MiB, as measured here" in browser.get("/projects/new").text
    asked = "/projects/new/host?architecture=isolated&database="
    assert "connections:" in browser.get(f"{asked}shared").text
    assert "connections:" not in browser.get(f"{asked}dedicated").text


def test_measuring_goes_on_after_trouble(core, inventory: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    over = threading.Event()
    found = host_status("alpha", report(*shared("blog")), [BLOG])
    answers = iter([measuring.BerthError("no ssh"), Measurement(hosts=(found,), down={"bravo": "timed out"})])

    def measure(*_: object):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        over.set()
        return answer

    monkeypatch.setattr(measuring, "measure", measure)
    measuring.measure_on(core.fleet, Rooms(core.fleet), measuring.UntilOver(over), 0.0, over)
    assert core.rooms.samples.latest("alpha") == found
    assert "no ssh" in caplog.text
    assert "bravo did not answer: timed out" in caplog.text
