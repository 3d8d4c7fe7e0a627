"""What Berth's modules share to read the gateway's log of a project without reading all of it."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta

MINUTES = 5
END = 256 * 1024


def traffic(path, now):
    """Returns requests and errors per minute over the last minutes, and the time of the last request.

    Of a long log only the end is read; where that is less than the minutes, the rates are those of that end.
    """
    lines, is_whole = _end_of(path)
    entries = [entry for entry in map(_entry, lines) if entry]
    if not entries:
        return {}
    since = now - timedelta(minutes=MINUTES)
    if not is_whole:
        since = max(since, entries[0][0])
    minutes = max((now - since).total_seconds(), 1) / 60
    recent = [status for time, status in entries if time >= since]
    return {
        "requests_per_minute": round(len(recent) / minutes, 2),
        "errors_per_minute": round(sum(status >= 500 for status in recent) / minutes, 2),
        "last_request": entries[-1][0].isoformat(),
    }


def _end_of(path):
    """Returns the last whole lines of a file and whether these are all."""
    try:
        with path.open("rb") as log:
            start = max(log.seek(0, os.SEEK_END) - END, 0)
            log.seek(start)
            lines = log.read().splitlines()
    except OSError:
        return [], True
    return (lines[1:], False) if start else (lines, True)


def _entry(line):
    """Returns the time and the status of one request; None for a line that is no entry."""
    try:
        values = json.loads(line)
        return datetime.fromisoformat(values["time"]), int(values["status"])
    except (ValueError, KeyError, TypeError):
        return None
