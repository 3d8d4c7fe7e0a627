"""Each project has its own requests per second; nobody's haste slows another."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from fleet.content import mark
from fleet.services import processes, put_to_sleep

ALLOWED_AT_ONCE = 2 * 2 + 1  # burst factor times requests per second, and the one under way


def hurry(gateway, project, times, **arguments):
    """Returns the answers to requests that are sent as fast as they can be."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: gateway.ask(project, "/auth/v1/settings", **arguments), range(times)))


def test_too_many_requests_are_refused_and_others_are_not_touched(gateway, fleet):
    slow, one = fleet.project("slow-lane"), fleet.project("one")
    gateway.ask(slow, "/auth/v1/settings", key=slow.anon_key)
    answers = hurry(gateway, slow, 40, key=slow.anon_key)
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}
    assert statuses[429] > 40 - 2 * ALLOWED_AT_ONCE
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "too_many_requests"
    assert refused.headers.get_list("access-control-allow-origin") == ["*"]
    assert {answer.status_code for answer in hurry(gateway, one, 40, key=one.anon_key)} == {200}
    assert mark(gateway, one) == "one"


def test_strangers_do_not_use_up_the_requests_of_a_project(gateway, fleet):
    slow, one = fleet.project("slow-lane"), fleet.project("one")
    put_to_sleep(fleet, slow)
    strangers = hurry(gateway, slow, 40, key=one.anon_key)
    assert {answer.status_code for answer in strangers} == {401}
    assert processes(fleet, slow) == []


def test_body_of_allowed_size_is_taken(gateway, fleet):
    one = fleet.project("one")
    body = {"project": "one", "padding": "x" * (4 * 2**20)}
    answer = gateway.ask(one, "/rest/v1/marks", key=one.anon_key, method="POST", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST204")


def test_body_that_is_too_large_is_refused(gateway, fleet):
    one = fleet.project("one")
    answer = gateway.ask(one, "/rest/v1/marks", key=one.anon_key, method="POST", content=bytes(51 * 2**20))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
