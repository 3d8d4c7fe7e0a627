"""Samples are kept as long as promised, thinned without losing a peak, and read by several at the same time."""

import sqlite3
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from measured import MIB, host, project

from berth import capacity
from berth.samples import FILE, KEPT, Samples, SamplesError
from berth.status import HostStatus, Measurement

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def sample(at: datetime, used_mib: int = 600, name: str = "alpha") -> HostStatus:
    """The status of a host at a time."""
    return host(name=name, used_mib=used_mib, measured_at=at.isoformat())


def times(found: list[HostStatus]) -> list[datetime]:
    """When these were measured."""
    return [status.measured_at for status in found]


def test_empty_environment_has_no_samples_and_reading_makes_no_file(tmp_path: Path) -> None:
    samples = Samples(tmp_path)
    assert (samples.latest("alpha"), samples.history("alpha")) == (None, [])
    assert list(tmp_path.iterdir()) == []


def test_samples_come_back_by_host_oldest_first(tmp_path: Path) -> None:
    samples = Samples(tmp_path)
    first, second = sample(NOON), sample(NOON + timedelta(minutes=5))
    for status in (second, first, sample(NOON, name="bravo")):
        samples.add(status)
    assert samples.latest("alpha") == second
    assert samples.history("alpha") == [first, second]
    assert samples.history("alpha", since=second.measured_at) == [second]
    assert samples.history("alpha", until=first.measured_at) == [first]


def test_samples_go_after_90_days(tmp_path: Path) -> None:
    samples = Samples(tmp_path)
    samples.add(sample(NOON - KEPT - timedelta(seconds=1)))
    samples.add(sample(NOON - KEPT + timedelta(seconds=1)))
    samples.add(sample(NOON))
    assert times(samples.history("alpha")) == [NOON - KEPT + timedelta(seconds=1), NOON]


def test_of_past_hours_the_highest_stays(tmp_path: Path) -> None:
    samples = Samples(tmp_path)
    past = NOON - timedelta(days=10)
    for minute, used in ((0, 600), (5, 900), (10, 700), (65, 500)):
        samples.add(sample(past + timedelta(minutes=minute), used))
    for minute in (0, 5):
        samples.add(sample(NOON + timedelta(minutes=minute)))
    kept = samples.history("alpha")
    assert [status.memory_used_bytes // MIB for status in kept] == [900, 500, 600, 600]


def test_history_is_at_most_as_long_as_asked_and_ends_with_the_last(tmp_path: Path) -> None:
    samples = Samples(tmp_path)
    for minute in range(25):
        samples.add(sample(NOON + timedelta(minutes=minute)))
    for points in (1, 7, 10, 24, 25, 100):
        found = times(samples.history("alpha", points=points))
        assert 0 < len(found) <= points
        assert found[-1] == NOON + timedelta(minutes=24)
        assert found == sorted(found)


def test_many_write_at_once(tmp_path: Path) -> None:
    stamps = [NOON + timedelta(seconds=second) for second in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda stamp: Samples(tmp_path).add(sample(stamp)), stamps))
    assert times(Samples(tmp_path).history("alpha")) == stamps


def test_capacity_is_computed_where_a_measurement_is_kept_and_read_by_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, status, declared = Samples(tmp_path), sample(NOON), [project("blog")]
    expected = samples.account(status, declared)
    samples.keep(Measurement(hosts=(status,), down={}), declared)
    monkeypatch.setattr(capacity, "capacity", lambda *_: pytest.fail("computed again"))
    assert Samples(tmp_path).account(status, declared) == expected
    assert samples.account(status, [*declared, project("other", 2, "bravo")]) == expected


@pytest.mark.parametrize("what", ["declared", "measured", "version"])
def test_kept_capacity_counts_for_what_it_was_computed_by_alone(tmp_path: Path, what: str) -> None:
    samples, status, declared = Samples(tmp_path), sample(NOON), [project("blog")]
    samples.add(status, declared)
    if what == "declared":
        declared = [*declared, project("shop", 2)]
    if what == "measured":
        samples.add(status := sample(NOON + timedelta(minutes=3), used_mib=900))
    if what == "version":
        with sqlite3.connect(samples.path) as database:
            database.execute("UPDATE accounts SET account = ?", (zlib.compress(b'{"host": "alpha"}'),))
    assert samples.account(status, declared) == capacity.capacity(status, declared)


def test_broken_file_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("not a database, and long enough that it is read as one " * 40)
    with pytest.raises(SamplesError, match=f"{FILE}.*remove the file"):
        Samples(tmp_path).latest("alpha")
