"""Keys and tokens of one project open nothing of another, for every ordered pair of projects of one host."""

import base64
import json

import pytest
from fleet.content import mark
from fleet.gateway import ways
from fleet.pairs import NAMES, pairs

ROUTES = {"rest": "/rest/v1/marks", "auth": "/auth/v1/admin/users", "meta": "/pg/schemas"}


@pytest.fixture(params=pairs())
def pair(fleet, request):
    """Give the attacking and the attacked project."""
    return tuple(fleet.project(name) for name in request.param)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("service", ROUTES)
def test_keys_of_one_are_refused_by_another(gateway, pair, service):
    mine, theirs = pair
    path = ROUTES[service]
    for way in ways(theirs.name):
        for key in (mine.anon_key, mine.service_role_key):
            for arguments in ({"key": key}, {"headers": bearer(key)}, {"params": {"apikey": key}}):
                answer = gateway.ask(theirs, path, way=way, **arguments)
                assert (way, answer.status_code, answer.json()["code"]) == (way, 401, "wrong_key")
        assert gateway.ask(theirs, path, key=theirs.service_role_key, way=way).status_code == 200


def unsigned(role):
    """Returns a token that says the role and bears no signature."""
    parts = [{"alg": "none", "typ": "JWT"}, {"role": role, "iss": "supabase", "exp": 4_000_000_000}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."


def test_tokens_of_one_beside_the_key_of_another_are_refused(gateway, pair, token):
    mine, theirs = pair
    forged = {"user": token(mine.name), "service key": mine.service_role_key, "unsigned": unsigned("service_role")}
    for kind, foreign in forged.items():
        for way in ways(theirs.name):
            for service, path in {**ROUTES, "auth": "/auth/v1/user"}.items():
                arguments = {"key": theirs.anon_key, "way": way, "headers": bearer(foreign)}
                answer = gateway.ask(theirs, path, **arguments)
                assert answer.status_code in (401, 403), (kind, service, way, answer.text)
            admin = gateway.ask(theirs, ROUTES["auth"], **arguments)
            assert admin.status_code in (401, 403), (kind, way, admin.text)


@pytest.mark.parametrize("name", NAMES)
def test_own_tokens_beside_the_own_key_are_taken(gateway, fleet, token, name):
    project = fleet.project(name)
    user = {"key": project.anon_key, "headers": bearer(token(name))}
    assert mark(gateway, project, headers=bearer(token(name))) == name
    assert gateway.ask(project, "/auth/v1/user", **user).status_code == 200
    service = {"key": project.anon_key, "headers": bearer(project.service_role_key)}
    assert gateway.ask(project, ROUTES["auth"], **service).status_code == 200


def test_keys_of_all_projects_differ(fleet):
    values = [value for p in fleet.projects.values() for value in (p.anon_key, p.service_role_key, p.db_url)]
    assert len(set(values)) == 3 * len(fleet.projects)
