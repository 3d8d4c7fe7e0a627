"""Domain, path and header are three equal ways to name a project, and all that name it must agree."""

import httpx
import pytest
from fleet.content import mail, mark
from fleet.gateway import ways

CASES = [(name, way) for name in ("one", "two-words", "three") for way in ways(name)]


@pytest.mark.parametrize(("name", "way"), CASES)
def test_rest_answers_for_the_named_project(gateway, fleet, name, way):
    assert mark(gateway, fleet.project(name), way=way) == name


@pytest.mark.parametrize(("name", "way"), CASES)
def test_auth_answers_for_the_named_project(gateway, fleet, name, way):
    project = fleet.project(name)
    answer = gateway.ask(project, "/auth/v1/admin/users", key=project.service_role_key, way=way)
    assert [user["email"] for user in answer.json()["users"] if user["email"].startswith("mark@")] == [mail(project)]


@pytest.mark.parametrize(("name", "way"), CASES)
def test_meta_answers_for_the_named_project(gateway, fleet, name, way):
    project = fleet.project(name)
    query = {"query": "SELECT project FROM public.marks"}
    answer = gateway.ask(project, "/pg/query", key=project.service_role_key, way=way, method="POST", json=query)
    assert (answer.status_code, answer.json()) == (200, [{"project": name}])


@pytest.mark.parametrize("host", ["www.one.localhost", "ONE.LocalHost", "one.localhost:8021", "one.localhost."])
def test_a_domain_is_known_in_every_form_of_it(gateway, fleet, host):
    assert mark(gateway, fleet.project("one"), way="domain", headers={"Host": host}) == "one"


@pytest.mark.parametrize("name", ["one", "three", "twelve"])
def test_every_address_works_as_it_is_listed(gateway, fleet, name):
    project = fleet.project(name)
    for url in project.urls:
        answer = httpx.get(f"{url}/rest/v1/marks", headers={"apikey": project.anon_key}, timeout=30)
        assert (url, answer.json()) == (url, [{"project": name}])


DISAGREEING = {
    "domain and header": ("domain", {"X-Project-Id": "two-words"}),
    "domain and header without such a project": ("domain", {"X-Project-Id": "nobody"}),
    "domain and malformed header": ("domain", {"X-Project-Id": "../one"}),
    "path and header": ("path", {"X-Project-Id": "two-words"}),
    "path and domain": ("path", {"Host": "two-words.localhost"}),
    "path and header against the domain": ("path", {"X-Project-Id": "one", "Host": "two-words.localhost"}),
    "path and domain against the header": ("path", {"X-Project-Id": "two-words", "Host": "one.localhost"}),
    "header and domain": ("header", {"Host": "two-words.localhost"}),
    "one header twice": ("path", {"X-Project-Id": "one, two-words"}),
    "a beginning of the name": ("path", {"X-Project-Id": "on"}),
    "more than the name": ("path", {"X-Project-Id": "one1"}),
}


@pytest.mark.parametrize("case", DISAGREEING)
@pytest.mark.parametrize("service", ["/rest/v1/marks", "/auth/v1/settings", "/pg/tables"])
def test_names_that_disagree_are_no_project(gateway, fleet, case, service):
    one, (way, headers) = fleet.project("one"), DISAGREEING[case]
    answer = gateway.ask(one, service, key=one.service_role_key, way=way, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_project")


def test_names_that_agree_are_the_project(gateway, fleet):
    headers = {"Host": "one.localhost", "X-Project-Id": "one"}
    assert mark(gateway, fleet.project("one"), way="path", headers=headers) == "one"
