"""The state in either database: its schema, a server that is down, texts that it cannot keep."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgres_server import PostgresServer
from sqlalchemy import text

from webui import create_app
from webui.config import Config, ConfigError
from webui.db import Database, sqlalchemy_url
from webui.models import Base

QUEUE = ("kv", "schedule", "task", "counter")  # its tables are made by the queue itself


def test_migrations_make_the_schema_of_the_models_and_lead_back(core) -> None:
    with core.db.engine.begin() as connection:
        ours = {"include_name": lambda name, kind, _: not (kind == "table" and name in QUEUE)}
        context = MigrationContext.configure(connection, opts=ours)
        assert compare_metadata(context, Base.metadata) == []
        command.downgrade(core.db.alembic(connection), "base")
        assert context.get_current_revision() is None
    core.db.migrate()
    assert core.runs.page() == []


def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    databases = [Database(empty_url) for _ in range(4)]
    with ThreadPoolExecutor(len(databases)) as pool:
        list(pool.map(Database.migrate, databases))
    with databases[0].read() as session:
        assert session.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
    for database in databases:
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ui.db"
    server = request.getfixturevalue("postgres")
    return server.url(server.database())


def test_url_names_the_driver_that_is_there() -> None:
    assert sqlalchemy_url("postgresql://ui@db/ui") == "postgresql+psycopg://ui@db/ui"
    for url, told in (("mysql://db/ui", "found 'mysql'"), ("nonsense", "not a URL")):
        with pytest.raises(ConfigError, match=told):
            sqlalchemy_url(url)


@pytest.fixture
def own_server():
    """A PostgreSQL that may be stopped."""
    server = PostgresServer()
    server.start()
    yield server
    server.stop()
    server.remove()


def test_page_says_plainly_that_the_database_is_down_and_works_again_after(own_server, inventory) -> None:
    app = create_app(Config(inventory, own_server.url(own_server.database()), "k" * 40, testing=True))
    client = app.test_client()
    client.get("/login")
    with client.session_transaction() as session:
        session["login"] = "somebody's"
    own_server.stop()
    for path in ("/", "/projects"):
        page = client.get(path)
        assert (page.status_code, "The database does not answer" in page.text) == (503, True), path
    answer = client.get("/api/v1/projects", headers={"Authorization": "Bearer berth_x"})
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert client.get("/healthz").status_code == 503
    own_server.start()
    assert client.get("/healthz").status_code == 200
    app.extensions["berth"].close()


def test_start_without_a_database_is_told_in_one_line(own_server) -> None:
    url = own_server.url("nowhere")
    with pytest.raises(ConfigError, match=r"BERTH_UI_DATABASE: .*does not exist"):
        Database(url).migrate()


def test_character_0_is_refused(api, person) -> None:
    for answer in (api("admin").get("/audit?target=%00"), person("admin", "other").get("/audit?target=%00")):
        assert answer.status_code in (200, 400)
