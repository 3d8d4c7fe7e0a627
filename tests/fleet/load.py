"""Requests that go on while something happens, at a bounded rate, with every wrong answer kept."""

import threading
import time
from collections import Counter

import httpx

from fleet.content import mark
from fleet.fleet import Project
from fleet.gateway import Gateway

PAUSE = 0.05  # seconds between two requests to one project


class Load:
    """Asks projects for their marks as long as the block runs."""

    def __init__(self, gateway: Gateway, *projects: Project) -> None:
        self.gateway = gateway
        self.projects = projects
        self.right: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(project,)) for project in projects]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def has_answers(self, more: int) -> bool:
        """Whether every project has given so many right answers."""
        return all(self.right[project.name] >= more for project in self.projects)

    def _ask(self, project: Project) -> None:
        while not self._ended.is_set():
            try:
                said = mark(self.gateway, project)
            except httpx.HTTPError as error:
                said = repr(error)
            if said == project.name:
                self.right[project.name] += 1
            else:
                self.wrong.append(f"{project.name}: {said}")
            time.sleep(PAUSE)
