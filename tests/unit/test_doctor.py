"""What the doctor finds in measurements and holdings, what it leaves alone, and that each finding has a remedy."""

from datetime import timedelta
from typing import Any

import pytest
from measured import MIB, host, project, report, shared, unit

from berth.capacity import capacity
from berth.doctor import Finding, Holdings, drift, examine, unreachable
from berth.models import Project
from berth.run_events import Change, Failure
from berth.status import HostStatus, host_status

BLOG = project("my-blog")
DATABASES = [{"name": "my_blog", "size_bytes": 9 * MIB, "connections": 2, "connection_limit": 20}]
SERVER = report()["postgres"] | {"databases": DATABASES}
SOUND = (unit("nginx.service", mib=10), unit("postgresql@17-berth.service", mib=100), *shared("my-blog"))


def thing(kind: str, owner: str, name: str) -> dict[str, str]:
    """One thing on a host."""
    return {"kind": kind, "owner": owner, "thing": name}


THINGS = (
    thing("database", "my_blog", "my_blog"),
    thing("role", "my_blog", "my_blog_rest"),
    thing("user", "my-blog", "berth-my-blog"),
    thing("unit", "my-blog", "berth-rest-wake@my-blog.socket"),
    thing("socket", "my-blog", "/run/berth/wake/my-blog-rest.sock"),
    thing("socket", "my-blog", "/run/berth/wake/my-blog-auth.sock"),
    thing("file", "my-blog", "/etc/nginx/berth/projects/my-blog"),
)


def status(*units: dict, of: Project = BLOG, **values: Any) -> HostStatus:
    """A sound host with one project, or with these units and values instead."""
    return host_status("alpha", report(*(units or SOUND), **{"postgres": SERVER, **values}), [of])


def found(
    measured: HostStatus, *things: dict, declared: tuple[Project, ...] = (BLOG,), gateway_error: str = ""
) -> list[Finding]:
    """The findings on that host, holding these things."""
    holdings = Holdings.model_validate({"things": list(things or THINGS), "gateway_error": gateway_error})
    return examine(measured, holdings, declared, capacity(measured, declared))


def told(findings: list[Finding]) -> list[tuple[str, str | None, bool]]:
    """Kind, project and whether it can be repaired."""
    return [(finding.kind, finding.project, finding.fixable) for finding in findings]


def without(kind: str, word: str = "") -> tuple[dict, ...]:
    """The things without those of a kind whose name has a word."""
    return tuple(one for one in THINGS if one["kind"] != kind or word not in one["thing"])


def test_sound_host_has_no_findings() -> None:
    assert found(status()) == []


def test_awake_project_is_no_finding() -> None:
    assert found(status(*SOUND[:2], *shared("my-blog", rest_mib=20, auth_mib=10))) == []


@pytest.mark.parametrize(
    ("values", "kind", "word"),
    [
        ({"disks": [{"path": "/var", "total_bytes": 100, "free_bytes": 4}]}, "disk", "free on /var"),
        ({"used_mib": 4000}, "memory", "96 MiB of 4 GiB"),
        ({"postgres": SERVER | {"connections": 181}}, "connections", "181 of 200"),
        ({"postgres": SERVER | {"wal_bytes": 3000 * MIB}}, "wal", "2.9 GiB, 1 GiB is meant"),
    ],
)
def test_what_runs_out_is_found(values: dict, kind: str, word: str) -> None:
    [one] = [finding for finding in found(status(**values)) if finding.kind == kind and "promised" not in finding.what]
    assert word in one.what
    assert (one.remedy != "", one.fixable) == (True, False)


@pytest.mark.parametrize(
    ("active", "retained", "word"),
    [(False, 0, "is used by nobody"), (True, 2048 * MIB, "is used and holds back 2 GiB")],
)
def test_slot_that_holds_wal_back_is_found(active: bool, retained: int, word: str) -> None:
    slot = {"name": "old", "active": active, "retained_bytes": retained}
    [one] = found(status(postgres=SERVER | {"slots": [slot]}))
    assert (one.kind, word in one.what) == ("slot", True)
    assert "pg_drop_replication_slot('old')" in one.remedy


def test_slot_that_is_read_in_time_is_no_finding() -> None:
    slot = {"name": "fresh", "active": True, "retained_bytes": MIB}
    assert found(status(postgres=SERVER | {"slots": [slot]})) == []


@pytest.mark.parametrize(("days", "told"), [(-1, "ended on"), (20, "ends on"), (22, None)])
def test_certificate_is_told_of_in_time(days: int, told: str | None) -> None:
    host = status()
    shown = {"path": "/etc/berth/postgres/tls/server.crt", "expires": host.measured_at + timedelta(days=days)}
    listed = found(status(postgres=SERVER | {"certificate": shown}))
    assert [one.kind for one in listed] == (["certificate"] if told else [])
    assert told is None or f"server.crt, {told}" in listed[0].what


def test_more_promised_than_there_is_is_found() -> None:
    large = project("large", 2, architecture="isolated", limits={"memory": "8G"})
    [one] = [one for one in found(status(), declared=(BLOG, large)) if one.kind == "memory"]
    assert one.what.startswith("more is promised than there is: memory: ")


def test_postgres_that_does_not_answer_is_one_finding() -> None:
    units = (unit("nginx.service"), unit("postgresql@17-berth.service", "failed"), *shared("my-blog"))
    down = status(*units, postgres=None, postgres_error="no socket", failed_units=["postgresql@17-berth.service"])
    [one] = [one for one in found(down) if "postgres" in one.what.lower()]
    assert (one.kind, one.fixable, "no socket" in one.what) == ("postgres", True, True)


@pytest.mark.parametrize("state", ["failed", "inactive"])
def test_service_of_the_host_that_does_not_run_is_found(state: str) -> None:
    units = (unit("nginx.service", state), *SOUND[1:])
    [one] = found(status(*units, failed_units=["nginx.service"] if state == "failed" else []))
    assert (one.kind, one.fixable, "journalctl -u nginx.service" in one.remedy) == ("service", True, True)


def test_configuration_that_nginx_refuses_is_found() -> None:
    [one] = found(status(), gateway_error="unknown directive in /etc/nginx/x:1")
    assert (one.kind, "unknown directive" in one.what) == ("gateway", True)


def test_socket_that_is_stopped_is_found() -> None:
    units = [one | {"active": "inactive"} if one["name"].endswith("rest-wake@my-blog.socket") else one for one in SOUND]
    [one] = found(status(*units))
    assert (one.kind, one.project, one.what, one.fixable) == ("service", "my-blog", "no request wakes rest", True)


def test_socket_whose_file_is_gone_is_found() -> None:
    [one] = found(status(), *without("socket", "rest"))
    assert (one.kind, one.what, one.fixable) == (
        "socket",
        "the socket of rest is gone, so that no request reaches it",
        True,
    )


def test_failed_service_is_one_finding_though_its_unit_has_failed_too() -> None:
    name = "berth-rest@my-blog.service"
    units = [one | {"active": "failed"} if one["name"] == name else one for one in SOUND]
    [one] = found(status(*units, failed_units=[name]))
    assert (one.project, one.what) == ("my-blog", "rest has failed")
    assert "berth logs my-blog --service rest" in one.remedy


def test_failed_unit_of_somebody_else_is_found_and_left_alone() -> None:
    [one] = found(status(failed_units=["apt-daily.service"]))
    assert told([one]) == [("unit", None, False)]


def test_missing_route_is_found() -> None:
    assert told(found(status(), *without("file"))) == [("route", "my-blog", True)]


def test_missing_database_is_found_and_never_repaired() -> None:
    lost = status(postgres=SERVER | {"databases": []})
    assert told(found(lost, *without("database"))) == [("database", "my-blog", False)]


def test_project_that_was_never_applied_is_one_finding() -> None:
    new = status(*SOUND[:2], postgres=SERVER | {"databases": []})
    assert told(found(new, thing("user", "other", "berth-other"))[:1]) == [("absent", "my-blog", True)]


OWN = project("my-blog", architecture="isolated", database="dedicated")


def test_dedicated_database_that_answers_is_no_finding_and_silent_is_one() -> None:
    elsewhere = SERVER | {"databases": []}
    sound = status(of=OWN, postgres=elsewhere, dedicated={"my-blog": SERVER})
    assert found(sound, declared=(OWN,)) == []
    assert sound.projects[0].database_bytes == 9 * MIB
    stopped = unit("postgresql@17-berth_my_blog.service", "inactive", slice="berth-my_blog.slice")
    silent = status(*SOUND, stopped, of=OWN, postgres=elsewhere)
    assert told(found(silent, declared=(OWN,))) == [("postgres", "my-blog", True)]


def test_paused_dedicated_database_does_not_answer_and_is_no_finding() -> None:
    paused = OWN.model_copy(update={"state": "paused"})
    asleep = status(*SOUND[:2], of=paused, postgres=SERVER | {"databases": []})
    assert [one.kind for one in found(asleep, declared=(paused,)) if one.kind in ("postgres", "database")] == []


def test_wal_of_a_dedicated_database_is_told_of_its_project() -> None:
    kept = SERVER | {"slots": [{"name": "old", "active": False, "retained_bytes": 0}]}
    measured = status(of=OWN, postgres=SERVER, dedicated={"my-blog": kept})
    assert told(found(measured, declared=(OWN,))) == [("slot", "my-blog", False)]


def test_cluster_that_nobody_declares_is_an_orphan() -> None:
    [one] = found(status(), *THINGS, thing("cluster", "old_shop", "17/berth_old_shop"))
    assert told([one]) == [("orphan", "old_shop", False)]
    assert one.what == "cluster 17/berth_old_shop: of old_shop, which no file declares"


def test_connections_of_a_project_that_are_used_up_are_found() -> None:
    full = [DATABASES[0] | {"connections": 20}]
    assert told(found(status(postgres=SERVER | {"databases": full}))) == [("connections", "my-blog", False)]


def test_paused_project_that_runs_or_wakes_is_found() -> None:
    paused = project("my-blog", state="paused")
    assert {one.kind for one in found(status(of=paused), declared=(paused,))} == {"paused"}


def test_orphan_is_one_finding_with_all_that_it_left() -> None:
    left = (
        thing("database", "old_shop", "old_shop"),
        thing("role", "old_shop", "old_shop_rest"),
        thing("user", "old-shop", "berth-old-shop"),
        thing("file", "old-shop", "/etc/berth/projects/old-shop"),
        thing("file", "old-shop", "/var/log/nginx/berth/old-shop.log"),
    )
    [one] = found(status(), *THINGS, *left)
    assert told([one]) == [("orphan", "old-shop", False)]
    assert one.what.startswith("database old_shop, role old_shop_rest, user berth-old-shop, file ")
    assert "and 1 more: of old-shop, which no file declares" in one.what
    assert "berth remove old-shop" in one.remedy


def test_what_a_project_of_another_host_left_is_found() -> None:
    moved = project("shop", 2, host="bravo")
    [one] = found(status(), *THINGS, thing("user", "shop", "berth-shop"), declared=(BLOG, moved))
    assert "which is declared on bravo" in one.what


def test_drift_is_told_by_task_with_the_first_lines() -> None:
    diff = "--- before\n+++ after\n@@ -1 +1 @@\n-rate=1\n+rate=2\n"
    changes = [Change("alpha", "Ensure the routes", (diff,)), Change("bravo", "Ensure the units")]
    first, second = drift(changes, [], "my-blog")
    assert first.what == "differs from what is declared: Ensure the routes: -rate=1 | +rate=2"
    assert (first.host, first.project, first.fixable) == ("alpha", "my-blog", True)
    assert "berth plan my-blog" in first.remedy
    assert second.what == "differs from what is declared: Ensure the units"


def test_check_that_fails_is_a_finding_that_cannot_be_repaired() -> None:
    [one] = drift([], [Failure("alpha", "Require enough memory", "256 MB\nare not enough")], None)
    assert (one.what, one.fixable) == ("cannot be checked: Require enough memory: 256 MB are not enough", False)


def test_host_that_is_down_is_a_finding() -> None:
    assert "timed out" in unreachable("alpha", "timed out").what


def test_host_with_nothing_on_it_is_no_failure_of_the_doctor() -> None:
    bare = host(postgres=None, postgres_error="no socket")
    assert [one.kind for one in found(bare, thing("user", "x", "berth-x"), declared=())] == ["postgres", "orphan"]
