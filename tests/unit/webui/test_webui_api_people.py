"""People and tokens over the HTTP API: added, changed, shut out, listed, revoked."""

import pytest


def test_person_is_added_and_lets_themselves_in_by_the_link(api, app, browser) -> None:
    answer = api("admin").post("/people", {"name": "ada", "role": "viewer", "grants": {"blog": "operator"}})
    assert answer.status_code == 201
    added = answer.json
    assert (added["name"], added["role"], added["grants"]) == ("ada", "viewer", {"blog": "operator"})
    assert (added["active"], added["has_password"], added["last_login_at"]) == (True, False, None)
    path = added["link"].removeprefix("http://127.0.0.1:8080")
    browser.send(path, password="correct horse battery", again="correct horse battery")
    assert browser.get("/projects/blog").status_code == 200
    assert api("admin").get("/people/ada").json["has_password"] is True
    assert "link" not in api("admin").get("/people/ada").json


def test_people_are_listed_in_pages(api) -> None:
    admin = api("admin")
    for name in ("ada", "bob"):
        admin.post("/people", {"name": name, "role": "member"})
    first = admin.get("/people?limit=2").json
    assert ([one["name"] for one in first["items"]], first["next"]) == (["ada", "admin"], "admin")
    rest = admin.get(f"/people?after={first['next']}").json
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["bob"], None)


def test_person_who_is_shut_out_has_no_token_that_opens_anything(api, core) -> None:
    ada = api("operator", "ada")
    assert ada.get("/projects").status_code == 200
    answer = api("admin").patch("/people/ada", {"active": False})
    assert (answer.status_code, answer.json["active"], answer.json["role"]) == (200, False, "operator")
    assert ada.get("/projects").status_code == 401
    api("admin").patch("/people/ada", {"active": True, "role": "viewer"})
    assert ada.get("/projects").status_code == 200
    assert ada.post("/projects/blog/pause").status_code == 403


def test_change_leaves_what_it_does_not_name(api) -> None:
    admin = api("admin")
    admin.post("/people", {"name": "ada", "role": "member", "grants": {"blog": "viewer"}})
    assert admin.patch("/people/ada", {"role": "viewer"}).json["grants"] == {"blog": "viewer"}
    assert admin.patch("/people/ada", {"grants": {}}).json["grants"] == {}


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"name": "admin", "role": "viewer"}, 409, "somebody has already"),
        ({"name": "A", "role": "viewer"}, 400, "allowed: 2 to 64"),
        ({"name": "ada", "role": "root"}, 422, "role"),
        ({"name": "ada", "role": "viewer", "grants": {"Blog": "viewer"}}, 422, "grants"),
    ],
)
def test_slips_are_told_and_add_nobody(api, core, body: dict, status: int, told: str) -> None:
    answer = api("admin").post("/people", body)
    assert (answer.status_code, told in answer.json["detail"]) == (status, True), answer.json
    assert [user.name for user, _ in core.accounts.all()] == ["admin"]


def test_only_admin_stays_and_who_is_not_there_is_not_found(api) -> None:
    admin = api("admin")
    answer = admin.patch("/people/admin", {"active": False})
    assert (answer.status_code, "the only admin" in answer.json["detail"]) == (400, True)
    for answer in (admin.get("/people/nobody"), admin.patch("/people/nobody", {}), admin.post("/people/nobody/link")):
        assert answer.status_code == 404


def test_fresh_link_is_another(api) -> None:
    admin = api("admin")
    first = admin.post("/people", {"name": "ada", "role": "member"}).json["link"]
    answer = admin.post("/people/ada/link")
    assert answer.status_code == 201
    assert answer.json["link"] != first


def test_tokens_are_listed_without_their_texts_and_revoked(api, core) -> None:
    ada, admin = api("member", "ada"), api("admin")
    text = ada.headers["Authorization"].split()[1]
    answer = ada.get("/tokens")
    assert [(one["owner"], one["name"]) for one in answer.json["items"]] == [("ada", "tests")]
    assert text not in answer.text
    assert {one["owner"] for one in admin.get("/tokens").json["items"]} == {"ada", "admin"}
    page = admin.get("/tokens?limit=1").json
    assert (page["items"][0]["owner"], page["next"]) == ("admin", page["items"][0]["id"])
    mine, others = (core.tokens.bearer(one.headers["Authorization"].split()[1]).token.id for one in (ada, admin))
    assert ada.delete(f"/tokens/{others}").status_code == 404
    assert admin.delete(f"/tokens/{mine}").json["owner"] == "ada"
    assert ada.get("/tokens").status_code == 401


def test_who_did_it_is_in_the_audit(api) -> None:
    admin = api("admin")
    admin.post("/people", {"name": "ada", "role": "member"})
    admin.patch("/people/ada", {"role": "viewer"})
    told = [(one["actor"], one["action"]) for one in admin.get("/audit?target=ada").json["items"]]
    assert told == [("admin (tests)", "change user"), ("admin (tests)", "add user")]
