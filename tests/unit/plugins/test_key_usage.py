"""Usage of keys, counted from the logs of the gateway."""

import gzip
import json
from pathlib import Path

import ansible_plugins  # noqa: F401 - makes the collection importable
from ansible_collections.berth.supabase.plugins.modules.key_usage import count, logs


def entry(key: str, minute: int) -> str:
    return json.dumps({"time": f"2026-11-25T12:{minute:02}:00+00:00", "key_id": key}, separators=(",", ":")) + "\n"


def test_requests_are_counted_by_key_over_all_logs_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "blog.log").write_text(entry("k2.anon", 30) + entry("k1.anon", 31) + entry("", 32))
    (tmp_path / "blog.log.1").write_text(entry("k1.anon", 20) + 'not JSON with "key_id":"k1\n' + '{"key_id":"k9"}\n')
    with gzip.open(tmp_path / "blog.log.2.gz", "wt") as log:
        log.write(entry("k1.secret", 10) * 2)
    (tmp_path / "blog-two.log").write_text(entry("k1.anon", 50))
    (tmp_path / "blog.log.old").write_text(entry("k1.anon", 51))
    assert count(logs(tmp_path, "blog")) == {
        "k2.anon": {"requests": 1, "last_request": "2026-11-25T12:30:00+00:00"},
        "k1.anon": {"requests": 2, "last_request": "2026-11-25T12:31:00+00:00"},
        "k1.secret": {"requests": 2, "last_request": "2026-11-25T12:10:00+00:00"},
    }


def test_logs_come_in_the_order_of_time(tmp_path: Path) -> None:
    for name in ("blog.log", "blog.log.1", "blog.log.2.gz", "blog.log.10.gz"):
        (tmp_path / name).touch()
    assert [path.name for path in logs(tmp_path, "blog")] == [
        "blog.log.10.gz",
        "blog.log.2.gz",
        "blog.log.1",
        "blog.log",
    ]


def test_project_without_a_log_has_no_usage(tmp_path: Path) -> None:
    assert count(logs(tmp_path, "blog")) == {}
