"""What the events of a run tell: its steps, what changed on which host, and why it failed."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from berth.host_locks import WAITING

HIDDEN = "(hidden, it holds a secret)"
NO_MESSAGE = "the task gave no message"


@dataclass(frozen=True)
class Change:
    """One task that changed something on a host, or would: diffs are texts in unified form, role is empty in a play."""

    host: str
    task: str
    diffs: tuple[str, ...] = ()
    role: str = ""


@dataclass(frozen=True)
class Failure:
    """One task that failed; host and task are empty when the run failed before any task."""

    host: str
    task: str
    message: str


class Events:
    """Takes the events of ansible-runner one by one and keeps what people want to know."""

    def __init__(self, on_step: Callable[[str], None]) -> None:
        self.changes: list[Change] = []
        self.failures: dict[str, Failure] = {}
        self.unreachable: dict[str, str] = {}
        self.counted: dict[str, int] = {}
        self.reports: dict[str, dict[str, Any]] = {}
        self.errors: list[str] = []
        self._on_step = on_step

    def take(self, event: dict[str, Any]) -> None:
        """Note one event."""
        data = event.get("event_data", {})
        match event.get("event"):
            case "playbook_on_task_start":
                self._on_step(data["name"])
            case "runner_on_ok" | "runner_item_on_ok":
                self._note_change(data)
                if isinstance(report := data.get("res", {}).get("report"), dict):
                    self.reports.setdefault(data["host"], {}).update(report)
            case "runner_on_failed" if not data.get("ignore_errors"):
                # a later failure of the same host wins: the earlier one was rescued
                self.failures[data["host"]] = Failure(data["host"], data["task"], message(data["res"]))
            case "runner_on_unreachable":
                self.unreachable[data["host"]] = message(data["res"])
            case "playbook_on_stats":
                hosts = data.get("processed", {})
                self.counted = {host: data.get("changed", {}).get(host, 0) for host in sorted(hosts)}
            case "verbose" if (text := event.get("stdout", "")).startswith(WAITING):
                self._on_step(text)
            case "error":
                self.errors.append(event.get("stdout", ""))

    def _note_change(self, data: dict[str, Any]) -> None:
        result = data.get("res", {})
        # of a loop the items were told before
        if result.get("changed") and "results" not in result:
            role = data.get("role", "").rpartition(".")[2]
            self.changes.append(Change(data["host"], data["task"], tuple(diffs(result)), role))


def message(result: dict[str, Any]) -> str:
    """Why a task failed, in the words of its module, those of a loop's items one after the other."""
    items = [item for item in result.get("results", []) if isinstance(item, dict) and item.get("failed")]
    if items:
        return "\n".join(dict.fromkeys(message(item) for item in items))
    if "censored" in result:
        return HIDDEN
    text = str(result.get("msg") or "").strip()
    details = str(result.get("stderr") or result.get("module_stderr") or "").strip()
    return "\n".join(part for part in dict.fromkeys((text, details)) if part) or NO_MESSAGE


def diffs(result: dict[str, Any]) -> list[str]:
    """The differences that a result holds, each as a unified diff or as the module prepared it."""
    found = result.get("diff") or []
    if "censored" in result:
        return [HIDDEN]
    entries = found if isinstance(found, list) else [found]
    return [text for entry in entries if isinstance(entry, dict) and (text := _diff(entry))]


def _diff(entry: dict[str, Any]) -> str:
    if "prepared" in entry:
        return str(entry["prepared"]).rstrip("\n")
    before, after = (_lines(entry.get(key)) for key in ("before", "after"))
    headers = [str(entry.get(f"{key}_header") or key) for key in ("before", "after")]
    lines = difflib.unified_diff(before, after, *headers, n=2, lineterm="")
    return "\n".join(lines)


def _lines(value: object) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {item}" for key, item in sorted(value.items())]
    return str(value or "").splitlines()
