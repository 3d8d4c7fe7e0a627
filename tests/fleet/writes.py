"""Rows that are written one after the other while something else happens, and what became of each."""

import http.client
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Self

import psycopg

from fleet.fleet import Project
from fleet.gateway import PATIENCE, Gateway

THREADS = 3
PAUSE = 0.05
TABLE = """
CREATE TABLE IF NOT EXISTS public.written (id bigint PRIMARY KEY);
GRANT SELECT, INSERT ON public.written TO anon;
NOTIFY pgrst, 'reload schema';
"""


def prepare(project: Project) -> None:
    """Give a project the table that rows are written to."""
    with psycopg.connect(project.db_url, autocommit=True) as connection:
        connection.execute(TABLE)


@dataclass
class Writes:
    """Writes rows through the gateway as long as the block runs; each number once, no request sent twice."""

    gateway: Gateway
    project: Project
    first: int = 0
    acknowledged: set[int] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0

    def __enter__(self) -> Self:
        self._numbers = itertools.count(self.first)
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._write_on) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _write_on(self) -> None:
        while not self._ended.wait(PAUSE):
            with self._lock:
                number = next(self._numbers)
            began = time.monotonic()
            failure = self._write(number)
            took = time.monotonic() - began
            with self._lock:
                self.longest = max(self.longest, took)
                if failure:
                    self.failures.append(f"{number}: {failure}")
                else:
                    self.acknowledged.add(number)

    def _write(self, number: int) -> str:
        connection = http.client.HTTPConnection(self.gateway.address(self.project.host), timeout=PATIENCE)
        headers = {"apikey": self.project.anon_key, "Content-Type": "application/json"}
        path = f"/projects/{self.project.name}/rest/v1/written"
        try:
            connection.request("POST", path, json.dumps({"id": number}), headers)
            answer = connection.getresponse()
            body = answer.read().decode()
            return "" if answer.status == http.client.CREATED else f"{answer.status} {body}"
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()
