"""Requests that come twice: idempotency keys, two people who want the same name."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import update

from webui.models import Answer, now

KEY = "Idempotency-Key"
SHOP = {"name": "shop", "host": "alpha"}


def test_request_sent_again_gets_its_answer_and_does_nothing(api, core) -> None:
    client = api("operator")
    first = client.post("/projects", SHOP, **{KEY: "one"})
    again = client.post("/projects", SHOP, **{KEY: "one"})
    assert (first.status_code, again.status_code, again.json) == (202, 202, first.json)
    assert len(core.runs.page()) == 1


def test_key_belongs_to_one_request_of_one_person(api) -> None:
    api("operator").post("/projects", SHOP, **{KEY: "one"})
    other = api("operator").post("/projects", SHOP | {"name": "other"}, **{KEY: "one"})
    assert (other.status_code, "take a fresh one" in other.json["detail"]) == (409, True)
    assert api("admin").post("/projects", SHOP | {"name": "other"}, **{KEY: "one"}).status_code == 202


def test_refused_request_may_be_corrected_and_sent_again(api) -> None:
    client = api("operator")
    assert client.post("/projects", SHOP | {"host": "nowhere"}, **{KEY: "one"}).status_code == 400
    assert client.post("/projects", SHOP, **{KEY: "one"}).status_code == 202


def test_key_of_a_process_that_died_is_free_after_minutes_and_an_answer_after_a_day(api, core) -> None:
    client = api("operator")
    client.post("/projects/blog/pause", **{KEY: "one"})

    def grow_old(age: timedelta, **values: object) -> None:
        with core.db.begin() as session:
            session.execute(update(Answer).values(at=now() - age, **values))

    grow_old(timedelta(seconds=1), status=0)
    assert "worked on" in client.post("/projects/blog/pause", **{KEY: "one"}).json["detail"]
    grow_old(timedelta(minutes=3))
    assert client.post("/projects/blog/pause", **{KEY: "one"}).json["id"] == 2
    grow_old(timedelta(hours=25))
    assert client.post("/projects/blog/pause", **{KEY: "one"}).json["id"] == 3


@pytest.mark.parametrize("length", [0, 129])
def test_key_of_a_wrong_length_is_refused(api, length: int) -> None:
    answer = api("operator").post("/projects/blog/pause", **{KEY: "k" * length})
    assert (answer.status_code, "allowed: 1 to 128" in answer.json["detail"]) == (400, True)


@pytest.mark.parametrize("keys", [{KEY: "same"}, {}], ids=["same key", "two people"])
def test_of_many_at_once_one_adds_the_project(api, app, core, keys: dict) -> None:
    people = [api("operator", f"person-{number}") for number in range(2)]
    clients = [people[0] if keys else people[number % 2] for number in range(8)]
    together = Barrier(len(clients))

    def add(client) -> int:
        together.wait()
        with app.test_client() as own:
            return own.post("/api/v1/projects", json=SHOP, headers=client.headers | keys).status_code

    with ThreadPoolExecutor(len(clients)) as pool:
        codes = list(pool.map(add, clients))
    # with a key those that come after the end get the same answer
    assert set(codes) <= {202, 409}
    assert codes.count(202) >= 1 if keys else codes.count(202) == 1
    assert len(core.runs.page()) == 1
