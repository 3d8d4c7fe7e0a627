"""Where a key may stand in a request, and what each key may do."""

import pytest

MARKS = "/rest/v1/marks"
QUERIES = {
    "alone": "apikey={key}",
    "first": "apikey={key}&select=project&limit=1",
    "last": "select=project&limit=1&apikey={key}",
    "in the middle": "select=project&apikey={key}&limit=1",
    "beside a filter named like it": "select=project&apikey={key}&project=neq.apikey",
}


@pytest.fixture
def one(fleet):
    return fleet.project("one")


@pytest.mark.parametrize("place", QUERIES)
def test_key_in_the_query_opens_and_is_no_filter(gateway, one, place):
    answer = gateway.ask(one, f"{MARKS}?{QUERIES[place].format(key=one.anon_key)}")
    assert (answer.status_code, answer.json()) == (200, [{"project": "one"}])


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_key_as_bearer_token_opens(gateway, one, scheme):
    answer = gateway.ask(one, MARKS, headers={"Authorization": f"{scheme} {one.anon_key}"})
    assert (answer.status_code, answer.json()) == (200, [{"project": "one"}])


@pytest.mark.parametrize("name", ["apikey", "ApiKey"])
def test_key_in_the_header_opens(gateway, one, name):
    answer = gateway.ask(one, MARKS, headers={name: one.anon_key})
    assert (answer.status_code, answer.json()) == (200, [{"project": "one"}])


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_role_of_the_key_is_the_role_in_the_database(gateway, one, role):
    key = {"anon": one.anon_key, "service_role": one.service_role_key}[role]
    assert gateway.ask(one, "/rest/v1/rpc/whoami", key=key).json()["role"] == role


def test_header_wins_over_query_and_bearer(gateway, fleet, one):
    foreign = fleet.project("two-words").anon_key
    right = gateway.ask(one, f"{MARKS}?apikey={foreign}", key=one.anon_key)
    wrong = gateway.ask(one, f"{MARKS}?apikey={one.anon_key}", key=foreign)
    assert (right.status_code, wrong.status_code) == (200, 401)


@pytest.mark.parametrize("place", ["header", "query"])
def test_user_token_as_bearer_beside_the_anon_key_is_the_user(gateway, one, token, place):
    query, key = ("", one.anon_key) if place == "header" else (f"?apikey={one.anon_key}", None)
    bearer = {"Authorization": f"Bearer {token('one')}"}
    who = gateway.ask(one, f"/rest/v1/rpc/whoami{query}", key=key, headers=bearer).json()
    user = gateway.ask(one, f"/auth/v1/user{query}", key=key, headers=bearer).json()
    assert who == {"uid": user["id"], "role": "authenticated"}


def test_user_token_alone_is_no_key(gateway, one, token):
    answer = gateway.ask(one, MARKS, headers={"Authorization": f"Bearer {token('one')}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_key")


@pytest.mark.parametrize(
    ("path", "opens"), [("/rest/v1/", True), ("/pg/schemas", True), ("/rest/v1/?select=a", True), ("/pg/", False)]
)
def test_description_of_the_api_and_meta_are_for_the_service_key_alone(gateway, one, path, opens):
    refused = gateway.ask(one, path, key=one.anon_key)
    assert (refused.status_code, refused.json()["code"]) == (403, "service_key_needed")
    answer = gateway.ask(one, path, key=one.service_role_key)
    assert answer.status_code == 200 if opens else answer.status_code != 403


@pytest.mark.parametrize("path", ["//rest/v1/", "/rest//v1/", "/rest/v1//", "/rest/v1/.", "/rest/./v1/", "/%72est/v1/"])
def test_description_of_the_api_has_no_other_address(gateway, one, path):
    key = [("apikey", one.anon_key), ("X-Project-Id", "one"), ("Host", "x")]
    refused = gateway.raw(one.host, path, key)
    assert "swagger" not in refused.body, path
    key[0] = ("apikey", one.service_role_key)
    assert "swagger" in gateway.raw(one.host, "/rest/v1/", key).body


def test_links_in_mails_need_no_key(gateway, one):
    answer = gateway.ask(one, "/auth/v1/verify?token=unknown&type=signup", follow_redirects=False)
    assert answer.status_code in (302, 303), answer.text
