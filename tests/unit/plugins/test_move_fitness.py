"""A database that cannot move is refused before anything is touched, with what stands in the way."""

from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import ansible_plugins  # noqa: F401
import psycopg
import pytest
from ansible_collections.berth.supabase.plugins.module_utils import move_fitness
from ansible_collections.berth.supabase.plugins.module_utils.postgres import Cluster
from ansible_collections.berth.supabase.plugins.module_utils.replication import MoveFailed
from postgres_server import PostgresServer

MADE = {
    "CREATE UNLOGGED TABLE fast (id int)": "blog: its database has unlogged table public.fast",
    "SELECT lo_create(99)": "blog: its database has large object 99",
    "CREATE SCHEMA berth_move AUTHORIZATION blog": "blog: its database has a schema berth_move, which Berth needs",
}
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server whose rows can be followed."""
    server = PostgresServer("wal_level=logical")
    server.start()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE supabase_admin SUPERUSER LOGIN")
        connection.execute("CREATE ROLE blog")
    yield server
    server.stop()
    server.remove()


@pytest.fixture
def cluster(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster as a module has it, with an empty database blog."""
    monkeypatch.setattr(move_fitness, "DATA", str(tmp_path))
    monkeypatch.setattr(move_fitness, "LEAST_VERSION", 150000)  # what tests may find on their machine
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE blog")
    found = Cluster(SimpleNamespace(check_mode=True), {"port": 5432, "socket_directory": str(server.directory)})
    yield found
    found.connection.execute("DROP DATABASE blog WITH (FORCE)")
    found.connection.close()


def test_plain_database_is_fit(cluster: Cluster) -> None:
    move_fitness.require_fit(cluster, "blog", "blog")


@pytest.mark.parametrize("made", MADE)
def test_what_would_not_come_along_is_named(server: PostgresServer, cluster: Cluster, made: str) -> None:
    with psycopg.connect(server.url("blog"), autocommit=True) as connection:
        connection.execute(made)
    with pytest.raises(MoveFailed, match=MADE[made]):
        move_fitness.require_fit(cluster, "blog", "blog")


def test_too_little_room_is_told_in_megabytes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move_fitness.shutil, "disk_usage", lambda _path: Usage(1 << 30, 1 << 30, 3 << 20))
    with pytest.raises(MoveFailed, match=r"found 3 MB free, needed 1\d MB for a copy of database blog; make room"):
        move_fitness.require_fit(cluster, "blog", "blog")


def test_old_postgresql_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move_fitness, "LEAST_VERSION", 990000)
    with pytest.raises(MoveFailed, match="found a version before 16"):
        move_fitness.require_fit(cluster, "blog", "blog")


def test_cluster_that_cannot_be_followed_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    read = cluster.rows

    def rows(query: str, parameters: tuple = ()) -> list:
        return [SimpleNamespace(value="replica")] if "wal_level" in query else read(query, parameters)

    monkeypatch.setattr(cluster, "rows", rows)
    with pytest.raises(MoveFailed, match="wal_level of PostgreSQL: found replica, needed: logical; run playbooks/site"):
        move_fitness.require_fit(cluster, "blog", "blog")
