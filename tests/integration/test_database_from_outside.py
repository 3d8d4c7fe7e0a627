"""Logging in to the database of a project over the network: from where it is declared, as the owner, with TLS."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from fleet import Fleet
from fleet.commands import Berth

from berth.names import database_name
from berth.secrets import SecretStore

HERE = "10.88.0.1"  # this machine, as the hosts see it
PORTS = {"alone": 10009}  # of the project with a cluster of its own


def log_in(
    fleet: Fleet, name: str, *, database: str = "", sslmode: str = "require", password: str = ""
) -> psycopg.Connection:
    """Return a connection over the network as the owner of a project."""
    return psycopg.connect(
        host=fleet.variables["trixie"]["ansible_host"],
        port=PORTS.get(name, 5432),
        user=f"{database_name(name)}_owner",
        password=password or SecretStore(fleet.inventory).project(name).owner_password,
        dbname=database or database_name(name),
        sslmode=sslmode,
        connect_timeout=20,
    )


@pytest.mark.parametrize("name", ["one", "alone"])
def test_owner_logs_in_with_tls(fleet: Fleet, name: str) -> None:
    with log_in(fleet, name) as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("SELECT current_database(), session_user").fetchone() == (name, f"{name}_owner")


@pytest.mark.parametrize(
    ("name", "options", "answer"),
    [
        ("one", {"sslmode": "disable"}, "no encryption"),
        ("one", {"password": "wrong"}, "password authentication failed"),
        ("one", {"database": "three"}, "pg_hba.conf rejects"),
        ("two-words", {}, "pg_hba.conf rejects"),
        ("two-words", {"database": "one"}, "pg_hba.conf rejects"),
        ("alone", {"sslmode": "disable"}, "no encryption"),
        ("alone", {"database": "postgres"}, "pg_hba.conf rejects"),
    ],
)
def test_all_else_is_refused(fleet: Fleet, name: str, options: dict[str, str], answer: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=answer.replace(".", r"\.")):
        log_in(fleet, name, **options)


def test_services_of_the_project_have_no_way_from_outside(fleet: Fleet) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
        psycopg.connect(
            host=fleet.variables["trixie"]["ansible_host"], user="one_rest", dbname="one", connect_timeout=20
        )


def test_another_address_is_refused(fleet: Fleet) -> None:
    address = fleet.variables["trixie"]["ansible_host"]
    password = SecretStore(fleet.inventory).project("one").owner_password
    refused = fleet.on(
        "bookworm",
        f"read -r PGPASSWORD; export PGPASSWORD; psql -h {address} -U one_owner -d one -c 'SELECT 1' 2>&1",
        check=False,
        stdin=f"{password}\n",
    )
    assert "pg_hba.conf rejects" in refused


def test_declared_networks_come_and_go_without_a_restart(fleet: Fleet, berth: Berth) -> None:
    began = fleet.on("trixie", "systemctl show --value --property=ExecMainStartTimestampMonotonic 'postgresql@*-berth'")
    berth.answer("update", "three", f"database_allowed_cidrs=[{HERE}/32]", "--json")
    with log_in(fleet, "three") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    berth.answer("update", "three", "database_allowed_cidrs=[]", "--json")
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
        log_in(fleet, "three")
    assert began == fleet.on(
        "trixie", "systemctl show --value --property=ExecMainStartTimestampMonotonic 'postgresql@*-berth'"
    )


def test_host_that_listens_nowhere_refuses_the_networks_and_changes_nothing(fleet: Fleet, berth: Berth) -> None:
    done = berth("update", "twelve", f"database_allowed_cidrs=[{HERE}/32]", "--plan", "--json")
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert "twelve has database_allowed_cidrs" in told
    assert "set postgres_listen_addresses" in told
    assert json.loads(berth("show", "twelve", "--json").stdout)["database_allowed_cidrs"] == []


def test_measurement_knows_when_the_certificate_ends(berth: Berth) -> None:
    hosts = {host["name"]: host["postgres"] for host in berth.answer("status", "--json")["hosts"]}
    shown = hosts["trixie"]["certificate"]
    assert shown["path"] == "/etc/berth/postgres/tls/server.crt"
    assert datetime.fromisoformat(shown["expires"]) > datetime.now(UTC) + timedelta(days=3600)
    assert hosts["bookworm"]["certificate"] is None  # it listens on no network
