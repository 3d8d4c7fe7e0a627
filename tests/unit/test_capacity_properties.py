"""What holds for the arithmetic of capacity whatever the host and its projects."""

from hypothesis import given, settings
from hypothesis import strategies as st
from measured import MIB, host, project, shared, unit

from berth.capacity import Capacity, capacity, propose, what_if
from berth.status import HostStatus

RANK = {"fits": 0, "tight": 1, "refused": 2}
LIMITS = ("384M", "512M", "1G", "4G")


@st.composite
def hosts(draw: st.DrawFn) -> tuple[HostStatus, list]:
    """A host of any size with any projects, some of them awake."""
    count = draw(st.integers(0, 6))
    projects, units = [], [unit("postgresql@17-berth.service", mib=draw(st.integers(0, 3000)))]
    for number in range(1, count + 1):
        values = {
            "architecture": draw(st.sampled_from(("shared", "isolated"))),
            "idle_timeout": draw(st.sampled_from(("15min", "never"))),
            "state": draw(st.sampled_from(("present", "paused"))),
            "limits": {"memory": draw(st.sampled_from(LIMITS))},
        }
        projects.append(project(f"p{number}", number, **values))
        units += shared(f"p{number}", draw(st.integers(0, 300)), draw(st.integers(0, 300)))
    total = draw(st.integers(512, 65_536))
    status = host(
        *projects,
        units=tuple(units),
        total_mib=total,
        used_mib=draw(st.integers(0, total)),
        cpus=draw(st.integers(1, 64)),
        load=[draw(st.floats(0, 100))] * 3,
    )
    return status, projects


accounts = hosts().map(lambda found: capacity(*found))
counts = st.integers(0, 60)


@settings(deadline=None, max_examples=60)
@given(accounts, counts, st.integers(0, 12))
def test_one_project_more_never_makes_it_better(account: Capacity, shared_count: int, isolated: int) -> None:
    now = RANK[what_if(account, shared_count, isolated).verdict]
    assert RANK[what_if(account, shared_count + 1, isolated).verdict] >= now
    assert RANK[what_if(account, shared_count, isolated + 1).verdict] >= now


@settings(deadline=None, max_examples=60)
@given(accounts)
def test_counts_are_the_last_that_do(account: Capacity) -> None:
    for count, most, added in (
        (account.shared_more, account.shared_most, (1, 0)),
        (account.isolated_more, account.isolated_most, (0, 1)),
    ):

        def room(times: int, added: tuple[int, int] = added) -> str:
            return what_if(account, times * added[0], times * added[1]).room

        assert 0 <= count <= most
        assert count == 0 or room(count) == "fits"
        assert room(count + 1) != "fits"
        assert most == 0 or room(most) != "refused"
        assert room(most + 1) == "refused"


@settings(deadline=None, max_examples=60)
@given(accounts)
def test_the_account_is_all_that_is_needed(account: Capacity) -> None:
    counted = sum(amount.counted_bytes for amount in account.account)
    assert counted == account.needs.memory_fixed + account.needs.memory_sleepers
    assert account.left_bytes == account.room.memory_bytes - counted
    assert all(amount.counted_bytes >= 0 for amount in account.account)


@settings(deadline=None, max_examples=60)
@given(hosts(), st.sampled_from(LIMITS))
def test_adding_what_was_proposed_gives_what_was_foretold(found: tuple[HostStatus, list], limit: str) -> None:
    status, projects = found
    new = project("new", 99, architecture="isolated", limits={"memory": limit})
    foretold = propose(capacity(status, projects), new)
    after = capacity(status, [*projects, new]).now
    verdicts = [
        {check.resource: check.verdict for check in judgement.checks if check.resource != "disk"}
        for judgement in (foretold, after)
    ]
    assert verdicts[0] == verdicts[1]


@settings(deadline=None, max_examples=40)
@given(accounts)
def test_more_memory_never_makes_it_worse(account: Capacity) -> None:
    larger = account.room.model_copy(update={"memory_bytes": account.room.memory_bytes + 1024 * MIB})
    bigger = account.model_copy(update={"room": larger})
    for shared_count, isolated in ((0, 0), (20, 0), (0, 3), (10, 2)):
        before, after = (what_if(one, shared_count, isolated).verdict for one in (account, bigger))
        assert RANK[after] <= RANK[before]
