"""Who gets where: every address of tests/routes.py, walked by people of every role."""

import re
from pathlib import Path

import pytest
from routes import FORBIDDEN, HIDDEN, LOG_IN, OK, PEOPLE, ROUTES, expected
from werkzeug.test import TestResponse

from webui.core import Core
from webui.services.audit import Actor
from webui.services.runs import Order

SHOP = "name: shop\nnumber: 2\nhost: bravo\narchitecture: shared\n"
FIELDS = {"POST /projects/<name>/domains": {"add": "www.example.com"}, "POST /users/<int:user_id>": {"role": "viewer"}}


@pytest.fixture
def values(core: Core, inventory: Path, tmp_path: Path) -> dict[str, str]:
    """What stands in place of the variable parts of addresses; runs 1, 2 and 3 are over: of blog, shop and all."""
    (inventory / "projects/shop.yml").write_text(SHOP)
    (tmp_path / "run.log").write_text("all of it")
    for project in ("blog", "shop", None):
        with core.db.begin() as session:
            core.runs.submit(session, Order("apply", ("alpha",), "project.yml", project), "somebody")
        run = core.runs.claim("worker")
        assert run
        core.runs.finish(run.id, "succeeded", None, {}, str(tmp_path / "run.log"))
    shell = Actor("tests", "shell")
    token = core.accounts.add(shell, "somebody", "admin")
    core.tokens.add(shell, 1, "of somebody", ["read"], None)
    return {
        "token_id": "1",
        "filename": "berth.css",
        "token": token,
        "name": "blog",
        "action": "pause",
        "run_id": "1",
        "user_id": "1",
    }


def path_of(route: str, values: dict[str, str]) -> str:
    """The address with values in it; a host is alpha."""
    known = values | {"name": "alpha"} if "/hosts/" in route else values
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda part: known[part[1]], route.partition(" ")[2])


def call(browser, route: str, values: dict[str, str]) -> TestResponse:
    """Load the page, or send the form."""
    path = path_of(route, values)
    if route.startswith("GET"):
        return browser.get(path)
    return browser.send(path, "/login", intent="plan", **FIELDS.get(route, {}))


def outcome(answer: TestResponse) -> str:
    """What somebody got."""
    if answer.status_code == 302 and answer.headers["location"].startswith("/login"):
        return LOG_IN
    return {403: FORBIDDEN, 404: HIDDEN}.get(answer.status_code, OK)


@pytest.fixture
def enter(person, browser):
    """A function that gives the browser of one of PEOPLE."""

    def as_somebody(who: str):
        role, _, project = who.partition(" of ")
        if who == "nobody":
            return browser
        return person("member", "someone", {project: role}) if project else person(role, "someone")

    return as_somebody


@pytest.mark.parametrize("who", PEOPLE)
def test_everybody_gets_what_the_table_says(enter, values, who: str) -> None:
    mine, got = enter(who), {}
    for route in ROUTES:
        answer = call(mine, route, values)
        assert answer.status_code < 500, route
        answer.close()
        # to log out leads to the login, whoever does
        got[route] = OK if route == "POST /logout" else outcome(answer)
    assert got == {route: expected(route, who) for route in ROUTES}


@pytest.mark.parametrize("who", ["viewer of blog", "operator of blog"])
def test_other_projects_are_hidden_from_who_has_a_role_for_one(enter, values, who: str) -> None:
    mine = enter(who)
    for other in ({"name": "shop"}, {"name": "nowhere"}, {"run_id": "2"}, {"run_id": "3"}, {"run_id": "99"}):
        part = "/projects/<name>" if "name" in other else "<int:run_id>"
        for route in [route for route in ROUTES if part in route]:
            assert outcome(call(mine, route, values | other)) == HIDDEN, (route, other)
    for page in ("/", "/projects", "/runs"):
        assert "shop" not in mine.get(page).text, page


def test_refused_forms_do_nothing(enter, core: Core, values, inventory: Path) -> None:
    before = (inventory / "projects/blog.yml").read_text()
    mine = enter("viewer")
    for route in [route for route in ROUTES if expected(route, "viewer") == FORBIDDEN]:
        call(mine, route, values)
    assert (inventory / "projects/blog.yml").read_text() == before
    assert len(core.runs.page()) == 3
    assert [user.name for user, _ in core.accounts.all()] == ["somebody", "someone"]


def test_form_without_the_token_of_its_page_is_refused(enter, core: Core, values) -> None:
    mine = enter("admin")
    for route in [route for route in ROUTES if route.startswith("POST")]:
        answer = mine.client.post(path_of(route, values), data={"intent": "do"})
        assert (answer.status_code, "too old" in answer.text) == (400, True), route
    assert len(core.runs.page()) == 3


def test_page_of_an_address_that_there_is_not_knows_who_looks_at_it(enter, browser) -> None:
    mine, nobody = enter("viewer").get("/nowhere").text, browser.get("/nowhere").text
    assert ("To the hosts" in mine, 'href="/projects"' in mine) == (True, True)
    assert ("Log in" in nobody, 'href="/projects"' in nobody) == (True, False)


def test_every_answer_has_the_headers_that_browsers_heed(enter, browser) -> None:
    mine = enter("viewer")
    for answer in (mine.get("/"), mine.get("/nowhere"), browser.get("/login"), browser.get("/static/berth.css")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        answer.close()
    assert mine.get("/").headers["Cache-Control"] == "no-store"
