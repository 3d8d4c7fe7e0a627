"""Who may do what with the HTTP API: every route with every scope and every role."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from webui.models import Token, now
from webui.roles import ROLES
from webui.services.audit import Actor
from webui.services.tokens import SCOPES

# for each route: the scope, the lowest role, and the lowest role for the project alone (None: that is not enough)
ROUTES = {
    "GET /projects": ("read", "member", "member"),
    "POST /projects": ("write", "operator", None),
    "GET /projects/blog": ("read", "viewer", "viewer"),
    "PATCH /projects/blog": ("write", "operator", "operator"),
    "DELETE /projects/blog": ("write", "operator", "operator"),
    "POST /projects/blog/pause": ("write", "operator", "operator"),
    "POST /projects/blog/resume": ("write", "operator", "operator"),
    "POST /projects/blog/domains": ("write", "operator", "operator"),
    "POST /projects/blog/apply": ("write", "operator", "operator"),
    "GET /projects/blog/keys": ("keys", "operator", "operator"),
    "GET /projects/blog/key-usage": ("read", "operator", "operator"),
    "POST /projects/blog/key-usage": ("write", "operator", "operator"),
    "POST /projects/blog/rotate": ("write", "operator", "operator"),
    "GET /projects/blog/conversion": ("read", "operator", "operator"),
    "POST /projects/blog/conversion": ("write", "operator", "operator"),
    "GET /projects/blog/isolation-proof": ("read", "viewer", "viewer"),
    "POST /projects/blog/isolation-proof": ("write", "operator", "operator"),
    "GET /doctor": ("read", "viewer", None),
    "POST /doctor/examine": ("admin", "admin", None),
    "POST /doctor/repair": ("admin", "admin", None),
    "POST /apply": ("admin", "admin", None),
    "GET /hosts": ("read", "viewer", None),
    "GET /hosts/alpha": ("read", "viewer", None),
    "GET /runs": ("read", "member", "member"),
    "GET /runs/1": ("read", "viewer", "viewer"),
    "GET /runs/1/events": ("read", "viewer", "viewer"),
    "POST /runs/1/cancel": ("write", "operator", "operator"),
    "POST /runs/1/again": ("write", "operator", "operator"),
    "POST /runs/1/carry-out": ("write", "operator", "operator"),
    "GET /audit": ("admin", "admin", None),
    "GET /token": ("read", "member", "member"),
    "GET /people": ("people", "admin", None),
    "POST /people": ("people", "admin", None),
    "GET /people/first": ("people", "admin", None),
    "PATCH /people/first": ("people", "admin", None),
    "POST /people/first/link": ("people", "admin", None),
    "GET /tokens": ("people", "member", "member"),
    "DELETE /tokens/1": ("people", "member", "member"),  # the own one, so it comes last
}
PAGE = Path(__file__).parents[3] / "docs/api.md"
REFUSED = (401, 403, 404)
BODIES = {"POST /projects": {"name": "shop", "host": "nowhere"}, "POST /projects/blog/domains": {"remove": ["no"]}}


@pytest.fixture
def call(core, api):
    """A function that sends the request of a route; run 1 is over and of blog."""
    run = api("admin", "first").post("/projects/blog/apply").json["id"]
    api("admin", "first").post(f"/runs/{run}/cancel")

    def send(client, route: str):
        method, path = route.split()
        if path == "/tokens/1":
            path = f"/tokens/{core.tokens.bearer(client.headers['Authorization'].split()[1]).token.id}"
        body = {"json": BODIES.get(route, {})} if method in ("POST", "PATCH") else {}
        return client.client.open(f"/api/v1{path}", method=method, headers=client.headers, **body)

    return send


def test_every_route_is_in_the_table(app) -> None:
    found = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.document":
            path = example(rule.rule.removeprefix("/api/v1").replace("<name>", "NAME").replace("<int:id>", "ID"))
            found |= {f"{method} {path}" for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert found == set(ROUTES)


def test_page_has_the_table() -> None:
    rows = re.findall(r"^\| `(\w+ \S+)` \| (\w+) \| (\w+) \|$", PAGE.read_text(), re.MULTILINE)
    told = {example(route): (scope, role) for route, scope, role in rows}
    assert told == {route: (scope, role) for route, (scope, role, _) in ROUTES.items()}


def example(route: str) -> str:
    """A route with a name and a number that there are."""
    for kind, name in (("projects", "blog"), ("hosts", "alpha"), ("people", "first")):
        route = route.replace(f"{kind}/NAME", f"{kind}/{name}")
    return route.replace("ID", "1")


@pytest.mark.parametrize("scope", SCOPES)
def test_token_opens_what_its_scope_is_for_and_nothing_else(api, call, scope: str) -> None:
    client = api("admin", scopes=[scope])
    for route, (needed, _, _) in ROUTES.items():
        answer = call(client, route)
        if needed == scope:
            assert answer.status_code not in REFUSED, route
        else:
            assert answer.status_code == 403, route
            assert answer.json["detail"] == f"this needs the scope {needed}; the token has {scope}"


@pytest.mark.parametrize("role", ROLES)
def test_role_of_the_owner_counts(api, call, role: str) -> None:
    everywhere, granted = api(role), api("member", "granted", grants={"blog": role})
    for route, (_, needed, for_project) in ROUTES.items():
        enough = ROLES.index(role) >= ROLES.index(needed)
        assert (call(everywhere, route).status_code not in REFUSED) is enough, route
        enough = for_project is not None and ROLES.index(role) >= ROLES.index(for_project)
        assert (call(granted, route).status_code not in REFUSED) is enough, f"{route} of a member, {role} of blog"


def test_member_sees_only_the_own_projects(api) -> None:
    admin = api("admin")
    admin.post("/projects", {"name": "shop", "host": "alpha"})
    admin.post("/projects/blog/pause")
    client = api("member", grants={"blog": "viewer"})
    assert [item["name"] for item in client.get("/projects").json["items"]] == ["blog"]
    assert [run["project"] for run in client.get("/runs").json["items"]] == ["blog"]
    assert client.get("/projects/shop").status_code == client.get("/projects/none").status_code == 404
    assert client.get("/runs?project=shop").status_code == client.get("/runs/1").status_code == 404
    assert client.post("/projects/blog/resume").status_code == 403


def test_only_a_bearer_token_opens_the_api(api, person, core) -> None:
    browser = person("admin")
    assert browser.get("/").status_code == 200
    answer = browser.get("/api/v1/projects")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    for header in ("", "Bearer", "Bearer nothing", "Basic YTpi"):
        assert browser.get("/api/v1/projects", headers={"Authorization": header}).status_code == 401
    client = api("viewer")
    assert client.get("/projects").status_code == 200
    assert client.client.get("/projects", headers=client.headers).status_code == 302, "and opens no page"


def test_token_ends_with_its_days_its_owner_and_when_revoked(api, core) -> None:
    client, other, third = api("viewer"), api("operator"), api("admin")
    with core.db.begin() as session:
        session.execute(update(Token).where(Token.id == 1).values(expires_at=now() - timedelta(seconds=1)))
    assert client.get("/token").status_code == 401
    assert other.get("/token").status_code == 200
    core.tokens.revoke(Actor("tests", "shell"), 3)
    assert third.get("/token").status_code == 401
    core.accounts.change(Actor("tests", "shell"), 2, "operator", active=False)
    assert other.get("/token").status_code == 401


def test_document_is_open_and_needs_nothing(browser) -> None:
    document = browser.get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    described = {f"{method.upper()} {path}" for path, each in document["paths"].items() for method in each}
    assert len(described) == len(ROUTES)
