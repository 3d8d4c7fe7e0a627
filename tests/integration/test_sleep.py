"""Idle projects run no process, their first answer is right, and nothing but a request wakes them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fleet.content import mark, sign_in
from fleet.services import main_pid, processes, put_to_sleep, wait_until

IDLE_TIMEOUT = 1  # seconds, of the project "three"


@pytest.fixture
def three(gateway, fleet):
    return fleet.project("three")


def test_idle_project_falls_asleep(gateway, fleet, three):
    assert mark(gateway, three) == "three"
    sign_in(gateway, three)
    assert len(processes(fleet, three)) >= 4
    wait_until(lambda: not processes(fleet, three), "three has fallen asleep")


def test_first_answer_after_each_wake_is_right(gateway, fleet, three):
    for _ in range(10):
        put_to_sleep(fleet, three)
        assert mark(gateway, three) == "three"
        sign_in(gateway, three)


def test_first_answers_are_right_when_many_ask_at_once(gateway, fleet, three):
    put_to_sleep(fleet, three)
    asks = [lambda: mark(gateway, three)] * 20 + [lambda: bool(sign_in(gateway, three))] * 4
    with ThreadPoolExecutor(len(asks)) as pool:
        answers = list(pool.map(lambda ask: ask(), asks))
    assert answers == ["three"] * 20 + [True] * 4


def test_request_under_way_is_not_cut(gateway, fleet, three):
    put_to_sleep(fleet, three)
    nap = {"seconds": 8 * IDLE_TIMEOUT}
    answer = gateway.ask(three, "/rest/v1/rpc/nap", key=three.anon_key, method="POST", json=nap)
    assert (answer.status_code, answer.json()) == (200, "three")
    wait_until(lambda: not processes(fleet, three), "three has fallen asleep after the long request")


def test_requests_at_the_moment_of_falling_asleep_get_right_answers(fleet, three, gateway):
    """Past nginx, which keeps its connections for seconds: each request meets a proxy that is just about to end."""
    put_to_sleep(fleet, three)
    script = """
read -r key
for pause in 0.90 0.95 0.98 1.00 1.01 1.02 1.04 1.06 1.10 1.20; do
    curl --silent --max-time 20 --unix-socket /run/berth/wake/three-rest.sock \\
        -H "Authorization: Bearer $key" http://localhost/marks
    sleep $pause
done"""
    output = fleet.on(three.host, script, stdin=f"{three.anon_key}\n")
    assert output == '[{"project":"three"}]' * 10


@pytest.mark.parametrize("service", ["rest", "auth"])
def test_project_that_never_sleeps_runs_without_a_request(gateway, fleet, service):
    awake = fleet.project("awake")
    units = [f"berth-{service}-wake@awake.service", f"berth-{service}@awake.service"]
    before = [main_pid(fleet, awake.host, unit) for unit in units]
    assert all(before)
    fleet.on(awake.host, f"systemctl restart {units[1]}")
    wait_until(lambda: main_pid(fleet, awake.host, units[1]) not in (0, before[1]), f"{units[1]} runs again")
    wait_until(lambda: main_pid(fleet, awake.host, units[0]), f"{units[0]} runs again")
    assert fleet.on(awake.host, f"systemctl is-enabled {units[0]}") == "enabled"


def test_converge_of_unchanged_declarations_wakes_nobody_and_changes_nothing(gateway, fleet):
    sleepers = [fleet.project(name) for name in ("two-words", "three", "slow-lane", "twelve")]
    busy = [fleet.project(name) for name in ("awake", "one")]
    mark(gateway, fleet.project("one"))
    put_to_sleep(fleet, *sleepers)
    before = [processes(fleet, project) for project in busy]
    run = fleet.succeed("site.yml")
    assert {host: counters["changed"] for host, counters in run.stats.items()} == {"trixie": 0, "bookworm": 0}
    assert [processes(fleet, project) for project in sleepers] == [[]] * len(sleepers)
    assert [processes(fleet, project) for project in busy] == before
    assert all(before)
