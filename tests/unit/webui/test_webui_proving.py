"""Proofs of isolation in the web UI: asked for, kept, shown in lists and on pages, and to whom what."""

from pathlib import Path

import pytest

from berth.playbooks import Play
from berth.runner import Result

ATTEMPT = {"source": "shop", "target": "blog", "told": "blog_rest is in blog, says shop"}
SOUND = {"tried": 7, "reached": [], "unproven": [], "skipped": {}}
FOUND = {
    "login": SOUND | {"reached": [ATTEMPT]},
    "password": SOUND,
    "key": SOUND,
    "rest": SOUND | {"skipped": {"shop": "asleep"}},
}
REPORT = {"isolation": {"at": "2026-11-25T10:00:00+00:00", "projects": {"blog": FOUND}}}


class ProvingRunner:
    """Notes plays, and tells what the host found."""

    def __init__(self) -> None:
        self.plays: list[Play] = []

    def run(self, play: Play, on_step: object, on_event: object, cancelled: object) -> Result:
        self.plays.append(play)
        return Result(True, {}, (), (), {}, Path("/logs/1.log"), 1.0, {"alpha": REPORT})


@pytest.fixture
def proved(executor, inventory: Path):
    """A function that does what is in the queue; gives the plays."""
    (inventory / "projects/shop.yml").write_text("name: shop\nnumber: 2\nhost: alpha\narchitecture: shared\n")
    executor.runner = ProvingRunner()

    def work() -> list[Play]:
        executor.work()
        return executor.runner.plays

    return work


def test_proof_is_a_run_and_stands_on_page_and_list(person, core, proved) -> None:
    browser = person("operator")
    assert "Nobody has tried yet" in browser.get("/projects/blog").text
    answer = browser.send("/projects/blog/prove", "/projects/blog", wake="yes")
    assert answer.headers["location"] == "/runs/1"
    [play] = proved()
    assert (play.playbook, play.project, play.hosts, play.wakes) == ("prove.yml", "blog", ("alpha",), True)
    assert (core.runs.get(1).state, core.runs.get(1).report) == ("succeeded", {"isolation": {"blog": "failed"}})
    page = browser.get("/projects/blog").text
    assert "shop on blog: blog_rest is in blog, says shop" in page
    assert "REST takes its own token" in page
    assert "asleep: shop" in page
    listed = browser.get("/projects?isolation_proof=failed").text
    assert ("/projects/blog" in listed, "/projects/shop" in listed) == (True, False)
    assert "/projects/shop" in browser.get("/projects?isolation_proof=never&sort=isolation_proof").text


def test_api_does_all_of_it(api, proved) -> None:
    client = api("operator")
    assert client.get("/projects/blog/isolation-proof").json["isolation_proof"] == "never"
    run = client.post("/projects/blog/isolation-proof?wake=true")
    assert (run.status_code, run.json["action"]) == (202, "prove")
    assert proved()[0].wakes
    told = client.get("/projects/blog/isolation-proof").json
    assert told["isolation_proof"] == "failed"
    login = told["attacks"][0]
    assert (login["name"], login["verdict"], login["reached"]) == ("login", "failed", [ATTEMPT])
    assert login["control"]
    found = {
        item["name"]: item["isolation_proof"] for item in client.get("/projects?sort=isolation_proof").json["items"]
    }
    assert list(found.items()) == [("blog", "failed"), ("shop", "never")]
    assert [item["name"] for item in client.get("/projects?isolation_proof=failed").json["items"]] == ["blog"]


def test_who_may_see_one_project_learns_no_name_of_another(person, api, core, proved) -> None:
    person("operator").send("/projects/blog/prove", "/projects/blog")
    proved()
    page = person("member", "someone", {"blog": "viewer"}).get("/projects/blog").text
    assert ("another project on blog" in page, "shop" in page) == (True, False)
    told = api("member", "program", grants={"blog": "viewer"}).get("/projects/blog/isolation-proof").text
    assert ("another project" in told, "shop" in told) == (True, False)


def test_proof_ends_with_the_project_it_was_of(person, api, inventory: Path, proved) -> None:
    person("operator").send("/projects/blog/prove", "/projects/blog")
    proved()
    path = inventory / "projects/blog.yml"
    path.write_text(path.read_text().replace("shared", "isolated"))
    told = api("viewer").get("/projects/blog").json
    assert (told["isolation_proof"], told["isolation_proven_at"]) == ("never", None)
    assert "Nobody has tried yet" in person("viewer", "reader").get("/projects/blog").text
