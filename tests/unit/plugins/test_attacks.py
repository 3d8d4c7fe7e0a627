"""Attacks on a world of two projects: what is let in is told, and refusals count only beside controls that succeed."""

import ansible_plugins  # noqa: F401
import pytest
from ansible_collections.berth.supabase.plugins.module_utils import attacks
from ansible_collections.berth.supabase.plugins.module_utils.attacks import REACHED, REFUSED, UNCLEAR, Proof, Subject

NAMES = ("blog", "shop")
SERVICES = ("rest", "auth")


def subject(name: str, **values: object) -> Subject:
    """A project whose password, keys and tokens tell whose they are."""
    keys = tuple(
        {"id": f"k1.{role}", "role": role, "value": f"{name} {role}", "token": f"{name} {role} token"}
        for role in ("anon", "service_role")
    )
    given = {"paused": False, "owner_password": name} | values
    place = {"port": 5432, "socket_directory": "/run/postgresql"}
    return Subject(name, name, f"berth-{name}", place, keys=keys, **given)


class World:
    """PostgreSQL and a gateway that keep projects apart, but for what is in `open`; `down` fails even the own."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.down: set[str] = set()
        self.asked: list[tuple[str, str]] = []

    def let_in(self, how: str, owner: str, target: str) -> bool:
        return how not in self.down and (owner == target or how in self.open)

    def peer_login(self, system_user: str, place: dict, role: str, database: str) -> tuple[str, str]:
        fits = role.startswith(f"{database}_")
        mine = system_user.removeprefix("berth-")
        if "login" in self.down:
            return UNCLEAR, "the database system is starting up"
        return (REACHED, "in") if self.let_in("login", mine, database) and fits else (REFUSED, "rejected")

    def login(self, place: dict, role: str, database: str, password: str) -> tuple[str, str]:
        if "password" in self.down:
            return UNCLEAR, "no answer"
        fits = role == f"{database}_owner"
        return (REACHED, "in") if self.let_in("password", password, database) and fits else (REFUSED, "rejected")

    def ask(self, project: str, path: str, key: str, bearer: str | None = None) -> tuple[int, str]:
        self.asked.append((project, path))
        how = "key" if bearer is None else "rest" if "rest" in path else "auth"
        if project == "asleep-or-paused":
            return 503, "project_paused"
        if how in self.down:
            return 503, "service_unavailable"
        owner = (bearer or key).split()[0]
        if not self.let_in(how, owner, project):
            return 401, "wrong_key" if bearer is None else "PGRST301"
        return (403, "service_key_needed") if bearer is None and "anon" in key else (200, "")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """The world that is attacked."""
    made = World()
    monkeypatch.setattr(attacks, "peer_login", made.peer_login)
    monkeypatch.setattr(attacks, "login", made.login)
    return made


def prove(world: World, *subjects: Subject, wanted: tuple[str, ...] = NAMES, awake: bool = True, wakes: bool = False):
    """What a proof finds."""
    every = subjects or tuple(subject(name) for name in NAMES)
    return Proof(every, wanted, SERVICES, world, wakes, lambda name, service: awake).run()


def test_all_is_refused_and_all_controls_succeed(world: World) -> None:
    for found in prove(world).values():
        assert set(found) == {"login", "password", "key", "rest", "auth"}
        for kind, entry in found.items():
            assert (entry["tried"] > 2, entry["reached"], entry["unproven"], entry["skipped"]) == (True, [], [], {}), (
                kind
            )


@pytest.mark.parametrize("way", ["login", "password", "key", "rest", "auth"])
def test_what_is_reached_counts_for_both(world: World, way: str) -> None:
    world.open.add(way)
    found = prove(world)
    for name in NAMES:
        reached = {kind: entry["reached"] for kind, entry in found[name].items() if entry["reached"]}
        assert set(reached) == {way}
        ends = {(attempt["source"], attempt["target"]) for attempt in reached[way]}
        assert ends >= {("blog", "shop"), ("shop", "blog")}


@pytest.mark.parametrize("way", ["login", "password", "key", "rest", "auth"])
def test_refusal_beside_a_control_that_fails_proves_nothing(world: World, way: str) -> None:
    world.down.add(way)
    for found in prove(world).values():
        assert {kind for kind, entry in found.items() if entry["unproven"]} == {way}
        assert len(found[way]["unproven"]) == found[way]["tried"]


def test_services_that_sleep_are_left_alone_unless_they_are_to_wake(world: World) -> None:
    found = prove(world, awake=False)["blog"]
    assert set(found["rest"]["skipped"]) == set(NAMES)
    assert found["rest"]["tried"] == 0
    assert {path for _name, path in world.asked} == {"/rest/v1/"}, "which the gateway answers itself"
    found = prove(world, awake=False, wakes=True)["blog"]
    assert (found["rest"]["skipped"], found["rest"]["tried"] > 0) == ({}, True)


def test_proof_of_one_tries_it_and_its_neighbours_both_ways_and_no_other_pair(world: World) -> None:
    world.open.add("login")
    found = prove(world, subject("blog"), subject("shop"), subject("third"), wanted=("blog",))
    assert list(found) == ["blog"]
    ends = {(attempt["source"], attempt["target"]) for attempt in found["blog"]["login"]["reached"]}
    assert {end for end in ends if "third" in end or "shop" in end} == {
        ("blog", "shop"),
        ("shop", "blog"),
        ("blog", "third"),
        ("third", "blog"),
    }


def test_paused_project_refuses_everybody(world: World) -> None:
    paused = subject("asleep-or-paused", paused=True)
    found = prove(world, subject("blog"), paused, wanted=("blog",), awake=False)["blog"]
    assert (found["key"]["reached"], found["key"]["unproven"]) == ([], [])
    assert set(found["rest"]["skipped"]) == {"blog"}


@pytest.mark.parametrize(
    ("listen", "asked"),
    [
        ("80", ("127.0.0.1", 80)),
        ("[::]:8080", ("::1", 8080)),
        ("10.0.0.1:81", ("10.0.0.1", 81)),
        ("*:80", ("127.0.0.1", 80)),
    ],
)
def test_gateway_is_asked_where_nginx_listens(listen: str, asked: tuple[str, int]) -> None:
    gateway = attacks.Gateway([listen])
    assert (gateway.host, gateway.port) == asked


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        ('FATAL:  pg_hba.conf rejects connection for host "[local]"', True),
        ('FATAL:  Peer authentication failed for user "blog_rest"', True),
        ('connection to server on socket "/run/x" failed: Permission denied', True),
        ('FATAL:  role "blog_rest" does not exist', False),
        ("FATAL:  the database system is starting up", False),
        ('FATAL:  too many connections for role "blog_rest"', False),
    ],
)
def test_only_a_decision_about_trust_is_a_refusal(told: str, refused: bool) -> None:
    assert bool(attacks.TRUST.search(told)) == refused
