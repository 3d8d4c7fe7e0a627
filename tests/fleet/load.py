"""Requests that go on while something else happens, a bounded number of them."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fleet.gateway import PATIENCE

MOST = 5000


@dataclass(frozen=True)
class Call:
    """One request that is sent again and again, each time over a connection of its own."""

    method: str
    path: str
    headers: dict[str, str]
    body: str = ""


@dataclass
class Load:
    """What came of the requests so far."""

    answered: int = 0
    failures: list[str] = field(default_factory=list)


@contextmanager
def under_load(address: str, *calls: Call, pause: float = 0.0) -> Iterator[Load]:
    """Send each call from a thread of its own as long as the block runs, at most 5000 times, each after a pause."""
    load, lock, ended = Load(), threading.Lock(), threading.Event()

    def send(call: Call) -> None:
        for _ in range(MOST):
            if ended.wait(pause):
                return
            failure = _failure(address, call)
            with lock:
                load.answered += 1
                load.failures += [failure] if failure else []

    threads = [threading.Thread(target=send, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _failure(address: str, call: Call) -> str | None:
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        connection.request(call.method, call.path, body=call.body or None, headers=call.headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        return None if answer.status < 400 else f"{call.path}: {answer.status} {body}"
    except (OSError, http.client.HTTPException) as error:
        return f"{call.path}: {error!r}"
    finally:
        connection.close()
