"""Figures and times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from webui import formats

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(None, "-"), (0, "0 B"), (150 * 1024**2, "150 MiB"), (4 * 1024**3, "4 GiB")],
)
def test_size(count, shown):
    assert formats.size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "-"), (0.42, "0.4 s"), (12.4, "12 s"), (59.7, "1 min"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_duration(seconds, shown):
    assert formats.duration(seconds) == shown


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        ({"seconds": 20}, "just now"),
        ({"seconds": 60}, "1 minute ago"),
        ({"hours": 5}, "5 hours ago"),
        ({"days": 2}, "2 days ago"),
        ({"minutes": -3}, "in 3 minutes"),
        ({"seconds": -3}, "in a moment"),
    ],
)
def test_ago(before, shown):
    assert formats.ago(NOW - timedelta(**before), NOW) == shown
    assert formats.ago(None) == "never"


def test_diff_lines_know_their_kind():
    assert formats.diff_lines("@@ -1 +1 @@\n-a\n+b\n c") == [
        ("at", "@@ -1 +1 @@"),
        ("del", "-a"),
        ("add", "+b"),
        ("", " c"),
    ]
