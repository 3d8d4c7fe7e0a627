"""The settings of PostgreSQL follow from the memory of the host and from nothing else."""

import pytest
from rendering import FACTS, evaluate, lines, render


def settings(**given: object) -> dict[str, str]:
    """Return the rendered settings by name."""
    return dict(line.split(" = ", 1) for line in lines(render("postgres", "berth.conf.j2", **given)))


@pytest.mark.parametrize(
    ("memory", "buffers", "cache", "connections", "maintenance"),
    [
        (512, "102MB", "256MB", "100", "16MB"),
        (4096, "819MB", "2048MB", "204", "128MB"),
        (65536, "13107MB", "32768MB", "1000", "1024MB"),
    ],
)
def test_memory_decides(memory: int, buffers: str, cache: str, connections: str, maintenance: str) -> None:
    found = settings(postgres_host_memory_mb=memory)
    assert found["shared_buffers"] == buffers
    assert found["effective_cache_size"] == cache
    assert found["max_connections"] == connections
    assert found["maintenance_work_mem"] == maintenance


def test_nothing_listens_on_tcp_unless_asked_for() -> None:
    assert settings()["listen_addresses"] == "''"
    assert settings(postgres_listen_addresses=["127.0.0.1", "::1"])["listen_addresses"] == "'127.0.0.1,::1'"


def test_statements_of_customers_stay_out_of_the_log() -> None:
    assert settings()["log_statement"] == "'none'"
    assert settings()["log_min_error_statement"] == "panic"


def test_own_settings_come_last_and_are_quoted() -> None:
    text = lines(render("postgres", "berth.conf.j2", postgres_settings={"work_mem": "8MB", "search_path": "a'b"}))
    assert text[-2:] == ["search_path = 'a''b'", "work_mem = '8MB'"]


@pytest.mark.parametrize(
    ("distribution", "release", "version"),
    [("Debian", "12", "15"), ("Debian", "13", "17"), ("Ubuntu", "24", "16"), ("Fedora", "42", "")],
)
def test_version_is_the_one_of_the_distribution(distribution: str, release: str, version: str) -> None:
    facts = FACTS | {"distribution": distribution, "distribution_major_version": release}
    assert evaluate("postgres", "postgres_version", ansible_facts=facts) == version


def test_a_login_reaches_no_database_but_its_own() -> None:
    rules = [line.split() for line in lines(render("postgres", "pg_hba.conf.j2"))]
    allowed = {(rule[1], rule[2]) for rule in rules if rule[-1] != "reject"}
    assert allowed == {
        ("all", "supabase_admin"),
        ("berth_template", "berth_template_auth"),
        ("samerole", "+berth_service"),
        ("samerole", "+berth_customer"),
    }
    assert rules[-2:] == [["local", "all", "all", "reject"], ["host", "all", "all", "all", "reject"]]
