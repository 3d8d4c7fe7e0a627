"""Which host a new project goes to, and what is said when none takes it."""

import pytest
from measured import host, project, unit

from berth.capacity import Capacity, capacity
from berth.placement import NoRoom, choose

BLOG = project("blog")
LARGE = project("large", architecture="isolated", limits={"memory": "6G"})


def account(name: str, total_mib: int, **values: object) -> Capacity:
    """The account of an empty host of this memory."""
    units = (unit("postgresql@17-berth.service", mib=100),)
    return capacity(host(name=name, units=units, total_mib=total_mib, used_mib=400, **values), [])


def accounts(*found: Capacity) -> dict[str, Capacity]:
    """By name."""
    return {one.host: one for one in found}


def test_the_host_with_the_most_room_is_taken_with_the_reason() -> None:
    found = choose(BLOG, accounts(account("alpha", 4096), account("bravo", 8192)), {})
    assert (found.host, found.verdict) == ("bravo", "fits")
    assert "stay free when all projects are awake" in found.reason
    assert "more than on alpha, where 2." in found.reason
    assert [candidate.host for candidate in found.candidates] == ["bravo", "alpha"]


def test_a_host_where_it_fits_goes_before_a_larger_one_where_it_is_tight() -> None:
    busy = account("bravo", 8192, load=[9.0, 9.0, 9.0])
    found = choose(BLOG, accounts(account("alpha", 4096), busy), {})
    assert (found.host, found.verdict) == ("alpha", "fits")
    assert found.reason.endswith("the others: bravo tight")


def test_a_tight_host_is_taken_where_none_is_better_and_says_why() -> None:
    found = choose(BLOG, accounts(account("alpha", 4096, load=[9.0, 9.0, 9.0])), {"bravo": "no answer"})
    assert (found.host, found.verdict) == ("alpha", "tight")
    assert found.reason == "tight: cpu: load 4.5 per core over 15 minutes; the others: bravo unknown"


def test_equal_hosts_are_taken_by_name() -> None:
    found = choose(BLOG, accounts(account("bravo", 4096), account("alpha", 4096)), {})
    assert found.host == "alpha"


def test_no_host_is_taken_where_all_refuse_and_each_says_why() -> None:
    with pytest.raises(NoRoom) as refusal:
        choose(LARGE, accounts(account("alpha", 4096), account("bravo", 4000)), {"charlie": "timed out"})
    told = str(refusal.value).splitlines()
    assert told[0] == "no host takes large; add a host, or name one with --host and --force"
    assert told[1].startswith("alpha: refused: memory: ")
    assert "+ 6.0 GiB large = 7." in told[1]
    assert [line.split(":")[0] for line in told[1:]] == ["alpha", "bravo", "charlie"]


def test_host_whose_postgres_does_not_answer_is_not_taken() -> None:
    found = choose(BLOG, accounts(account("alpha", 4096), account("bravo", 65_536, postgres=None)), {})
    assert found.host == "alpha"
    with pytest.raises(NoRoom, match="bravo: unknown: PostgreSQL did not answer; berth apply configures the host"):
        choose(BLOG, accounts(account("bravo", 65_536, postgres=None)), {})


def test_without_any_host_nothing_is_taken() -> None:
    with pytest.raises(NoRoom, match="no host takes blog"):
        choose(BLOG, {}, {})
