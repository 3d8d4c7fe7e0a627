"""Logins of one project reach no other database, neither with a system user nor with a password."""

import re

import psycopg
import pytest
from fleet.pairs import NAMES, pairs

CLOSED = ("postgres", "template1", "template0", "berth_template")


@pytest.fixture(params=pairs())
def pair(fleet, request):
    """Give the attacking and the attacked project."""
    return tuple(fleet.project(name) for name in request.param)


def login(fleet, project, role, database, cluster=None):
    """Returns what PostgreSQL answers to a login by the project's system user, without a password."""
    cluster = cluster or project.cluster
    where = f"host={cluster.socket_directory} port={cluster.port}"
    options = f"{where} user={role} dbname={database} connect_timeout=5"
    command = f"runuser --user berth-{project.name} -- psql -wAtc 'SELECT current_database()' '{options}' 2>&1"
    return fleet.on(project.host, command, check=False)


def refused(answer):
    """Whether PostgreSQL itself refused the login (not, say, a missing psql)."""
    return bool(re.search(r"FATAL:.*(reject|authentication failed|permission denied|not currently accept)", answer))


def test_system_user_reaches_no_role_or_database_of_another(fleet, pair):
    mine, theirs = pair
    for service in ("rest", "auth", "owner"):
        attempts = [
            (f"{theirs.database}_{service}", theirs.database),
            (f"{mine.database}_{service}", theirs.database),
            (f"{theirs.database}_{service}", mine.database),
        ]
        for cluster in {mine.cluster, theirs.cluster}:
            for role, database in attempts:
                answer = login(fleet, mine, role, database, cluster)
                assert refused(answer) or (service == "owner" and "no password supplied" in answer), (role, answer)


@pytest.mark.parametrize("name", NAMES)
def test_system_user_reaches_its_own_roles_and_database(fleet, name):
    project = fleet.project(name)
    for service in ("rest", "auth"):
        assert login(fleet, project, f"{project.database}_{service}", project.database) == project.database


@pytest.mark.parametrize("database", ["one", "two_words", *CLOSED])
def test_system_user_is_no_administrator(fleet, database):
    one = fleet.project("one")
    for role in ("supabase_admin", "postgres", "root", "service_role", "supabase_auth_admin", "berth_template_auth"):
        answer = login(fleet, one, role, database)
        assert refused(answer) or "does not exist" in answer, (role, answer)


@pytest.mark.parametrize(("host", "ports"), [("trixie", [5432, 10009]), ("bookworm", [])])
def test_postgres_listens_on_declared_network_addresses_alone(fleet, host, ports):
    listening = fleet.on(host, "ss --listening --numeric --processes --tcp --no-header").splitlines()
    addresses = sorted((line.split()[3] for line in listening if '"postgres"' in line), key=len)
    assert addresses == [f"{fleet.variables[host]['ansible_host']}:{port}" for port in ports]
    assert any("nginx" in line for line in listening)
    assert '"postgres"' in fleet.on(host, "ss --listening --numeric --processes --unix")


def into(project, database):
    """Connects with the owner's password to a database."""
    return psycopg.connect(project.db_url, dbname=database, connect_timeout=10)


def test_password_of_an_owner_opens_no_other_project(pair):
    mine, theirs = pair
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
        into(mine, theirs.database)
    told = "password authentication failed" if mine.cluster == theirs.cluster else r"pg_hba\.conf rejects"
    with pytest.raises(psycopg.OperationalError, match=told):
        psycopg.connect(mine.db_url, user=f"{theirs.database}_owner", dbname=theirs.database, connect_timeout=10)


@pytest.mark.parametrize("name", NAMES)
def test_password_of_an_owner_opens_the_own_database_alone(fleet, name):
    project = fleet.project(name)
    for database in CLOSED:
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
            into(project, database)
    with into(project, project.database) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (project.database,)


@pytest.mark.parametrize("name", NAMES)
def test_without_pg_hba_all_other_databases_are_closed_still(fleet, name):
    """The second lock: CONNECT itself, asked of PostgreSQL for every login role."""
    project = fleet.project(name)
    query = """SELECT string_agg(datname, ' ') FROM pg_database
        WHERE datallowconn AND has_database_privilege(:'role', oid, 'CONNECT')"""
    for service in ("rest", "auth", "owner"):
        psql = f"psql {project.psql} -U supabase_admin -d postgres -At -v role={project.database}_{service}"
        assert fleet.on(project.host, psql, stdin=query) == project.database
