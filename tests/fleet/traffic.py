"""Requests that go on while something else happens."""

import threading
import time
from collections import Counter

import httpx

from fleet.fleet import Project
from fleet.gateway import PATIENCE, Gateway, naming

THREADS = 3
PAUSE = 0.02


class Traffic:
    """Asks the REST API of a project from several threads as long as the block runs, each time on a new connection."""

    def __init__(self, gateway: Gateway, project: Project, pause: float = PAUSE) -> None:
        named, prefix = naming(project, "path")
        self.url = f"http://{gateway.address(project.host)}{prefix}/rest/v1/marks"
        self.headers = {**named, "apikey": project.anon_key, "Connection": "close"}
        self.good = [{"project": project.name}]
        self.answers: Counter[str] = Counter()
        self.last = ""
        self.pause = pause
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(THREADS)]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    @property
    def failures(self) -> dict[str, int]:
        """How often each answer came that was not the right one."""
        return {answer: count for answer, count in self.answers.items() if answer != "right"}

    def _ask_on(self) -> None:
        with httpx.Client(timeout=PATIENCE, headers=self.headers) as client:
            while not self._ended.is_set():
                answer = self._ask(client)
                with self._lock:
                    self.answers[answer] += 1
                    self.last = answer
                time.sleep(self.pause)

    def _ask(self, client: httpx.Client) -> str:
        try:
            answer = client.get(self.url)
        except httpx.HTTPError as error:
            return repr(error)
        if answer.status_code != httpx.codes.OK:
            return f"{answer.status_code} {answer.json().get('code')}"
        return "right" if answer.json() == self.good else answer.text
