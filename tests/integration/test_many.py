"""Twenty projects come and go on a host whose other project is asked all the time, also for answers that take long."""

from collections.abc import Iterator

import pytest
from fleet import Fleet
from fleet.commands import Berth
from fleet.gateway import Gateway
from fleet.load import Call, under_load
from fleet.newcomers import forget
from fleet.services import main_pid

HOST, NEIGHBOUR = "bookworm", "twelve"
NAMES = [f"crowd-{number}" for number in range(1, 21)]
UNITS = ("nginx.service", "postgresql@15-berth.service")

pytestmark = pytest.mark.slow


@pytest.fixture
def crowd(fleet: Fleet) -> Iterator[list[str]]:
    """Give the names of twenty projects that are gone afterwards, whatever happens."""
    yield NAMES
    for name in NAMES:
        forget(fleet, name)


def test_no_request_of_others_fails_while_twenty_are_added_and_removed(
    fleet: Fleet, gateway: Gateway, berth: Berth, crowd: list[str]
) -> None:
    neighbour = fleet.project(NEIGHBOUR)
    at, headers = f"/projects/{NEIGHBOUR}/rest/v1", {"apikey": neighbour.anon_key, "Content-Type": "application/json"}
    calls = (Call("GET", f"{at}/marks", headers), Call("POST", f"{at}/rpc/nap", headers, '{"seconds": 3}'))
    pids = {unit: main_pid(fleet, HOST, unit) for unit in UNITS}
    with under_load(gateway.address(HOST), *calls, pause=0.1) as load:
        for name in crowd:
            berth.answer("add", name, "--host", HOST, "--no-apply", "--force", "--json")
        berth.answer("apply", "--json")
        answers = {}
        for name in crowd:
            key = berth.answer("keys", name, "--json")["service_role_key"]
            url = f"http://{gateway.address(HOST)}/projects/{name}/rest/v1/"
            answers[name] = gateway.client.get(url, headers={"apikey": key}).status_code
        for name in crowd:
            berth.answer("remove", name, "--yes", "--no-backup", "--json")
    assert load.failures == []
    assert load.answered > 100
    assert set(answers.values()) == {200}
    assert {unit: main_pid(fleet, HOST, unit) for unit in UNITS} == pids
