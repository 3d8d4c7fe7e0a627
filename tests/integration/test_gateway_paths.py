"""However a path or a name is written: an answer with rows is always of the project whose key was sent."""

import pytest

ONE, TWO = "one", "two-words"
PLAIN = ["/projects/{name}/rest/v1/marks", "//projects/{name}//rest/v1/marks", "/x/../projects/{name}/rest/v1/marks"]
TRICKS = [
    "/projects/one%2F..%2Ftwo-words/rest/v1/marks",
    "/projects/two-words%2F..%2Fone/rest/v1/marks",
    "/projects/two%2Dwords/rest/v1/marks",
    "/projects/%74wo-words/rest/v1/marks",
    "/projects%2Ftwo-words%2Frest%2Fv1%2Fmarks",
    "/projects/one/../two-words/rest/v1/marks",
    "/projects/one/%2e%2e/two-words/rest/v1/marks",
    "/projects/one/..%2ftwo-words/rest/v1/marks",
    "/projects/one/rest/v1/../../../two-words/rest/v1/marks",
    "/projects/two-words/rest/v1/../../../one/rest/v1/marks",
    "/projects/one/projects/two-words/rest/v1/marks",
    "/projects/two-words/projects/one/rest/v1/marks",
    "/projects//two-words/rest/v1/marks",
    "/projects/./two-words/rest/v1/marks",
    "/projects/two-words/rest/v1/marks/",
    "/projects/two-words/rest/v1/marks%00",
    "/projects/two-words/rest/v1/marks?x=/projects/one/",
    "/projects/two-words/rest/v1/marks#/projects/one/",
    "/projects/one?/projects/two-words/rest/v1/marks",
    "http://two-words.localhost/rest/v1/marks",
    "http://one.localhost/projects/two-words/rest/v1/marks",
    "/rest/v1/marks",
    "/rest/v1/../../projects/two-words/rest/v1/marks",
    "/auth/v1/../../rest/v1/marks",
    "/auth/v1/..%2f..%2frest/v1/marks",
    "/pg/../rest/v1/marks",
]
NO_PROJECT = [
    "/PROJECTS/two-words/rest/v1/marks",
    "/projects/Two-Words/rest/v1/marks",
    "/projects/TWO-WORDS/rest/v1/marks",
    "/projects/two_words/rest/v1/marks",
    "/projects/two-words;x=1/rest/v1/marks",
    "/projects/two-words%00/rest/v1/marks",
    "/projects/two-words%20/rest/v1/marks",
    "/projects/two-words%0A/rest/v1/marks",
    "/projects/two-words./rest/v1/marks",
    "/projects/two-words.localhost/rest/v1/marks",
    "/projects/two-words%7C/rest/v1/marks",
    "/projects/|two-words/rest/v1/marks",
    "/projects/two-words|two-words/rest/v1/marks",
    "/projects/two-words|one/rest/v1/marks",
    "/projects/two-wordsx/rest/v1/marks",
    "/projects/two-word/rest/v1/marks",
    f"/projects/{'two-words' * 5}/rest/v1/marks",
    f"/projects/{'a' * 25}/rest/v1/marks",
    f"/projects/{'a' * 4000}/rest/v1/marks",
    "/projects/../etc/rest/v1/marks",
    "/projects/%24berth_project/rest/v1/marks",
]
HEADERS = ["TWO-WORDS", "two-words,one", "one,two-words", "one|two-words", "|two-words", "two-words|", "../two-words"]


def ask(gateway, fleet, target, sender, host="x", *headers):
    key = ("apikey", fleet.project(sender).anon_key)
    return gateway.raw("trixie", target, [("Host", host), key, *headers])


@pytest.mark.parametrize("name", [ONE, TWO])
@pytest.mark.parametrize("target", PLAIN)
def test_plain_path_leads_to_the_project(gateway, fleet, target, name):
    answer = ask(gateway, fleet, target.format(name=name), name)
    assert (answer.status, answer.body) == (200, f'[{{"project":"{name}"}}]')


@pytest.mark.parametrize("sender", [ONE, TWO])
@pytest.mark.parametrize("host", ["x", "one.localhost", "two-words.localhost"])
@pytest.mark.parametrize("target", TRICKS)
def test_rows_are_of_the_project_of_the_key(gateway, fleet, target, host, sender):
    answer = ask(gateway, fleet, target, sender, host)
    if answer.status == 200:
        assert answer.body == f'[{{"project":"{sender}"}}]'
    else:
        assert answer.status in (400, 401, 404), answer
        assert '"project"' not in answer.body


@pytest.mark.parametrize("target", NO_PROJECT)
def test_name_that_is_not_the_very_one_is_no_project(gateway, fleet, target):
    answer = ask(gateway, fleet, target, TWO)
    assert answer.status in (400, 404), answer
    assert '"project"' not in answer.body


@pytest.mark.parametrize("value", HEADERS)
def test_header_that_is_not_the_very_name_is_no_project(gateway, fleet, value):
    answer = ask(gateway, fleet, "/rest/v1/marks", TWO, "x", ("X-Project-Id", value))
    assert (answer.status, "unknown_project" in answer.body) == (404, True)


def test_two_headers_that_name_two_projects_are_no_project(gateway, fleet):
    for names in ((ONE, TWO), (TWO, ONE), (TWO, TWO)):
        headers = [("X-Project-Id", name) for name in names]
        assert ask(gateway, fleet, "/rest/v1/marks", TWO, "x", *headers).status == 404


def test_header_of_another_project_on_a_domain_is_refused(gateway, fleet):
    for sender in (ONE, TWO):
        for name, host in ((TWO, "one.localhost"), (ONE, "two-words.localhost")):
            assert ask(gateway, fleet, "/rest/v1/marks", sender, host, ("X-Project-Id", name)).status == 404
