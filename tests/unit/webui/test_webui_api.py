"""The HTTP API: what it answers, in which form, and what comes of it."""

from datetime import timedelta
from pathlib import Path

import pytest
from measured import project, report, shared, unit

from berth.samples import Samples
from berth.status import host_status
from webui.models import now

BLOG = project("blog")


@pytest.fixture
def measured(inventory: Path) -> None:
    """Alpha was measured just now, bravo never."""
    told = report(unit("nginx.service", mib=12), *shared("blog", 20, 10))
    told["measured_at"] = (now() - timedelta(minutes=1)).isoformat()
    Samples(inventory).add(host_status("alpha", told, [BLOG]))


def test_request_of_the_older_control_plane_adds_a_project(api, core, measured, executor, inventory: Path) -> None:
    answer = api("operator").post("/projects", {"name": "my-project", "plan": "shared"})
    assert answer.status_code == 202
    added = answer.json
    run = added.pop("run")
    assert added == {
        "id": "my-project",
        "name": "my-project",
        "plan": "shared",
        "backend_type": "shared",
        "db_name": "my_project",
        "status": "creating",
        "host": "alpha",
    }
    assert (run["state"], run["asked_by"]) == ("queued", "operator (tests)")
    assert "host: alpha" in (inventory / "projects/my-project.yml").read_text()
    executor.work()
    assert api("operator").get("/projects/my-project").json["run"]["state"] == "succeeded"


def test_plan_dedicated_is_an_isolated_project(api, inventory: Path) -> None:
    answer = api("operator").post("/projects", {"name": "shop", "plan": "dedicated", "host": "alpha"})
    assert (answer.status_code, answer.json["plan"], answer.json["backend_type"]) == (202, "dedicated", "isolated")
    assert "architecture: isolated" in (inventory / "projects/shop.yml").read_text()


def test_database_of_its_own_is_for_isolated_projects_alone(api, inventory: Path) -> None:
    client = api("operator")
    refused = client.post("/projects", {"name": "shop", "plan": "shared", "database": "dedicated", "host": "alpha"})
    assert (refused.status_code, "choose architecture: isolated" in refused.json["detail"]) == (400, True)
    body = {"name": "shop", "plan": "dedicated", "database": "dedicated", "host": "alpha"}
    assert client.post("/projects", body).status_code == 202
    assert "database: dedicated" in (inventory / "projects/shop.yml").read_text()


def test_project_without_host_is_refused_where_none_was_measured(api, core) -> None:
    answer = api("operator").post("/projects", {"name": "shop", "plan": "shared"})
    assert answer.status_code == 409
    assert "alpha: unknown: not measured yet" in answer.json["detail"]
    assert core.runs.page() == []


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"name": "Shop"}, 400, "allowed: 2 to 24 of a-z"),
        ({"name": "blog", "host": "alpha"}, 409, "which"),
        ({"name": "shop", "host": "nowhere"}, 400, "found 'nowhere'"),
        ({"name": "shop", "host": "alpha", "domains": ["blog.example.com"]}, 400, "found 'blog.example.com'"),
        ({"name": "shop", "host": "alpha", "plan": "dedicated", "architecture": "shared"}, 400, "give one of the two"),
        ({"name": "shop", "hots": "alpha"}, 422, "hots: Extra inputs"),
        ({"plan": "shared"}, 422, "name: Field required"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(api, core, inventory: Path, body: dict, status: int, told: str) -> None:
    answer = api("operator").post("/projects", body)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert told in answer.json["detail"]
    assert answer.json["status"] == status
    assert core.runs.page() == []
    assert [path.name for path in (inventory / "projects").glob("*.yml")] == ["blog.yml"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"[" * 100_000])
def test_body_that_is_no_object_is_refused(api, body: bytes) -> None:
    answer = api("operator").client.post(
        "/api/v1/projects", data=body, headers=api("operator").headers | {"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json["detail"]) == (400, "the body is not a JSON object")


def test_form_is_refused(api) -> None:
    answer = api("operator").client.post("/api/v1/projects", data={"name": "shop"}, headers=api("operator").headers)
    assert answer.status_code == 415


def test_keys_of_a_declaration_change_alone(api, inventory: Path) -> None:
    changes = {"limits": {"connections": 30}, "idle_timeout": "1h"}
    assert api("operator").patch("/projects/blog", changes).status_code == 202
    assert api("operator").patch("/projects/blog", {"limits": {"memory": "512M"}, "idle_timeout": None}).json["id"] == 2
    text = (inventory / "projects/blog.yml").read_text()
    assert "connections: 30" in text
    assert "memory: 512M" in text
    assert "idle_timeout" not in text


def test_check_plans_and_can_be_carried_out(api, executor, runner, inventory: Path) -> None:
    client = api("operator")
    assert client.patch("/projects/blog?check=true", {"idle_timeout": "1h"}).json["check"] is True
    assert "1h" not in (inventory / "projects/blog.yml").read_text()
    executor.work()
    assert client.post("/runs/1/carry-out").status_code == 202
    assert "1h" in (inventory / "projects/blog.yml").read_text()
    executor.work()
    assert [play.check for play in runner.plays] == [True, False]


def test_pause_resume_domains_and_apply(api, inventory: Path) -> None:
    client, declared = api("operator"), inventory / "projects/blog.yml"
    assert client.post("/projects/blog/pause").status_code == 202
    assert client.get("/projects/blog").json["status"] == "paused"
    assert client.post("/projects/blog/resume").status_code == 202
    assert client.post("/projects/blog/domains", {"add": ["a.example.com"], "remove": ["blog.example.com"]}).json
    assert "domains: [a.example.com]" in declared.read_text()
    assert client.post("/projects/blog/apply").json["action"] == "apply"
    assert client.post("/projects/blog/domains", {}).status_code == 400


def test_remove_runs_the_playbook_that_keeps_an_archive(api, executor, runner, core) -> None:
    planned = api("operator").delete("/projects/blog?check=true&archive=true").json
    assert (planned["action"], planned["check"]) == ("remove", True)
    executor.work()
    assert api("operator").post("/runs/1/carry-out").json["action"] == "remove"
    executor.work()
    assert [(play.playbook, play.project, play.check, play.archive) for play in runner.plays] == [
        ("remove.yml", "blog", True, True),
        ("remove.yml", "blog", False, True),
    ]


def test_hosts_tell_their_capacity(api, measured) -> None:
    alpha, bravo = api("viewer").get("/hosts").json["items"]
    assert alpha["capacity"]["shared_more"] > 0
    assert (alpha["projects"], alpha["is_stale"]) == (["blog"], False)
    assert (bravo["capacity"], bravo["is_stale"]) == (None, True)
    assert api("viewer").get("/hosts/alpha").json == alpha
    assert api("viewer").get("/hosts/nowhere").status_code == 404


def test_lists_come_in_pages(api) -> None:
    client = api("operator")
    for number in range(3):
        client.post("/projects", {"name": f"shop-{number}", "host": "bravo"})
    first = client.get("/projects?limit=3").json
    assert ([item["name"] for item in first["items"]], first["next"]) == (["blog", "shop-0", "shop-1"], "shop-1")
    rest = client.get("/projects?after=shop-1").json
    assert ([item["name"] for item in rest["items"]], rest["next"]) == (["shop-2"], None)
    newest = client.get("/runs?limit=2").json
    assert ([run["id"] for run in newest["items"]], newest["next"]) == ([3, 2], 2)
    assert [run["id"] for run in client.get("/runs?before=2").json["items"]] == [1]
    assert client.get("/runs?limit=0").status_code == 422


def test_slip_in_an_address_does_nothing(api, core) -> None:
    answer = api("operator").post("/projects/blog/pause?chekc=true")
    assert (answer.status_code, "chekc" in answer.json["detail"]) == (422, True)
    assert core.runs.page() == []


def test_run_is_followed_and_cancelled(api, executor) -> None:
    client = api("operator")
    client.post("/projects/blog/apply")
    assert client.post("/runs/1/again").status_code == 409
    executor.work()
    events = client.get("/runs/1/events").json
    assert [(event["status"], event["host"]) for event in events["items"]] == [("started", ""), ("changed", "alpha")]
    assert events["items"][1]["text"]
    assert (events["state"], client.get(f"/runs/1/events?after={events['next']}").json["items"]) == ("succeeded", [])
    assert client.post("/runs/1/again").json["again_of"] == 1
    assert client.post("/runs/2/cancel").json["state"] == "cancelled"
    assert client.post("/runs/2/cancel").status_code == 409


def test_audit_names_person_and_token(api) -> None:
    api("operator").post("/projects/blog/pause")
    found = api("admin").get("/audit?target=blog").json["items"]
    assert [(entry["actor"], entry["action"], entry["run_id"]) for entry in found] == [("operator (tests)", "pause", 1)]


def test_errors_are_problems_also_where_nothing_answers(api) -> None:
    client = api("viewer")
    for path, method, status in (("/nothing", "get", 404), ("/hosts", "post", 405), ("/runs/9", "get", 404)):
        answer = getattr(client, method)(path)
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), path
    assert "GET" in client.post("/hosts").headers["Allow"]
