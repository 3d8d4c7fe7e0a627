"""What a move has left is closed for a day, then gone; one that came to nothing leaves the database as it was."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import ansible_plugins  # noqa: F401
import psycopg
import pytest
from ansible_collections.berth.supabase.plugins.module_utils import moves
from ansible_collections.berth.supabase.plugins.module_utils.database_copy import Copy
from ansible_collections.berth.supabase.plugins.modules.settled_moves import Settling, settle
from postgres_server import PostgresServer

Servers = tuple[PostgresServer, PostgresServer]
Settle = Callable[..., tuple[bool, list[str]]]


@pytest.fixture
def settled(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> Settle:
    """A function that settles the move that is noted; it returns whether the own cluster went, and the commands."""
    # connections that are closed in the end
    monkeypatch.setattr(Settling, "cluster", lambda self, side: (copy.source, copy.target)[side != self.move.origin])

    def run(*, dedicated: bool, commit: bool = False, check: bool = False) -> tuple[bool, list[str]]:
        systemd = SimpleNamespace(module=SimpleNamespace(check_mode=check), commands=[])
        return settle(systemd, moves.Move.read("blog"), dedicated, commit), systemd.commands

    return run


def limits(servers: Servers) -> list[int | None]:
    """Return how many connections each server lets into the database, None where it has none."""
    found = []
    for server in servers:
        with psycopg.connect(server.url("postgres")) as connection:
            row = connection.execute("SELECT datconnlimit FROM pg_database WHERE datname = 'blog'").fetchone()
            found.append(row and row[0])
    return found


def age(move: moves.Move) -> None:
    """Let the switch have been more than a day ago."""
    move.switched = time.time() - moves.KEPT_SECONDS - 1
    move.write()


@pytest.fixture
def moved(copy: Copy) -> Copy:
    """A copy that has taken over."""
    copy.make()
    copy.finish()
    return copy


def test_old_database_is_kept_closed_for_a_day(servers: Servers, moved: Copy, settled: Settle) -> None:
    assert settled(dedicated=True) == (False, ["-- close database blog in the shared cluster"])
    assert limits(servers) == [0, 7]
    assert settled(dedicated=True) == (False, [])
    assert moves.Move.read("blog").live == "dedicated"


def test_old_database_is_gone_after_a_day(servers: Servers, moved: Copy, settled: Settle) -> None:
    age(moved.move)
    assert settled(dedicated=True) == (False, ["-- drop database blog in the shared cluster"])
    assert (limits(servers), moves.Move.read("blog")) == ([None, 7], None)


def test_old_database_is_gone_once_the_move_is_committed(servers: Servers, moved: Copy, settled: Settle) -> None:
    settled(dedicated=True, commit=True)
    assert (limits(servers), moves.Move.read("blog")) == ([None, 7], None)


def test_check_mode_tells_and_changes_nothing(servers: Servers, moved: Copy, settled: Settle) -> None:
    before = limits(servers)
    age(moved.move)
    assert settled(dedicated=True, check=True) == (False, ["-- drop database blog in the shared cluster"])
    assert (limits(servers), moves.Move.read("blog").live) == (before, "dedicated")


def test_declaration_that_says_otherwise_leaves_both(servers: Servers, moved: Copy, settled: Settle) -> None:
    before = limits(servers)
    age(moved.move)
    assert settled(dedicated=False, commit=True) == (False, [])
    assert (limits(servers), moves.Move.read("blog").live) == (before, "dedicated")


def test_copy_that_came_to_nothing_is_dropped(servers: Servers, copy: Copy, settled: Settle) -> None:
    # the other way round: what is the project's own is dropped with its cluster, which this machine has not
    move = copy.move
    move.origin, move.target = "dedicated", "shared"
    move.places = {"dedicated": move.places["shared"], "shared": move.places["dedicated"]}
    copy.make()
    assert limits(servers) == [-1, 0]
    assert settled(dedicated=True) == (
        False,
        ["-- drop database blog in the shared cluster", "-- open database blog in the dedicated cluster"],
    )
    assert (limits(servers), moves.Move.read("blog")) == ([7, None], None)
    with psycopg.connect(servers[0].url("blog")) as connection:
        assert connection.execute("SELECT FROM pg_publication").fetchall() == []
