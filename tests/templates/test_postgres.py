"""The settings of PostgreSQL follow from the memory of the host and from nothing else."""

import pytest
from rendering import FACTS, evaluate, lines, project, render


def settings(**given: object) -> dict[str, str]:
    """Return the rendered settings by name."""
    return dict(line.split(" = ", 1) for line in lines(render("postgres", "berth.conf.j2", **given)))


def dedicated(memory: str = "1G", connections: int = 20, networks: tuple[str, ...] = ()) -> dict:
    """Return what the templates see of the cluster of one project."""
    limits = {"memory": memory, "connections": connections}
    item = project("two-words", architecture="isolated", database="dedicated", limits=limits)
    return {"item": item | {"connections": item["limits"]["connections"], "allowed_cidrs": networks}}


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


@pytest.mark.parametrize(
    ("limit", "buffers", "cache", "maintenance"),
    [("640M", "51MB", "128MB", "8MB"), ("2G", "332MB", "832MB", "52MB")],
)
def test_limit_of_its_project_decides_in_a_dedicated_cluster(
    limit: str, buffers: str, cache: str, maintenance: str
) -> None:
    found = settings(**dedicated(memory=limit, connections=30))
    assert found["shared_buffers"] == buffers
    assert found["effective_cache_size"] == cache
    assert found["max_connections"] == "40"
    assert found["maintenance_work_mem"] == maintenance


def test_dedicated_cluster_is_shut_in_and_takes_no_settings_of_the_hosts() -> None:
    given = {"postgres_listen_addresses": ["127.0.0.1"], "postgres_settings": {"shared_buffers": "1GB"}}
    found = settings(**given, **dedicated())
    assert found["listen_addresses"] == "''"
    assert found["shared_buffers"] != "'1GB'"
    assert found["external_pid_file"] == "'/run/postgresql/17-berth_two_words.pid'"
    unit = lines(render("postgres", "dedicated.service.conf.j2", **dedicated()))
    assert "Slice=berth-two_words.slice" in unit
    logins = [line.split() for line in lines(render("postgres", "ident.conf.j2", **dedicated()))]
    assert [login[2] for login in logins if login[1] == "berth-two-words"] == ["two_words_rest", "two_words_auth"]


@pytest.mark.parametrize("template", ["berth.conf.j2", "ident.conf.j2", "pg_hba.conf.j2"])
def test_loop_around_the_role_makes_no_dedicated_cluster_of_the_hosts(template: str) -> None:
    assert render("postgres", template, item="postgres") == render("postgres", template)


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
    assert rules[-1] == ["local", "all", "all", "reject"]
    assert lines(render("postgres", "pg_hba_end.conf.j2"))[0].split() == ["host", "all", "all", "all", "reject"]


def test_addresses_of_the_network_are_served_with_tls_alone() -> None:
    text = lines(render("postgres", "berth.conf.j2", postgres_listen_addresses=["203.0.113.1"]))
    assert {"listen_addresses = '203.0.113.1'", "ssl = on", "ssl_min_protocol_version = 'TLSv1.2'"} <= set(text)
    assert "ssl_cert_file = '/etc/berth/postgres/tls/server.crt'" in text
    named = {"postgres_tls_certificate": "/etc/ssl/db.crt", "postgres_tls_key": "/etc/ssl/private/db.key"}
    text = lines(render("postgres", "berth.conf.j2", postgres_listen_addresses=["*"], **named))
    assert {"ssl_cert_file = '/etc/ssl/db.crt'", "ssl_key_file = '/etc/ssl/private/db.key'"} <= set(text)


def test_dedicated_cluster_listens_and_lets_its_owner_in_where_networks_are_declared() -> None:
    addresses = {"postgres_listen_addresses": ["203.0.113.1"]}
    closed, opened = dedicated(), dedicated(networks=("198.51.100.7/32",))
    assert settings(**addresses, **closed)["listen_addresses"] == "''"
    assert settings(**addresses, **opened)["listen_addresses"] == "'203.0.113.1'"
    assert settings(**addresses, **opened)["ssl"] == "on"
    rules = [
        [line.split() for line in lines(render("postgres", "pg_hba.conf.j2", **given))] for given in (closed, opened)
    ]
    way_in = ["hostssl", "two_words", "two_words_owner", "198.51.100.7/32", "scram-sha-256"]
    assert rules[1] == [*rules[0][:-1], way_in, rules[0][-1]]
    assert rules[0][-1] == ["host", "all", "all", "all", "reject"]
