"""An isolated project with a PostgreSQL cluster of its own: it is shut in, sized by its limit, and stands alone."""

from contextlib import ExitStack

import pytest
from fleet.content import mark, sign_in
from fleet.killing import run_and_kill
from fleet.listing import listing
from fleet.newcomers import declare, forget
from fleet.services import wait_until
from fleet.traffic import Traffic

UNIT = "postgresql@17-berth_alone.service"
PATHS = ("/rest/v1/marks", "/auth/v1/health", "/pg/schemas")


@pytest.fixture(scope="module")
def alone(gateway, fleet):
    """Give the project of trixie whose database is in a cluster of its own."""
    return fleet.project("alone")


def sql(fleet, project, statement):
    """Returns what the superuser of the project's cluster gets."""
    return fleet.on("trixie", f"psql {project.psql} -U supabase_admin -d postgres -At", stdin=statement)


def test_it_looks_like_any_other_from_outside(gateway, alone):
    assert mark(gateway, alone) == "alone"
    assert sign_in(gateway, alone)
    answers = [gateway.ask(alone, path, key=alone.service_role_key).status_code for path in PATHS]
    assert answers == [200, 200, 200]


def test_its_database_is_in_no_other_cluster(fleet, alone):
    query = "SELECT count(*) FROM pg_database WHERE datname = 'alone'"
    assert sql(fleet, alone, query) == "1"
    assert sql(fleet, fleet.project("one"), query) == "0"


def test_cluster_has_the_same_rules_as_the_hosts(fleet, alone):
    rules = "SELECT type, database, user_name, auth_method, options FROM pg_hba_file_rules"
    query = f"{rules} WHERE type <> 'hostssl' ORDER BY line_number"  # of each owner, where networks are declared
    assert sql(fleet, alone, query) == sql(fleet, fleet.project("one"), query)
    roles = (
        "SELECT rolname, rolcanlogin, rolbypassrls FROM pg_roles WHERE rolname !~ '^(pg_|[a-z_]+_(rest|auth|owner)$)'"
    )
    groups = set(sql(fleet, fleet.project("one"), roles).splitlines())
    assert set(sql(fleet, alone, roles).splitlines()) - {"alone|f|f"} <= groups


def test_cluster_is_sized_by_the_limit_and_runs_in_the_slice(fleet, alone):
    settings = sql(fleet, alone, "SHOW shared_buffers; SHOW max_connections; SHOW listen_addresses").splitlines()
    assert settings[:2] == ["51MB", "30"]
    assert fleet.on("trixie", f"systemctl show --property=Slice --value {UNIT}") == "berth-alone.slice"
    pid = fleet.on("trixie", f"systemctl show --property=MainPID --value {UNIT}")
    assert "berth-alone.slice" in fleet.on("trixie", f"cat /proc/{pid}/cgroup")
    assert fleet.on("trixie", "stat --format '%a %U' /var/lib/postgresql/17/berth_alone") == "700 postgres"


@pytest.mark.parametrize("service", ["rest", "auth", "meta"])
def test_containers_see_no_other_socket(fleet, alone, service):
    pid = fleet.on("trixie", f"cat /run/berth/netns/alone-{service}.pid")
    assert fleet.on("trixie", f"ls /proc/{pid}/cwd/run/berth/postgres") == "alone"
    assert fleet.on("trixie", f"ls -A /proc/{pid}/cwd/run/berth/postgres/alone | grep -v lock") == ".s.PGSQL.10009"
    assert not fleet.on("trixie", f"ls -A /proc/{pid}/cwd/run/postgresql 2>/dev/null", check=False)


def test_status_and_psql_find_its_database(berth, alone):
    [host] = berth.answer("status", "alone", "--json")["hosts"]
    [project] = [found for found in host["projects"] if found["name"] == "alone"]
    assert project["database_bytes"] > 5_000_000
    assert project["connection_limit"] == 20
    assert {service["name"]: service["state"] for service in project["services"]}["postgres"] == "awake"
    done = berth("psql", "alone", "--", "-At", "-c", "SELECT project FROM marks")
    assert (done.returncode, done.stdout.strip()) == (0, "alone")


def test_changed_word_in_the_file_is_refused_before_anything_changes(fleet, alone):
    path = fleet.inventory / "projects" / "alone.yml"
    text = path.read_text()
    path.write_text(text.replace("database: dedicated", "database: shared"))
    try:
        run = fleet.play("project.yml", "-e", "project=alone")
    finally:
        path.write_text(text)
    assert run.returncode != 0
    assert run.changed == 0
    assert "write database: dedicated again" in " ".join(run.output.split())


OTHERS = ("one", "apart")


@pytest.mark.parametrize(
    ("unit", "stopped", "running"),
    [(UNIT, "alone", OTHERS), ("postgresql@17-berth.service", "one", ("alone",))],
    ids=["its own", "the host's"],
)
def test_cluster_that_is_stopped_stops_none_of_the_other(gateway, fleet, alone, unit, stopped, running):
    with ExitStack() as stack:
        traffic = [stack.enter_context(Traffic(gateway, fleet.project(name))) for name in running]
        stack.callback(fleet.on, "trixie", f"systemctl start {unit}")
        fleet.on("trixie", f"systemctl stop {unit}")
        assert mark(gateway, fleet.project(stopped)) != stopped
        before = [each.answers["right"] for each in traffic]
        wait_until(
            lambda: all(each.answers["right"] >= had + 10 for each, had in zip(traffic, before, strict=True)),
            "the others answer",
        )
    wait_until(lambda: mark(gateway, fleet.project(stopped)) == stopped, f"{stopped} answers again")
    assert [each.failures for each in traffic] == [{} for _ in running]


@pytest.mark.slow
def test_new_limit_restarts_the_cluster_and_fails_no_request(gateway, fleet, alone):
    path = fleet.inventory / "projects" / "alone.yml"
    text = path.read_text()
    path.write_text(text.replace("memory: 640M", "memory: 1G"))
    try:
        with Traffic(gateway, alone) as traffic:
            changed = fleet.succeed("project.yml", "-e", "project=alone").changed_tasks
            buffers = sql(fleet, alone, "SHOW shared_buffers")
            again = fleet.succeed("project.yml", "-e", "project=alone").changed_tasks
    finally:
        path.write_text(text)
        fleet.succeed("project.yml", "-e", "project=alone")
    assert (buffers, again) == ("128MB", [])
    assert changed[-1].endswith("Ensure requests wake the services")
    assert traffic.failures == {}
    assert traffic.answers["right"] > 100


@pytest.mark.slow
def test_paused_project_stops_its_cluster_and_resumed_finds_its_data(gateway, berth, fleet, alone):
    try:
        berth.answer("pause", "alone", "--json")
        assert fleet.on("trixie", f"systemctl is-active {UNIT}", check=False) == "inactive"
        assert fleet.on("trixie", "cat /etc/postgresql/17/berth_alone/start.conf") == "manual"
        assert fleet.play("project.yml", "-e", "project=alone").changed_tasks == []
    finally:
        berth.answer("resume", "alone", "--json")
    assert mark(gateway, alone) == "alone"
    assert fleet.on("trixie", "cat /etc/postgresql/17/berth_alone/start.conf") == "auto"


@pytest.mark.slow
def test_killed_add_and_removal_are_completed_by_the_next_run(gateway, fleet):
    name = "cut-short"
    forget(fleet, name)
    before = listing(fleet, "trixie", name)
    project = declare(fleet, name, 91, "trixie", architecture="isolated", database="dedicated")
    try:
        # so a pg_createcluster that is killed leaves it
        fleet.on(
            "trixie", "mkdir -p /etc/berth/postgres/making; echo begun >/etc/berth/postgres/making/berth_cut_short"
        )
        fleet.on("trixie", "install -d -o postgres /var/lib/postgresql/17/berth_cut_short/base")
        run_and_kill(fleet, "project.yml", name, lambda line: "Ensure the template database is complete" in line)
        fleet.succeed("project.yml", "-e", f"project={name}")
        assert gateway.ask(project, "/auth/v1/settings", key=project.anon_key).status_code == 200
        run_and_kill(fleet, "remove.yml", name, lambda line: "Ensure its files are gone" in line)
    finally:
        forget(fleet, name)
    assert sorted(set(listing(fleet, "trixie", name)) ^ set(before)) == []
