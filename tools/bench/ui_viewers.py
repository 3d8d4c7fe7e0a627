"""How soon people see what a run does: a real run, watched by many at once."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from background_ui import BackgroundUi, free_port

from bench.errors import NotMeasured
from bench.figures import Figure, percentile
from bench.ui_client import logged_in, memory_mib, token

VIEWERS = 200
TARGET_S = 1.0
PATIENCE = 600.0


@dataclass
class Viewer:
    """What one viewer received: when each event came (seconds of the clock, by its number), and the end."""

    came: dict[int, float] = field(default_factory=dict)
    end: str = ""


def figures(directory: Path, inventory: Path, project: str, environment: Mapping[str, str]) -> list[Figure]:
    """Return the delay from the end of a task to a viewer, of a run that plans a project, and the memory meanwhile."""
    shutil.rmtree(directory, ignore_errors=True)
    ui = BackgroundUi(directory, inventory, free_port(), minutes=60)
    try:
        ui.start({**environment, "XDG_STATE_HOME": str(directory)})
        client = logged_in(ui)
        page = client.get(f"/projects/{project}")
        fields = {"csrf_token": token(page.text), "intent": "plan"}
        run = client.post(f"/projects/{project}/apply", data=fields).headers["location"]
        viewers, memory = asyncio.run(watched(ui, dict(client.cookies), f"{run}/stream"))
        ends = _ends(directory / "state" / "ui.db", int(run.rpartition("/")[2]))
    finally:
        ui.remove()
    late = delays(viewers, ends)
    method = f"a real run of {len(ends)} events, {VIEWERS} viewers over loopback: from the worker's note to each viewer"
    lost = sum(len(ends.keys() - viewer.came.keys()) for viewer in viewers)
    return [
        Figure("From the end of a task to a viewer, median", percentile(late, 50), "s", method),
        Figure("From the end of a task to a viewer, 95 %", percentile(late, 95), "s", method, TARGET_S),
        Figure(f"Events that {VIEWERS} viewers missed", lost, "", method, 0),
        Figure(f"Memory of the web server with {VIEWERS} viewers", memory["web"], "MiB", "PSS while the run goes on"),
        Figure("Memory of the workers", memory["worker"], "MiB", "PSS: the parent and 4 workers, one of them at work"),
    ]


def delays(viewers: Iterable[Viewer], ends: Mapping[int, float]) -> list[float]:
    """Return the seconds between note and arrival of all events that came while they were news."""
    began = max(min(viewer.came.values(), default=0.0) for viewer in viewers)
    return [
        came - ends[number]
        for viewer in viewers
        for number, came in viewer.came.items()
        # what was there before the last viewer came is no news
        if ends[number] > began
    ]


async def watched(ui: BackgroundUi, cookies: dict[str, str], path: str) -> tuple[list[Viewer], dict[str, float]]:
    """Watch a run to its end with all viewers, and return what they saw and the memory meanwhile."""
    limits = httpx.Limits(max_connections=None)
    memory: dict[str, float] = {}
    async with httpx.AsyncClient(base_url=ui.url, cookies=cookies, timeout=PATIENCE, limits=limits) as client:
        viewers = [Viewer() for _ in range(VIEWERS)]
        watching = [asyncio.create_task(_watch(client, path, viewer)) for viewer in viewers]
        while not all(viewer.came for viewer in viewers):
            await asyncio.sleep(0.1)
            if all(task.done() for task in watching):
                break
        for part in ("web", "worker"):
            memory[part] = await asyncio.to_thread(memory_mib, ui, part)
        await asyncio.gather(*watching)
    if any(viewer.end != "succeeded" for viewer in viewers):
        raise NotMeasured(f"the watched run ended as {viewers[0].end or 'nobody saw'}")
    return viewers, memory


async def _watch(client: httpx.AsyncClient, path: str, viewer: Viewer) -> None:
    kind = ""
    async with client.stream("GET", path) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("id: "):
                viewer.came[int(line.removeprefix("id: "))] = time.time()
            elif line.startswith("data: ") and kind == "end":
                viewer.end = line.removeprefix("data: ")
                return


def _ends(database: Path, run: int) -> dict[int, float]:
    """Return when the worker noted each event of a run."""
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT number, at FROM run_events WHERE run_id = ?", (run,)).fetchall()
    return {number: datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() for number, at in rows}
