"""Turns the events of ansible-runner into those that pages show: no arguments, no facts, no secrets."""

import threading
import time
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from berth.host_locks import WAITING
from berth.run_events import diffs, message
from webui.models import RunEvent, now
from webui.services.runs import Runs

FLUSH_SECONDS = 0.25
TEXT_LIMIT = 64 * 1024
STATUS = {"runner_on_ok": "ok", "runner_on_failed": "failed", "runner_on_unreachable": "unreachable"}


class Recorder:
    """Writes what happens to the database a few times in a second, from a thread of its own."""

    def __init__(self, runs: Runs, run_id: int) -> None:
        self._runs = runs
        self._run_id = run_id
        self._waiting: list[RunEvent] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._number = self._step = 0
        self._began: dict[tuple[str, str], float] = {}
        self._thread = threading.Thread(target=self._write_on, name=f"recorder of run {run_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._flush()

    @property
    def steps(self) -> int:
        """How many steps have begun."""
        return self._step

    def take(self, event: dict[str, Any]) -> None:
        """Note one event of ansible-runner."""
        data, name = event.get("event_data", {}), event.get("event", "")
        if name == "verbose" and (waits := event.get("stdout", "")).startswith(WAITING):
            self._step += 1
            self._add(waits, "", "started", None, "")
        elif name == "playbook_on_task_start" and not _is_meta(data):
            self._step += 1
            self._add(data["name"], "", "started", None, "")
        elif name == "runner_on_start":
            self._began[data.get("task_uuid", ""), data["host"]] = time.monotonic()
        elif name in STATUS:
            result = data.get("res", {})
            status = "changed" if name == "runner_on_ok" and result.get("changed") else STATUS[name]
            if status == "failed" and data.get("ignore_errors"):
                status = "ok"
            text = message(result) if status in ("failed", "unreachable") else "\n".join(_all_diffs(result))
            began = self._began.pop((data.get("task_uuid", ""), data["host"]), None)
            self._add(data["task"], data["host"], status, began and time.monotonic() - began, text)

    def _add(self, task: str, host: str, status: str, seconds: float | None, text: str) -> None:
        if len(text) > TEXT_LIMIT:
            text = f"{text[:TEXT_LIMIT]}\n(cut here; the log has all of it)"
        with self._lock:
            self._number += 1
            at: datetime = now()
            event = RunEvent(run_id=self._run_id, number=self._number, at=at, step=self._step, task=task)
            event.host, event.status, event.seconds, event.text = host, status, seconds, text
            self._waiting.append(event)

    def _write_on(self) -> None:
        while not self._over.wait(FLUSH_SECONDS):
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if waiting:
            self._runs.note(self._run_id, waiting, self._step)


def _is_meta(data: dict[str, Any]) -> bool:
    """Whether a task is for Ansible itself: nothing comes of it on a host."""
    return data.get("task_action", "").rpartition(".")[2] == "meta"


def _all_diffs(result: dict[str, Any]) -> list[str]:
    items = [item for item in result.get("results", []) if isinstance(item, dict) and item.get("changed")]
    return [text for item in (items or [result]) if item.get("changed") for text in diffs(item)]
