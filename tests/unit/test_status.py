"""What comes of a report of a host: states, sums, and which unit counts for which project."""

import pytest
from measured import MIB, host, project, report, shared, unit
from pydantic import ValidationError

from berth.models import Project
from berth.status import HostStatus, host_status

BLOG = project("blog")


def state_of(*units: dict, of: Project = BLOG) -> str:
    """The state of one project with these units."""
    return host(of, units=units).project(of.name).state


def test_project_sums_up_workers_and_the_proxies_that_hold_them_awake() -> None:
    found = host(BLOG, units=tuple(shared("blog", rest_mib=18, auth_mib=10))).project("blog")
    assert [(service.name, service.memory_bytes // MIB) for service in found.services] == [("rest", 20), ("auth", 12)]
    assert (found.memory_bytes, found.connections, found.connection_limit) == (32 * MIB, 2, 20)
    assert found.database_bytes == 9 * MIB


def test_units_of_another_project_do_not_count() -> None:
    found = host(BLOG, project("blog-two", 2), units=(*shared("blog"), *shared("blog-two", rest_mib=18)))
    assert [item.memory_bytes // MIB for item in found.projects] == [0, 20]


def test_isolated_project_has_its_own_services_and_all_that_its_slice_holds() -> None:
    shop = project("my-shop", architecture="isolated")
    inside = {"slice": "berth-my_shop.slice"}
    units = (
        unit("berth-rest@my-shop.service", mib=30, **inside),
        unit("berth-rest-wake@my-shop.socket", slice="system.slice"),
        unit("berth-meta@my-shop.service", mib=20, **inside),
        unit("berth-meta-wake@my-shop.socket", slice="system.slice"),
        unit("postgresql@17-berth_my_shop.service", mib=100, **inside),
        unit("berth-rest@blog.service", mib=7, slice="berth.slice"),
    )
    found = host_status("alpha", report(*units, offered=["rest"]), [shop]).project("my-shop")
    assert [(service.name, service.memory_bytes // MIB) for service in found.services] == [
        ("rest", 30),
        ("meta", 20),
        ("postgres", 100),
    ]
    assert (found.state, found.memory_bytes) == ("awake", 150 * MIB)


def test_memory_is_divided_without_rest() -> None:
    units = (unit("nginx.service", mib=10), unit("postgresql@17-berth.service", mib=200), unit("ssh.service", mib=5))
    found = host(BLOG, units=(*units, *shared("blog", rest_mib=18)), used_mib=600)
    parts = [service.held_bytes for service in (*found.services, *found.projects)]
    assert found.system_bytes + sum(parts) == found.memory_used_bytes == 600 * MIB
    assert {service.name for service in found.services} == {"nginx", "postgres"}


def test_page_cache_is_memory_that_is_not_held() -> None:
    found = host(units=(unit("postgresql@17-berth.service", mib=500, cache_bytes=300 * MIB, peak_bytes=900 * MIB),))
    postgres = found.service("postgres")
    assert (postgres.memory_bytes, postgres.held_bytes, postgres.peak_bytes) == (500 * MIB, 200 * MIB, 900 * MIB)


@pytest.mark.parametrize(
    ("worker", "socket", "expected"),
    [
        (unit("berth-rest@blog.service"), "active", "awake"),
        (unit("berth-rest@blog.service", "activating", sub="start-post"), "active", "awake"),
        (unit("berth-rest@blog.service", "inactive"), "active", "asleep"),
        (unit("berth-rest@blog.service", "inactive"), "inactive", "stopped"),
        (unit("berth-rest@blog.service", "inactive"), "failed", "failed"),
        (unit("berth-rest@blog.service", "failed"), "active", "failed"),
        (unit("berth-rest@blog.service", "activating", sub="auto-restart"), "active", "failed"),
    ],
)
def test_state_of_a_service(worker: dict, socket: str, expected: str) -> None:
    units = (worker, unit("berth-rest-wake@blog.socket", socket))
    found = host_status("alpha", report(*units, offered=["rest"]), [BLOG]).project("blog")
    assert (found.services[0].state, found.state) == (expected, expected)


def test_project_that_is_not_on_its_host_is_stopped() -> None:
    assert state_of() == "stopped"
    assert host(project("new", 2), units=()).project("new").database_bytes is None


def test_paused_project_is_paused_only_when_nothing_of_it_runs() -> None:
    paused = project("blog", state="paused")
    assert state_of(of=paused) == "paused"
    assert state_of(*shared("blog", rest_mib=18), of=paused) == "awake"


def test_service_of_the_host_sleeps_while_its_socket_waits() -> None:
    idle = (unit("berth-meta.service", "inactive"), unit("berth-meta-wake.service", "inactive"))
    assert host(units=(*idle, unit("berth-meta-wake.socket"))).service("meta").state == "asleep"
    assert host(units=idle).service("meta").state == "stopped"


def test_host_without_postgres_is_told_of_with_the_reason() -> None:
    found = host_status("alpha", report(postgres=None, postgres_error="no such socket"), [BLOG])
    assert (found.postgres, found.postgres_error, found.project("blog").database_bytes) == (
        None,
        "no such socket",
        None,
    )


def test_report_that_has_other_keys_is_refused() -> None:
    with pytest.raises(ValidationError, match="surprise"):
        host_status("alpha", report(surprise=1), [])


def test_status_survives_json() -> None:
    found = host(BLOG, units=tuple(shared("blog", rest_mib=18)))
    assert HostStatus.model_validate_json(found.model_dump_json()) == found
