"""How long the first request to a sleeping project takes, and whether its answer is right."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.figures import Figure, percentile
from bench.host import BenchHost, json_of

WAKES = 40
TARGET_MS = {"rest": 300, "auth": 500}
PATHS = {"rest": "/rest/v1/todos?select=title&id=eq.7", "auth": "/auth/v1/admin/users?per_page=1"}


@dataclass(frozen=True)
class Woken:
    """Milliseconds of each first answer of a service, and how many of them were wrong."""

    service: str
    milliseconds: list[float]
    wrong: int


def measure(host: BenchHost, service: str, names: list[str]) -> Woken:
    """Ask each of these projects once, all asleep; each sleeps again before the next is asked."""
    keys = {name: host.keys(name).service_role_key for name in names}
    if service == "rest":
        for name in names:
            host.fill(name)
    host.put_to_sleep()
    milliseconds, wrong = [], 0
    for name in names:
        began = time.perf_counter()
        answer = host.get(name, PATHS[service], keys[name])
        milliseconds.append((time.perf_counter() - began) * 1000)
        wrong += not RIGHT[service](json_of(answer), name)
        host.put_to_sleep()
    return Woken(service, milliseconds, wrong)


def figures(woken: Woken, withheld: str) -> list[Figure]:
    """Return the rows of the table; withheld says why they are not held against the target, or is empty."""
    what = f"Wake, {woken.service}"
    count = len(woken.milliseconds)
    method = f"first request to each of {count} sleeping projects, from the controller to the gateway"
    target = TARGET_MS[woken.service]
    return [
        Figure(f"{what}, median", percentile(woken.milliseconds, 50), "ms", method),
        Figure(f"{what}, 95 %", percentile(woken.milliseconds, 95), "ms", method, target, verdict_withheld=withheld),
        Figure(f"{what}, wrong first answers", woken.wrong, "", f"of {count}: not 200 or not this project's", target=0),
    ]


def _is_row(body: object, name: str) -> bool:
    return body == [{"title": f"{name} 7"}]


def _is_user_list(body: object, _name: str) -> bool:
    return isinstance(body, dict) and body.get("users") == []


RIGHT: dict[str, Callable[[object, str], bool]] = {"rest": _is_row, "auth": _is_user_list}
