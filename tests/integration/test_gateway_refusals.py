"""What the gateway refuses, it refuses itself: with a JSON body that a page may read, and nothing wakes."""

import pytest
from fleet.content import mark
from fleet.services import processes

REST, AUTH, META, ROOT, PUBLIC = "/rest/v1/marks", "/auth/v1/settings", "/pg/tables", "/rest/v1/", "/auth/v1/authorize"


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def refusals(own, foreign):
    """Returns label: (path, headers, status, code) for requests to `own`, with keys of the project `foreign` too."""
    anon, service = own.anon_key, own.service_role_key
    return {
        "no key": (REST, {}, 401, "missing_key"),
        "no key for auth": (AUTH, {}, 401, "missing_key"),
        "no key for meta": (META, {}, 401, "missing_key"),
        "empty key": (REST, {"apikey": ""}, 401, "missing_key"),
        "other scheme than Bearer": (REST, {"Authorization": f"Basic {anon}"}, 401, "missing_key"),
        "foreign anon key": (REST, {"apikey": foreign.anon_key}, 401, "wrong_key"),
        "foreign service key": (REST, {"apikey": foreign.service_role_key}, 401, "wrong_key"),
        "foreign service key for meta": (META, {"apikey": foreign.service_role_key}, 401, "wrong_key"),
        "foreign key for auth": (AUTH, {"apikey": foreign.anon_key}, 401, "wrong_key"),
        "foreign key as Bearer": (REST, bearer(foreign.anon_key), 401, "wrong_key"),
        "foreign key in the query": (f"{REST}?apikey={foreign.anon_key}", {}, 401, "wrong_key"),
        "key twice in the query": (f"{REST}?apikey={anon}&select=*&APIKEY={anon}", {}, 400, "several_keys"),
        "key twice beside a header": (f"{REST}?apikey={anon}&apikey={anon}", {"apikey": anon}, 400, "several_keys"),
        "key twice where none is needed": (f"{PUBLIC}?apikey={anon}&apikey={anon}", {}, 400, "several_keys"),
        "foreign key beside an own Bearer": (REST, {"apikey": foreign.anon_key, **bearer(anon)}, 401, "wrong_key"),
        "swapped case": (REST, {"apikey": anon.swapcase()}, 401, "wrong_key"),
        "lower case": (REST, {"apikey": anon.lower()}, 401, "wrong_key"),
        "service key in other case": (META, {"apikey": service.swapcase()}, 401, "wrong_key"),
        "a beginning of the key": (REST, {"apikey": anon[:-1]}, 401, "wrong_key"),
        "more than the key": (REST, {"apikey": f"{anon}x"}, 401, "wrong_key"),
        "two keys": (REST, {"apikey": f"{anon} {anon}"}, 401, "wrong_key"),
        "a pattern": (REST, {"apikey": ".*"}, 401, "wrong_key"),
        "anon key for meta": (META, {"apikey": anon}, 403, "service_key_needed"),
        "anon key for the description": (ROOT, {"apikey": anon}, 403, "service_key_needed"),
        "unknown route": ("/realtime/v1/websocket", {"apikey": anon}, 404, "unknown_route"),
        "no route": ("/", {"apikey": anon}, 404, "unknown_route"),
    }


LABELS = list(refusals(*[type("Keys", (), {"anon_key": "a", "service_role_key": "s"})] * 2))


@pytest.mark.parametrize("label", LABELS)
def test_refusal_tells_why_and_wakes_nothing(gateway, fleet, sleeper, label):
    path, headers, status, code = refusals(sleeper, fleet.project("one"))[label]
    answer = gateway.ask(sleeper, path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["message"]
    assert processes(fleet, sleeper) == []


@pytest.mark.parametrize("headers", [{}, {"X-Project-Id": "nobody"}, {"Host": "nobody.localhost"}])
def test_unknown_project_is_refused_whatever_the_key(gateway, fleet, headers):
    for key in (None, fleet.project("one").service_role_key):
        keys = {"apikey": key} if key else {}
        answer = gateway.client.get(f"http://{gateway.address('trixie')}{REST}", headers={**headers, **keys})
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_project")


@pytest.mark.parametrize("path", [REST, AUTH, META])
def test_paused_project_says_so_and_stays_down(gateway, fleet, path):
    parked = fleet.project("parked")
    for key in (None, parked.anon_key, parked.service_role_key):
        answer = gateway.ask(parked, path, key=key)
        assert (answer.status_code, answer.json()["code"]) == (503, "project_paused")
    assert processes(fleet, parked) == []


def test_body_that_is_too_large_wakes_nothing(gateway, fleet, sleeper):
    answer = gateway.ask(sleeper, REST, key=sleeper.anon_key, method="POST", content=bytes(51 * 2**20))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert processes(fleet, sleeper) == []


def test_right_key_wakes_a_sleeper(gateway, fleet, sleeper):
    assert mark(gateway, sleeper) == sleeper.name
    assert any("postgrest" in line for line in processes(fleet, sleeper))
    assert not any("auth serve" in line for line in processes(fleet, sleeper))


def test_status_and_preflight_wake_nothing(gateway, fleet, sleeper):
    fleet.on(sleeper.host, f"systemctl status 'berth-*@{sleeper.name}.*'", check=False)
    for path in (REST, AUTH):
        assert gateway.ask(sleeper, path, method="OPTIONS").status_code == 204
    assert processes(fleet, sleeper) == []
