"""A page of another origin may read every answer: exactly one Access-Control-Allow-Origin, errors included."""

import pytest
from fleet.services import put_to_sleep

ORIGIN = {"Origin": "https://shop.example.com"}
REST, AUTH = "/rest/v1/marks", "/auth/v1/settings"
TOO_LARGE = bytes(51 * 2**20)
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "apikey,authorization,content-profile,x-of-mine",
}


def allowed(answer):
    """Returns every Access-Control-Allow-Origin of an answer, not joined."""
    return [value for name, value in answer.headers.multi_items() if name == "access-control-allow-origin"]


ANSWERS = {
    "rest": (200, "one", REST, {}),
    "auth": (200, "one", AUTH, {}),
    "no key": (401, "one", REST, {"key": None}),
    "wrong key": (401, "one", AUTH, {"key": "wrong"}),
    "service key needed": (403, "one", "/rest/v1/", {}),
    "token that is none": (401, "one", REST, {"headers": {"Authorization": "Bearer none"}}),
    "unknown project": (404, "one", REST, {"headers": {"X-Project-Id": "nobody"}}),
    "unknown route": (404, "one", "/nowhere", {}),
    "unknown table": (404, "one", "/rest/v1/nowhere", {}),
    "refused by the database": (400, "one", f"{REST}?project=nonsense.1", {}),
    "refused by auth": (
        400,
        "one",
        "/auth/v1/token?grant_type=password",
        {"method": "POST", "json": {"email": "a@b.c"}},
    ),
    "too large": (413, "one", REST, {"method": "POST", "content": TOO_LARGE}),
    "too long": (414, "one", f"{REST}?project=in.({'x' * 40_000})", {}),
    "malformed": (400, "one", REST, {"headers": {"Host": "bad host"}}),
    "paused": (503, "parked", REST, {}),
}


@pytest.mark.parametrize("label", ANSWERS)
def test_answer_allows_any_origin_once(gateway, fleet, label):
    status, name, path, arguments = ANSWERS[label]
    project = fleet.project(name)
    arguments = {"key": project.anon_key, **arguments, "headers": {**ORIGIN, **arguments.get("headers", {})}}
    answer = gateway.ask(project, path, **arguments)
    assert (answer.status_code, allowed(answer)) == (status, ["*"])


def test_service_that_does_not_answer_is_told_to_the_page(gateway, fleet):
    project = fleet.project("slow-lane")
    socket = "berth-auth-wake@slow-lane.socket"
    put_to_sleep(fleet, project)
    fleet.on(project.host, f"systemctl stop {socket}")
    try:
        answer = gateway.ask(project, AUTH, key=project.anon_key, headers=ORIGIN)
    finally:
        fleet.on(project.host, f"systemctl start {socket}")
    assert (answer.status_code, allowed(answer)) == (503, ["*"])
    assert answer.json()["code"] == "service_unavailable"
    assert gateway.ask(project, AUTH, key=project.anon_key).status_code == 200


@pytest.mark.parametrize("path", [REST, AUTH, "/rest/v1/rpc/whoami", "/auth/v1/token?grant_type=password"])
@pytest.mark.parametrize("way", ["domain", "path", "header"])
def test_preflight_is_answered_before_the_key_check(gateway, fleet, path, way):
    answer = gateway.ask(fleet.project("one"), path, way=way, method="OPTIONS", headers=PREFLIGHT)
    assert (answer.status_code, answer.content, allowed(answer)) == (204, b"", ["*"])
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert "access-control-allow-credentials" not in answer.headers


def test_page_may_read_the_headers_that_clients_need(gateway, fleet):
    project = fleet.project("one")
    answer = gateway.ask(project, REST, key=project.anon_key, headers={**ORIGIN, "Prefer": "count=exact"})
    assert "content-range" in answer.headers
    assert "Content-Range" in answer.headers["access-control-expose-headers"]


META = {
    "answer": (200, "service_role_key", {}),
    "no key": (401, None, {}),
    "anon key": (403, "anon_key", {}),
    "too large": (413, "service_role_key", {"method": "POST", "content": TOO_LARGE}),
    "preflight": (401, None, {"method": "OPTIONS", "headers": PREFLIGHT}),
    "unknown project": (404, "service_role_key", {"headers": {"X-Project-Id": "nobody"}}),
}


@pytest.mark.parametrize("label", META)
def test_meta_is_not_for_pages(gateway, fleet, label):
    project = fleet.project("one")
    status, key, arguments = META[label]
    arguments = {**arguments, "headers": {**ORIGIN, **arguments.get("headers", {})}}
    answer = gateway.ask(project, "/pg/schemas", key=key and getattr(project, key), **arguments)
    assert (answer.status_code, allowed(answer)) == (status, [])
    assert not [name for name in answer.headers if name.startswith("access-control-")]
