"""A project changes between shared and isolated while it is written to: nothing fails, nothing is lost or left."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from subprocess import CompletedProcess
from types import SimpleNamespace

import pytest
from fleet import Fleet, Project
from fleet.commands import Berth
from fleet.content import PASSWORD, fill, sign_in
from fleet.gateway import Gateway
from fleet.killing import run_and_kill
from fleet.listing import listing
from fleet.load import Call, under_load
from fleet.newcomers import declare, forget
from fleet.services import put_to_sleep, wait_until
from fleet.traffic import Traffic
from fleet.writes import Writes, prepare

NAME, NUMBER, HOST, NEIGHBOURS = "mover", 22, "trixie", ("one", "apart")
OWN_PORT = 10000 + NUMBER
COMMENT = "# Whoever reads this: it began small\n"
LIMITS = {"limits": {"memory": "640M", "requests_per_second": 5000}, "auth": {"email_autoconfirm": True}}
CONTAINERS = {f"berth-{service}-{NAME}" for service in ("rest", "auth", "meta")}
PAUSE = 0.2  # seconds between requests that are not the writes: this machine has the hosts to run too

UnderWrites = Callable[[Callable[[], CompletedProcess]], SimpleNamespace]


@pytest.fixture(scope="module")
def bare(fleet: Fleet) -> list[str]:
    """Give all that the host has without the project."""
    forget(fleet, NAME)
    return listing(fleet, HOST, NAME)


@pytest.fixture(scope="module")
def mover(fleet: Fleet, gateway: Gateway, bare: list[str]) -> Iterator[Project]:
    """Give a shared project with a user and a table, its declaration written by a person."""
    project = declare(fleet, NAME, NUMBER, HOST, **LIMITS)
    path = fleet.inventory / "projects" / f"{NAME}.yml"
    path.write_text(COMMENT + path.read_text())
    fleet.succeed("project.yml", "-e", f"project={NAME}")
    fill(gateway, project)
    prepare(project)
    written = f"/projects/{NAME}/rest/v1/written"
    wait_until(lambda: gateway.ask(project, "/rest/v1/written", key=project.anon_key).status_code == 200, written)
    yield project
    forget(fleet, NAME)


@pytest.fixture(scope="module")
def session(gateway: Gateway, mover: Project) -> dict[str, str]:
    """Give the tokens of a user who signed in before anything was converted."""
    body = {"email": f"mark@{NAME}.example.com", "password": PASSWORD}
    path = "/auth/v1/token?grant_type=password"
    return gateway.ask(mover, path, key=mover.anon_key, method="POST", json=body).json()


@pytest.fixture(scope="module")
def under_writes(gateway: Gateway, fleet: Fleet, mover: Project) -> UnderWrites:
    """Give a function that does something under steady writes and reads and returns what came of all of them."""
    headers = {"apikey": mover.anon_key, "Content-Type": "application/json"}
    at, service = f"/projects/{NAME}", {"apikey": mover.service_role_key}
    calls = (
        Call("POST", f"{at}/auth/v1/recover", headers, '{"email": "nobody@example.com"}'),
        Call("POST", f"{at}/rest/v1/rpc/nap", headers, '{"seconds": 0.3}'),
        Call("GET", f"{at}/pg/schemas", service),
    )

    def run(act: Callable[[], CompletedProcess]) -> SimpleNamespace:
        first = max(rows(fleet), default=0) + 1
        with ExitStack() as stack:
            beside = [stack.enter_context(Traffic(gateway, fleet.project(name), PAUSE)) for name in NEIGHBOURS]
            load = stack.enter_context(under_load(gateway.address(HOST), *calls, pause=PAUSE))
            writes = stack.enter_context(Writes(gateway, mover, first))
            wait_until(lambda: len(writes.acknowledged) > 10 and load.answered > 10, "requests are answered")
            done = act()
            answered, had = load.answered, len(writes.acknowledged)
            wait_until(lambda: load.answered > answered + 10, "requests are answered afterwards")
            wait_until(lambda: len(writes.acknowledged) > had + 10, "rows are written afterwards")
        print(f"longest answer to a write {writes.longest:.2f} s; {' '.join(map(str, done.args))}")
        return SimpleNamespace(done=done, load=load, writes=writes, beside=[each.failures for each in beside])

    return run


def sql(fleet: Fleet, query: str) -> list[str]:
    """Return what the database says, in the cluster that the declaration names now."""
    where = replace(fleet.project("one"), name=NAME, cluster=fleet.cluster(NAME))
    return fleet.on(HOST, f"psql {where.psql} -U supabase_admin -d {NAME} -At", stdin=query).splitlines()


def rows(fleet: Fleet) -> set[int]:
    """Return the numbers of the rows that the database has."""
    return set(map(int, sql(fleet, "SELECT id FROM public.written")))


def databases(fleet: Fleet) -> dict[str, str]:
    """Return for each of the two clusters how many sessions its database allows, nothing where there is none."""
    query = "SELECT datconnlimit FROM pg_database WHERE datname = 'mover'"
    at = {"shared": "-h /run/postgresql", "dedicated": f"-h /run/berth/postgres/{NAME} -p {OWN_PORT}"}
    found = {
        kind: fleet.on(HOST, f"psql {where} -U supabase_admin -d postgres -At", stdin=query, check=False)
        for kind, where in at.items()
    }
    return {kind: limit for kind, limit in found.items() if limit}


def containers(fleet: Fleet) -> set[str]:
    """Return the containers of the project."""
    return set(fleet.on(HOST, f"podman ps --all --format '{{{{.Names}}}}' | grep -- -{NAME}$", check=False).split())


def at_rest(fleet: Fleet, project: Project) -> list[str]:
    """Return all that the host has while the project sleeps and systemd knows what is enabled."""
    put_to_sleep(fleet, project)
    fleet.on(HOST, "systemctl daemon-reload")
    return listing(fleet, HOST, NAME)


def declaration(fleet: Fleet) -> str:
    """Return the text of the declaration."""
    return (fleet.inventory / "projects" / f"{NAME}.yml").read_text()


def assert_nothing_was_lost(fleet: Fleet, found: SimpleNamespace) -> None:
    """Asserts that every request was answered well and every acknowledged row is there."""
    assert found.done.returncode == 0, found.done.stderr
    assert (found.writes.failures[:3], found.load.failures[:3], found.beside) == ([], [], [{}, {}])
    assert found.writes.acknowledged - rows(fleet) == set()


def assert_still_signed_in(gateway: Gateway, mover: Project, session: dict[str, str]) -> None:
    """Asserts that access and refresh token of before are good."""
    user = gateway.ask(
        mover, "/auth/v1/user", key=mover.anon_key, headers={"Authorization": f"Bearer {session['access_token']}"}
    )
    assert (user.status_code, user.json()["email"]) == (200, f"mark@{NAME}.example.com")
    path = "/auth/v1/token?grant_type=refresh_token"
    body = {"refresh_token": session["refresh_token"]}
    fresh = gateway.ask(mover, path, key=mover.anon_key, method="POST", json=body)
    assert fresh.status_code == 200, fresh.text
    session |= fresh.json()


def test_conversion_and_rollback_lose_nothing_and_leave_nothing(
    under_writes: UnderWrites, fleet: Fleet, berth: Berth, gateway: Gateway, mover: Project, session: dict[str, str]
) -> None:
    before, text = at_rest(fleet, mover), declaration(fleet)
    found = under_writes(lambda: berth("convert", NAME, "--to", "isolated", "--json"))
    assert_nothing_was_lost(fleet, found)
    assert containers(fleet) == CONTAINERS
    assert declaration(fleet) == text.replace("architecture: shared", "architecture: isolated")
    assert_still_signed_in(gateway, mover, session)
    assert sign_in(gateway, mover)
    assert fleet.succeed("convert.yml", "-e", f"project={NAME}", "-e", "convert=isolated").changed_tasks == []

    found = under_writes(lambda: berth("convert", NAME, "--rollback", "--json"))
    assert_nothing_was_lost(fleet, found)
    assert containers(fleet) == set()
    assert declaration(fleet) == text
    assert_still_signed_in(gateway, mover, session)
    assert sorted(set(at_rest(fleet, mover)) ^ set(before)) == []


GUARD = """
CREATE FUNCTION public.is_owner() RETURNS boolean LANGUAGE plpgsql IMMUTABLE
    AS $$BEGIN RETURN NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user); END$$;
CREATE TABLE public.guarded (id int PRIMARY KEY CHECK (public.is_owner()));
ALTER TABLE public.guarded OWNER TO postgres;
SET ROLE postgres;
INSERT INTO public.guarded VALUES (1);
"""


def test_database_moves_to_a_cluster_of_its_own_and_back(
    under_writes: UnderWrites, fleet: Fleet, berth: Berth, gateway: Gateway, mover: Project, session: dict[str, str]
) -> None:
    sql(fleet, GUARD)  # a check that holds for each row that is copied, unless the superuser copies it
    before, text = at_rest(fleet, mover), declaration(fleet)
    to = ("convert", NAME, "--to", "isolated", "--database", "dedicated")
    plan = berth(*to, "--plan")
    assert (plan.returncode, plan.stderr) == (0, "")
    assert f"copy of database {NAME} in the dedicated cluster" in plan.stdout

    found = under_writes(lambda: berth(*to, "--json"))
    assert_nothing_was_lost(fleet, found)
    assert "architecture: isolated" in declaration(fleet)
    assert "database: dedicated" in declaration(fleet)
    assert_still_signed_in(gateway, mover, session)
    assert databases(fleet) == {"shared": "0", "dedicated": "20"}
    assert sql(fleet, "SELECT id FROM public.guarded") == ["1"]
    assert fleet.succeed("project.yml", "-e", f"project={NAME}").changed_tasks == []

    found = under_writes(lambda: berth("convert", NAME, "--rollback", "--json"))
    assert_nothing_was_lost(fleet, found)
    assert declaration(fleet) == text
    assert_still_signed_in(gateway, mover, session)
    assert databases(fleet) == {"shared": "20"}
    assert sorted(set(at_rest(fleet, mover)) ^ set(before)) == []


def test_host_that_cannot_carry_it_refuses_in_one_line_before_any_change(fleet: Fleet, berth: Berth) -> None:
    done = berth("convert", "twelve", "--to", "isolated", "--force")
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("berth: Host bookworm: twelve with architecture isolated on Debian 12")
    assert "architecture: shared" in (fleet.inventory / "projects" / "twelve.yml").read_text()
    assert not (fleet.inventory / "projects" / ".twelve.conversion.yml").exists()


@pytest.mark.slow
def test_new_side_that_does_not_start_is_left_for_the_old_one(
    under_writes: UnderWrites, fleet: Fleet, berth: Berth, gateway: Gateway, mover: Project
) -> None:
    text, in_the_way = declaration(fleet), f"/run/berth/netns/{NAME}-auth.pid/in-the-way"
    fleet.on(HOST, f"mkdir -p {in_the_way}")
    try:
        found = under_writes(lambda: berth("convert", NAME, "--to", "isolated", "--json"))
    finally:
        fleet.on(HOST, f"rm -rf /run/berth/netns/{NAME}-auth.pid")
    assert found.done.returncode == 1
    assert f"{NAME} is shared as before and answers" in found.done.stderr
    # GoTrue answers again; how long its requests waited meanwhile depends on how fast plays are on this machine
    assert sign_in(gateway, mover)
    assert (found.writes.failures[:3], found.beside) == ([], [{}, {}])
    assert found.writes.acknowledged - rows(fleet) == set()
    assert (declaration(fleet), containers(fleet)) == (text, set())
    assert "no conversion of the last day" in berth("convert", NAME, "--rollback").stderr


STEPS = {
    "account": "Ensure a run that is killed can be completed or undone",
    "files": "Ensure the files of the isolated projects are in place",
    "switch": "Ensure requests wake the services",
    "routes": "Ensure the gateway knows the routes",
    "left": "Ensure nothing runs that the gateway leads to no longer",
    "end": "Ensure the declaration says what is so now",
}
KILLS = [("switch", "completed"), *((step, way) for step in STEPS for way in ("undone", "completed"))]


KILL_THE_SWITCH = f"""
for round in $(seq 3000); do
    for pid in $(readlink /run/berth/gate/{NAME}-rest.sock | grep --quiet /hold/ && pgrep python3); do
        if ls -l /proc/$pid/fd 2>/dev/null | grep -q /run/berth/hold/{NAME}-rest.lock; then
            kill -KILL $pid
            exit
        fi
    done
    sleep 0.02
done
exit 1
"""


@pytest.mark.parametrize(
    ("step", "way"),
    [pytest.param(*case, marks=pytest.mark.slow if number else ()) for number, case in enumerate(dict.fromkeys(KILLS))],
)
def test_killed_conversion_is_completed_or_undone(
    under_writes: UnderWrites, fleet: Fleet, berth: Berth, mover: Project, step: str, way: str
) -> None:
    text, had = declaration(fleet), containers(fleet)
    to = "shared" if had else "isolated"
    # the module itself, while it makes requests wait
    first = (lambda: fleet.on(HOST, KILL_THE_SWITCH)) if step == "switch" else (lambda: None)

    def killed_and_run_again() -> CompletedProcess:
        is_time, what = (lambda line: STEPS[step] in line), ("-e", f"convert={to}")
        run_and_kill(fleet, "convert.yml", NAME, is_time, *what, first=first)
        again = ["--to", to] if way == "completed" else ["--rollback"]
        return berth("convert", NAME, *again, "--json")

    assert_nothing_was_lost(fleet, under_writes(killed_and_run_again))
    if way == "undone":
        assert (declaration(fleet), containers(fleet)) == (text, had)
    else:
        assert f"architecture: {to}" in declaration(fleet)
        assert containers(fleet) == (CONTAINERS if to == "isolated" else set())
        assert berth("convert", NAME, "--commit").returncode == 0
    assert fleet.on(HOST, f"ls /run/berth/hold | grep -c {NAME}", check=False) == "0"


COPY = "Ensure a copy follows the database that is to move"
MOVES = [("copy", "completed"), ("switch", "undone"), ("copy", "undone"), ("switch", "completed")]


@pytest.mark.slow
@pytest.mark.parametrize(("step", "way"), MOVES)
def test_killed_move_is_completed_or_undone(
    under_writes: UnderWrites, fleet: Fleet, berth: Berth, step: str, way: str
) -> None:
    text, had = declaration(fleet), list(databases(fleet))
    there, to = ("dedicated", "isolated") if had == ["shared"] else ("shared", "shared")
    task = STEPS["switch"] if step == "switch" else COPY
    copying = f"until grep -qs schema /etc/berth/postgres/moves/{NAME}; do sleep 0.1; done; pkill -KILL -x pg_restore"
    first = KILL_THE_SWITCH if step == "switch" else f"{copying} || true"
    what = ("-e", f"convert={to}", "-e", f"convert_database={there}")

    def killed_and_run_again() -> CompletedProcess:
        run_and_kill(fleet, "convert.yml", NAME, lambda line: task in line, *what, first=lambda: fleet.on(HOST, first))
        again = ["--to", to, "--database", there] if way == "completed" else ["--rollback"]
        return berth("convert", NAME, *again, "--json")

    assert_nothing_was_lost(fleet, under_writes(killed_and_run_again))
    if way == "completed":
        assert berth("convert", NAME, "--commit").returncode == 0
        assert list(databases(fleet)) == [there]
    else:
        assert (declaration(fleet), list(databases(fleet))) == (text, had)
    assert sql(fleet, "SELECT slot_name FROM pg_replication_slots") == []
    assert sql(fleet, "SELECT nspname FROM pg_namespace WHERE nspname = 'berth_move'") == []


@pytest.mark.slow
def test_isolated_project_gets_a_cluster_of_its_own_and_goes_back(
    under_writes: UnderWrites, fleet: Fleet, berth: Berth
) -> None:
    for options in (["--to", "isolated"], ["--commit"]):
        assert berth("convert", NAME, *options).returncode == 0
    text = declaration(fleet)
    for options, there in ((["--to", "isolated", "--database", "dedicated"], ["dedicated"]), (["--rollback"], [])):
        found = under_writes(lambda options=options: berth("convert", NAME, *options, "--json"))
        assert_nothing_was_lost(fleet, found)
        assert list(databases(fleet)) == ["shared", *there]
        assert containers(fleet) == CONTAINERS
    assert declaration(fleet) == text
    for options in (["--to", "shared"], ["--commit"]):
        assert berth("convert", NAME, *options).returncode == 0


@pytest.mark.slow
def test_database_that_cannot_move_is_refused_by_the_plan_and_before_anything_is_noted(
    fleet: Fleet, berth: Berth, mover: Project
) -> None:
    sql(fleet, "CREATE UNLOGGED TABLE public.fast (id int)")
    for options, code in ((["--plan"], 1), ([], 2)):
        done = berth("convert", NAME, "--to", "isolated", "--database", "dedicated", *options)
        assert done.returncode == code
        assert "mover: its database has unlogged table public.fast, which logical replication leaves out" in done.stderr
        assert not (fleet.inventory / "projects" / f".{NAME}.conversion.yml").exists()
    sql(fleet, "DROP TABLE public.fast")


@pytest.mark.slow
def test_removal_after_a_move_that_is_still_open_leaves_nothing(
    fleet: Fleet, berth: Berth, gateway: Gateway, mover: Project, bare: list[str]
) -> None:
    put_to_sleep(fleet, mover)
    assert berth("convert", NAME, "--to", "isolated", "--database", "dedicated").returncode == 0
    assert gateway.ask(mover, "/rest/v1/written?limit=1", key=mover.anon_key).status_code == 200
    assert databases(fleet) == {"shared": "0", "dedicated": "20"}
    assert berth("remove", NAME, "--yes").returncode == 0
    assert sorted(set(listing(fleet, HOST, NAME)) ^ set(bare)) == []
    assert list((fleet.inventory / "projects").glob(f"*{NAME}*")) == []
