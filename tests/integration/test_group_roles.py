"""What an owner does to the roles that all projects of a cluster share stays without effect on other projects."""

import psycopg
import pytest
from fleet.content import mark
from fleet.services import put_to_sleep

GROUPS = ("anon", "authenticated", "service_role", "postgres")
HARM = {"statement_timeout": "'1ms'", "default_transaction_read_only": "on", "search_path": "nowhere"}
STORED = (
    "SELECT count(*) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole"
    " WHERE rolname IN ('anon', 'authenticated', 'service_role', 'postgres')"
)


@pytest.fixture
def owner(gateway, fleet):
    """Give a session of the owner of "one"."""
    with psycopg.connect(fleet.project("one").db_url, autocommit=True) as connection:
        yield connection


def administer(fleet, statement):
    """Returns what PostgreSQL of trixie answers its superuser."""
    return fleet.on("trixie", "psql -U supabase_admin -d postgres -At", stdin=statement)


@pytest.fixture
def poisoned(owner, fleet):
    """Give the moment at which the owner of "one" has set things on every group role, everywhere and in "two-words"."""
    for role in GROUPS:
        owner.execute(f"SET ROLE {role}")
        for name, value in HARM.items():
            for place in ("", " IN DATABASE two_words", " IN DATABASE three"):
                owner.execute(f"ALTER ROLE {role}{place} SET {name} = {value}")
    assert administer(fleet, STORED) == str(3 * len(GROUPS))
    yield
    for role in GROUPS:
        for place in ("", " IN DATABASE two_words", " IN DATABASE three"):
            administer(fleet, f"ALTER ROLE {role}{place} RESET ALL")


def assert_unharmed(gateway, fleet):
    for name in ("two-words", "three"):
        project = fleet.project(name)
        put_to_sleep(fleet, project)
        assert mark(gateway, project) == name
        for key in (project.anon_key, project.service_role_key):
            nap = gateway.ask(project, "/rest/v1/rpc/nap", key=key, method="POST", json={"seconds": 0.3})
            assert nap.json() == name
        row = {"project": "written under attack"}
        made = gateway.ask(project, "/rest/v1/marks", key=project.anon_key, method="POST", json=row)
        assert made.status_code == 201, made.text
        gone = gateway.ask(project, "/rest/v1/marks?project=like.written*", key=project.anon_key, method="DELETE")
        assert gone.status_code == 204, gone.text
        with psycopg.connect(project.db_url) as connection:
            connection.execute("SELECT pg_sleep(0.1)")
            connection.execute("CREATE TEMPORARY TABLE t AS SELECT * FROM marks")


def test_settings_on_group_roles_do_not_reach_others_and_the_next_converge_removes_them(gateway, fleet, poisoned):
    assert_unharmed(gateway, fleet)
    healing = fleet.succeed("site.yml", "--limit", "trixie")
    assert healing.changed > 0
    assert administer(fleet, STORED) == "0"
    assert fleet.succeed("site.yml", "--limit", "trixie").changed == 0


def test_such_a_setting_would_count_where_one_logs_in(owner, fleet):
    """The control: PostgreSQL does store and apply what the test above sets, at the login of that very role."""
    owner.execute("SET ROLE NONE")
    owner.execute("ALTER ROLE one_owner SET statement_timeout = '1ms'")
    try:
        with psycopg.connect(fleet.project("one").db_url) as harmed, pytest.raises(psycopg.errors.QueryCanceled):
            harmed.execute("SELECT pg_sleep(0.1)")
    finally:
        owner.execute("ALTER ROLE one_owner RESET ALL")


WITHOUT_EFFECT = [
    "GRANT CONNECT ON DATABASE two_words TO one_owner, postgres, PUBLIC",
    "GRANT ALL ON DATABASE two_words TO anon",
    "REVOKE ALL ON DATABASE two_words FROM postgres, anon, authenticated, service_role",
    "REVOKE ALL ON DATABASE two_words FROM two_words_rest, two_words_auth, two_words_owner",
    "DROP OWNED BY postgres CASCADE",
]
RIGHTS = "SELECT datacl, datdba FROM pg_database WHERE datname = 'two_words'"


@pytest.mark.parametrize("statement", WITHOUT_EFFECT)
def test_rights_on_another_database_stay_as_they_are(owner, statement):
    before = owner.execute(RIGHTS).fetchone()
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL client_min_messages = error")
        owner.execute(statement)
        assert owner.execute(RIGHTS).fetchone() == before


def test_rights_on_own_tables_do_change(owner):
    with owner.transaction(force_rollback=True):
        owner.execute("REVOKE ALL ON public.marks FROM anon")
        assert owner.execute("SELECT has_table_privilege('anon', 'public.marks', 'SELECT')").fetchone() == (False,)
        owner.execute("GRANT SELECT ON public.marks TO anon")
        assert owner.execute("SELECT has_table_privilege('anon', 'public.marks', 'SELECT')").fetchone() == (True,)
