"""The arithmetic of capacity, against figures worked out by hand."""

import pytest
from measured import MIB, host, project, shared, unit

from berth.capacity import Capacity, Mix, arithmetic, capacity, propose, what_if
from berth.guidance import Guidance, guidance
from berth.judgement import Judgement
from berth.models import Project
from berth.status import HostStatus

GIB = 1024 * MIB
REST, AUTH, BACKENDS = 32 * MIB, 24 * MIB, 6 * 6 * MIB
EACH_SHARED = REST + AUTH + BACKENDS
SERVER = {"version": "17.1", "connections": 1, "wal_bytes": 0, "wal_max_bytes": 1, "databases": []}
EACH_ISOLATED = GIB + BACKENDS


def measured(*projects: Project, **values: object) -> HostStatus:
    """A host of 4 GiB whose system uses 300 MiB, PostgreSQL 100 MiB and nginx 20 MiB."""
    units = (unit("nginx.service", mib=20), unit("postgresql@17-berth.service", mib=100))
    mine = [one for name in projects for one in shared(name.name)]
    return host(*projects, units=(*units, *mine, *values.pop("units", ())), **{"used_mib": 420, **values})


def found(*projects: Project, **values: object) -> Capacity:
    """The account of that host."""
    return capacity(measured(*projects, **values), projects)


def amounts(account: Capacity) -> dict[str, int]:
    """What counts, in MiB by name."""
    return {amount.name: amount.counted_bytes // MIB for amount in account.account}


def resource(judgement: Judgement, name: str) -> str:
    """The verdict of one resource."""
    return next(check.verdict for check in judgement.checks if check.resource == name)


def test_account_of_an_empty_host() -> None:
    # a tenth of 4096 in reserve; a fifth for shared_buffers, which is more than PostgreSQL uses so far
    assert amounts(found()) == {"reserve": 409, "system": 300, "nginx": 20, "postgres": 819}
    room = 4096 - (409.6 + 300 + 20 + 819.2)
    assert found().left_bytes == pytest.approx(room * MIB, abs=MIB)
    assert (found().shared_more, found().isolated_more) == (
        int(room * MIB // EACH_SHARED),
        int(room * MIB // EACH_ISOLATED),
    )


def test_postgres_that_uses_more_than_its_share_counts_as_measured() -> None:
    assert amounts(found(units=(unit("postgresql@16-berth.service", mib=900),), used_mib=1320))["postgres"] == 1000


def test_sleeping_service_of_the_host_counts_as_if_it_were_awake() -> None:
    account = found(units=(unit("berth-meta.service", "inactive"), unit("berth-meta-wake.socket")))
    [meta] = [amount for amount in account.account if amount.name == "meta"]
    assert (meta.used_bytes, meta.counted_bytes, meta.is_measured) == (0, 160 * MIB, False)


def test_sleeping_project_uses_nothing_and_counts_as_awake() -> None:
    account = found(project("blog"))
    [blog] = [amount for amount in account.account if amount.kind == "shared"]
    assert (blog.used_bytes, blog.counted_bytes, blog.may_sleep, blog.is_measured) == (0, EACH_SHARED, True, False)
    assert account.needs.memory_sleepers == EACH_SHARED


def test_project_that_was_seen_awake_counts_as_measured_then() -> None:
    blog = project("blog")
    earlier = [host(blog, units=tuple(shared("blog", rest_mib=rest, auth_mib=8))) for rest in (58, 18)]
    account = capacity(measured(blog), [blog], earlier)
    [amount] = [amount for amount in account.account if amount.name == "blog"]
    assert amount.counted_bytes == (60 + 10) * MIB + BACKENDS
    assert amount.is_measured
    assert account.service_costs == {"auth": 10 * MIB, "rest": 60 * MIB}


def test_project_that_nobody_saw_awake_counts_as_the_average_of_the_others() -> None:
    seen = [project("a-one", 1), project("a-two", 2)]
    units = (*shared("a-one", rest_mib=18, auth_mib=8), *shared("a-two", rest_mib=38))
    account = capacity(host(*seen, units=units), [*seen, project("new", 3)])
    assert account.service_costs == {"auth": 10 * MIB, "rest": 30 * MIB}
    assert amounts(account)["new"] == (40 * MIB + BACKENDS) // MIB
    assert amounts(account)["a-two"] == (50 * MIB + BACKENDS) // MIB


def test_isolated_project_counts_with_its_limit_whatever_it_uses() -> None:
    shop = project("shop", architecture="isolated", limits={"memory": "2G"})
    account = found(shop)
    assert amounts(account)["shop"] == 2048 + BACKENDS // MIB
    assert (account.isolated, account.shared, account.needs.memory_sleepers) == (1, 0, 0)


def test_dedicated_database_counts_in_the_limit_and_needs_no_connections_of_the_hosts() -> None:
    shop = project("shop", architecture="isolated", database="dedicated", limits={"memory": "2G"})
    account = found(shop)
    assert amounts(account)["shop"] == 2048
    assert (account.needs.connections_fixed, account.needs.connections_sleepers) == (0, 0)
    more = propose(account, shop).checks
    assert [check.words for check in more if check.resource == "connections"] == [
        check.words for check in account.now.checks if check.resource == "connections"
    ]


def test_paused_project_counts_with_nothing() -> None:
    account = found(project("blog", state="paused"))
    assert amounts(account)["blog"] == 0
    assert account.needs.connections_sleepers == 0


def test_project_that_never_sleeps_counts_always() -> None:
    account = found(project("blog", idle_timeout="never"))
    assert (account.needs.memory_sleepers, account.needs.connections_fixed) == (0, 6)


def test_projects_of_other_hosts_do_not_count() -> None:
    elsewhere = project("shop", 2, host="bravo")
    assert capacity(measured(), [elsewhere]).shared == 0


def test_project_declared_since_the_measurement_counts() -> None:
    assert capacity(measured(), [project("new")]).needs.memory_sleepers == EACH_SHARED


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [("1G", "fits"), ("2G", "fits"), ("3G", "refused")],
)
def test_verdict_on_an_isolated_project(limit: str, verdict: str) -> None:
    proposed = project("shop", architecture="isolated", limits={"memory": limit})
    assert propose(found(), proposed).verdict == verdict


def test_shared_projects_fit_then_are_tight_then_refused() -> None:
    account = found(postgres=SERVER | {"max_connections": 2000})
    assert 0 < account.shared_more < account.shared_most
    for count, verdict in ((account.shared_more, "fits"), (account.shared_more + 1, "tight")):
        assert resource(what_if(account, count, 0), "memory") == verdict
    assert resource(what_if(account, account.shared_most + 1, 0), "memory") == "refused"
    assert account.shared_most == pytest.approx(2 * account.shared_more, abs=2)  # half of them are awake


def test_mixes_say_how_many_shared_go_beside_each_isolated() -> None:
    account = found()
    assert account.mixes[0] == Mix(isolated=0, shared=account.shared_more)
    assert [mix.isolated for mix in account.mixes] == list(range(account.isolated_more + 1))
    for mix in account.mixes:
        assert what_if(account, mix.shared, mix.isolated).room == "fits"
        assert what_if(account, mix.shared + 1, mix.isolated).room != "fits"


def test_connections_can_be_what_runs_out() -> None:
    account = found(postgres=SERVER | {"max_connections": 34})
    assert (account.shared_more, account.shared_most) == (4, 8)  # 24 of 34, 6 for each
    judgement = what_if(account, 9, 0)
    assert (judgement.verdict, resource(judgement, "memory")) == ("refused", "fits")
    assert judgement.words == "connections: 3 of 24 are missing even with 50 % of the shared projects awake"


@pytest.mark.parametrize(("free", "verdict"), [(4000, "refused"), (9000, "tight"), (50_000, "fits")])
def test_disk_can_be_what_runs_out(free: int, verdict: str) -> None:
    disks = [
        {"path": "/", "total_bytes": 100_000 * MIB, "free_bytes": 60_000 * MIB},
        {"path": "/var/lib/postgresql", "total_bytes": 100_000 * MIB, "free_bytes": free * MIB},
    ]
    judgement = propose(found(disks=disks), project("blog"))
    assert judgement.verdict == verdict
    assert verdict == "fits" or "/var/lib/postgresql" in judgement.words


def test_busy_processor_warns_and_takes_no_room() -> None:
    account = found(load=[9.0, 9.0, 9.0])
    assert (account.now.verdict, account.now.room) == ("tight", "fits")
    assert account.now.words == "cpu: load 4.5 per core over 15 minutes"
    assert account.shared_more == found().shared_more


def test_more_isolated_projects_than_cores_is_tight() -> None:
    account = found(cpus=1, total_mib=16_384)
    assert [what_if(account, 0, count).verdict for count in (1, 2)] == ["fits", "tight"]


def test_host_whose_postgres_does_not_answer_is_not_praised() -> None:
    account = found(postgres=None, postgres_error="down")
    assert (account.now.verdict, account.now.words) == ("tight", "connections: PostgreSQL did not answer")


def test_arithmetic_in_words() -> None:
    proposed = project("shop", 2, architecture="isolated", limits={"memory": "3G"})
    assert arithmetic(found(project("blog")), proposed) == (
        "410 MiB reserve + 300 MiB system + 20 MiB nginx + 819 MiB postgres + 92 MiB shared projects, all awake"
        " + 3.0 GiB shop = 4.6 GiB of 4 GiB"
    )
    refused = propose(found(project("blog")), proposed)
    assert refused.words.startswith("memory: ")
    assert refused.words.endswith("of 4 GiB are missing even with 50 % of the shared projects awake")


@pytest.mark.parametrize(
    ("mib", "row"),
    [(2048, None), (3800, 4), (4096, 4), (7900, 8), (12_000, 8), (16_384, 16), (131_072, 16)],
)
def test_guidance_is_the_row_that_a_host_reaches(mib: int, row: int | None) -> None:
    said = guidance().host(mib * MIB)
    assert (said.memory // GIB if said else None) == row


def test_guidance_file_is_sound_and_rises_with_memory() -> None:
    rules = guidance()
    assert isinstance(rules, Guidance)
    assert [row.memory for row in rules.hosts] == sorted(row.memory for row in rules.hosts)
    assert rules.disk.refused_percent < rules.disk.tight_percent
