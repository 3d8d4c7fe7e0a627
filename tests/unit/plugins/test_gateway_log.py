"""The traffic of a project, from the end of its log."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible_collections.berth.supabase.plugins.module_utils.gateway_log import END, traffic

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def line(seconds_ago: float, status: int = 200) -> str:
    """One request as the gateway logs it."""
    time = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    return json.dumps({"time": time, "project": "blog", "path": "/rest/v1/todos", "status": status}) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the log is to be."""
    return tmp_path / "blog.log"


def test_no_log_is_no_traffic(log: Path) -> None:
    assert traffic(log, NOW) == {}
    log.touch()
    assert traffic(log, NOW) == {}


def test_requests_of_the_last_minutes_are_counted(log: Path) -> None:
    log.write_text(line(3000) + line(290) + line(200, 503) + line(60, 404) + line(30) + line(1, 500))
    assert traffic(log, NOW) == {
        "requests_per_minute": 1.0,
        "errors_per_minute": 0.4,
        "last_request": "2026-11-25T11:59:59+00:00",
    }


def test_old_requests_leave_their_time(log: Path) -> None:
    log.write_text(line(7200))
    found = traffic(log, NOW)
    assert (found["requests_per_minute"], found["last_request"]) == (0, "2026-11-25T10:00:00+00:00")


def test_lines_that_are_no_entries_are_passed_over(log: Path) -> None:
    log.write_text("garbage\n[]\n" + line(10) + line(5)[:20])
    assert traffic(log, NOW)["requests_per_minute"] == 0.2


def test_long_log_is_read_at_its_end_and_the_rate_is_that_of_the_end(log: Path) -> None:
    entries = [line(second / 100) for second in range(6000, 0, -1)]  # 100 each second for a minute
    log.write_text("".join(entries))
    assert log.stat().st_size > END
    assert traffic(log, NOW)["requests_per_minute"] == pytest.approx(6000, rel=0.01)
