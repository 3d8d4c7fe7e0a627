"""SQL of one project's owner: what would reach another project, the cluster or the host is refused."""

import psycopg
import pytest
from psycopg import errors

DENIED = errors.InsufficientPrivilege
# attack, how it is refused, and a like statement that the owner may use
ATTACKS = {
    "SET ROLE two_words_rest": (DENIED, "SET ROLE service_role"),
    "SET ROLE two_words_owner": (DENIED, "SET ROLE authenticated"),
    "SET ROLE two_words_auth": (DENIED, "SET ROLE anon"),
    "SET ROLE one_rest": (DENIED, "SET ROLE NONE"),
    "SET ROLE supabase_admin": (DENIED, "SET ROLE postgres"),
    "SET ROLE supabase_auth_admin": (DENIED, "SET ROLE postgres"),
    "SET SESSION AUTHORIZATION two_words_owner": (DENIED, "SET SESSION AUTHORIZATION one_owner"),
    "CREATE ROLE intruder": (DENIED, "CREATE SCHEMA attack"),
    "CREATE DATABASE intruder": (DENIED, "CREATE SCHEMA attack"),
    "DROP DATABASE two_words": (DENIED, "CREATE SCHEMA attack"),
    "ALTER DATABASE two_words CONNECTION LIMIT 0": (DENIED, "ALTER SCHEMA public RENAME TO public2"),
    "ALTER DATABASE two_words SET statement_timeout = 1": (DENIED, "SET statement_timeout = 1000"),
    "ALTER DATABASE one CONNECTION LIMIT -1": (DENIED, "ALTER SCHEMA public RENAME TO public2"),
    "ALTER ROLE two_words_rest SET statement_timeout = 1": (DENIED, "ALTER ROLE postgres SET statement_timeout = 1000"),
    "ALTER ROLE two_words_owner PASSWORD 'x'": (DENIED, "SELECT 1"),
    "ALTER ROLE one_owner CONNECTION LIMIT -1": (DENIED, "SELECT 1"),
    "ALTER ROLE postgres LOGIN": (DENIED, "SELECT 1"),
    "ALTER ROLE postgres SUPERUSER": (DENIED, "SELECT 1"),
    "DROP ROLE two_words_rest": (DENIED, "SELECT 1"),
    "GRANT two_words TO postgres": (DENIED, "GRANT SELECT ON public.marks TO anon"),
    "GRANT two_words_owner TO one_owner": (DENIED, "GRANT SELECT ON public.marks TO anon"),
    "GRANT pg_read_all_data TO postgres": (DENIED, "GRANT SELECT ON public.marks TO anon"),
    "GRANT supabase_admin TO postgres": (DENIED, "GRANT SELECT ON public.marks TO anon"),
    "REVOKE anon FROM two_words_rest": (DENIED, "REVOKE SELECT ON public.marks FROM anon"),
    "REASSIGN OWNED BY two_words_owner TO one_owner": (DENIED, "ALTER TABLE public.marks OWNER TO postgres"),
    "SELECT rolpassword FROM pg_authid": (DENIED, "SELECT rolname FROM pg_roles"),
    "SELECT passwd FROM pg_shadow": (DENIED, "SELECT usename FROM pg_user"),
    "UPDATE pg_database SET datconnlimit = 0": (DENIED, "UPDATE public.marks SET project = project"),
    "SELECT pg_read_file('/etc/passwd')": (DENIED, "SELECT length('/etc/passwd')"),
    "SELECT pg_ls_dir('/')": (DENIED, "SELECT pg_relation_size('public.marks')"),
    "SELECT * FROM pg_stat_file('/etc/passwd')": (DENIED, "SELECT 1"),
    "SELECT pg_ls_logdir()": (DENIED, "SELECT 1"),
    "SELECT * FROM pg_hba_file_rules": (DENIED, "SELECT count(*) FROM pg_settings"),
    "COPY public.marks TO '/tmp/stolen'": (DENIED, "COPY public.marks TO STDOUT"),
    "COPY public.marks FROM '/etc/passwd'": (DENIED, "SELECT 1"),
    "COPY public.marks TO PROGRAM 'id'": (DENIED, "COPY public.marks TO STDOUT"),
    "COPY public.marks FROM PROGRAM 'id'": (DENIED, "SELECT 1"),
    "CREATE EXTENSION dblink": (DENIED, "CREATE EXTENSION citext"),
    "CREATE EXTENSION postgres_fdw": (DENIED, "CREATE EXTENSION hstore"),
    "CREATE EXTENSION file_fdw": (DENIED, "CREATE EXTENSION pg_trgm"),
    "CREATE EXTENSION adminpack": ((DENIED, errors.FeatureNotSupported), "CREATE EXTENSION ltree"),
    "CREATE EXTENSION pg_stat_statements": (DENIED, "CREATE EXTENSION unaccent"),
    "CREATE FOREIGN DATA WRAPPER stolen": (DENIED, "CREATE SCHEMA attack"),
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'system'": (
        DENIED,
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    "CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'pg_read_file'": (DENIED, "SELECT 1"),
    "LOAD 'pg_stat_statements'": (DENIED, "SELECT 1"),
    "SELECT lo_import('/etc/passwd')": (DENIED, "SELECT lo_create(0)"),
    "SELECT lo_export(1, '/tmp/stolen')": (DENIED, "SELECT lo_create(0)"),
    "ALTER SYSTEM SET log_statement = 'all'": (
        DENIED,
        "SET LOCAL application_name = 'mine'",
    ),
    "SET log_statement = 'all'": (DENIED, "SET application_name = 'mine'"),
    "SET temp_file_limit = -1": (DENIED, "SET work_mem = '1MB'"),
    "SET session_replication_role = replica": (DENIED, "SET work_mem = '1MB'"),
    "SELECT pg_reload_conf()": (DENIED, "SELECT pg_postmaster_start_time()"),
    "SELECT pg_rotate_logfile()": (DENIED, "SELECT 1"),
    "SELECT pg_switch_wal()": (DENIED, "SELECT pg_current_wal_lsn()"),
    "CREATE TABLESPACE stolen LOCATION '/tmp'": (
        DENIED,
        "CREATE SCHEMA attack",
    ),
    "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION extensions.pgrst_ddl_watch()": (
        DENIED,
        "CREATE TRIGGER t BEFORE UPDATE ON public.marks EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    "DROP EVENT TRIGGER pgrst_ddl_watch": (DENIED, "DROP TABLE public.marks"),
    "ALTER EVENT TRIGGER pgrst_ddl_watch DISABLE": (DENIED, "ALTER TABLE public.marks DISABLE TRIGGER USER"),
    "CREATE PUBLICATION p FOR ALL TABLES": (DENIED, "CREATE PUBLICATION p FOR TABLE public.marks"),
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=two_words' PUBLICATION p": (
        DENIED,
        "SELECT 1",
    ),
    "SELECT pg_create_physical_replication_slot('s')": (DENIED, "SELECT * FROM pg_replication_slots"),
    "SELECT pg_create_logical_replication_slot('s', 'pgoutput')": (DENIED, "SELECT * FROM pg_replication_slots"),
    "DO $$ BEGIN LOCK TABLE pg_authid; END $$": (DENIED, "LOCK TABLE public.marks"),
    "DO $$ BEGIN LOCK TABLE pg_database; END $$": (DENIED, "LOCK TABLE public.marks"),
}


@pytest.fixture
def owner(gateway, fleet):
    """Give a session of the owner of "one", in which every statement counts at once."""
    with psycopg.connect(fleet.project("one").db_url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("role", ["postgres", "NONE"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_owner_is_refused(owner, attack, role):
    refusal, _ = ATTACKS[attack]
    owner.execute(f"SET ROLE {role}")
    with pytest.raises(refusal):
        owner.execute(attack)


@pytest.mark.parametrize("allowed", sorted({allowed for _, allowed in ATTACKS.values()}))
def test_owner_may_do_the_like_at_home(owner, allowed):
    with owner.transaction(force_rollback=True):
        if allowed.startswith("COPY"):
            with owner.cursor().copy(allowed) as copy:
                assert list(copy)
        else:
            owner.execute(allowed)


def test_open_session_of_another_project_cannot_be_watched_or_ended(owner, fleet):
    """As the shared role postgres, and as the own login."""
    reading = "SELECT query, pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s"
    watching = "SELECT query FROM pg_stat_activity WHERE pid = %s"
    with psycopg.connect(fleet.project("two-words").db_url, autocommit=True) as theirs:
        theirs.execute("SELECT 'their secret'")
        for role in ("postgres", "NONE"):
            owner.execute(f"SET ROLE {role}")
            query = owner.execute(watching, (theirs.info.backend_pid,)).fetchone()[0]
            assert "secret" not in query
            for function in ("pg_terminate_backend", "pg_cancel_backend"):
                with pytest.raises(DENIED):
                    owner.execute(f"SELECT {function}(%s)", (theirs.info.backend_pid,))
        assert theirs.execute("SELECT 1").fetchone() == (1,)
    with psycopg.connect(fleet.project("one").db_url, autocommit=True) as mine:
        mine.execute("SELECT 'my secret'")
        owner.execute("SET ROLE NONE")
        assert owner.execute(reading, (mine.info.backend_pid,)).fetchone() == ("SELECT 'my secret'", True)
        with pytest.raises(psycopg.OperationalError):
            mine.execute("SELECT 1")
