"""A person who is logged in to the web UI, without a browser; and what the UI's processes use meanwhile."""

import re
from collections.abc import Iterable
from pathlib import Path

import httpx
from background_ui import BackgroundUi

from bench.errors import NotMeasured

PASSWORD = "only for this measurement"  # noqa: S105 - of an installation that is removed again


def logged_in(ui: BackgroundUi) -> httpx.Client:
    """Return a client with the session of the first admin; NotMeasured when that is refused."""
    client = httpx.Client(base_url=ui.url, timeout=60)
    link = ui.admin_link("bench") or ""
    fields = {"csrf_token": token(client.get(link).text), "password": PASSWORD, "again": PASSWORD}
    answer = client.post(link, data=fields)
    if answer.status_code != httpx.codes.FOUND:
        raise NotMeasured(f"the web UI refused its admin: {answer.status_code}")
    return client


def token(page: str) -> str:
    """Return what the forms of a page send against forgery; NotMeasured where there is no form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if not found:
        raise NotMeasured("the web UI sent a page without a form")
    return found[1]


def memory_mib(ui: BackgroundUi, part: str) -> float:
    """Return the PSS of the processes of one part of the UI: web, worker or measure."""
    return sum(map(_pss_kib, _processes(ui, part))) / 1024


def _processes(ui: BackgroundUi, part: str) -> Iterable[int]:
    for pid in ui.processes():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"ui" in words and part.encode() in words:
            yield pid


def _pss_kib(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[0])
