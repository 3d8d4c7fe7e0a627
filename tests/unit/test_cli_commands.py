"""The commands that change things, with a runner that notes the plays instead of running them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import pexpect
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.main import get_command
from typer.testing import CliRunner

from berth.cli import app
from berth.declarations import load
from berth.playbooks import Play, repository
from berth.run_events import Change, Failure
from berth.runner import OnStep, Result

BERTH = Path(sys.executable).parent / "berth"
PAGE = repository() / "docs" / "commands.md"
BLOG = "name: blog\nnumber: 1  # the first\nhost: alpha\narchitecture: shared\ndomains: [blog.example.com]\n"
FAILED = Failure("alpha", "Ensure the databases exist", "The disk is full")


@dataclass
class NotingRunner:
    """Notes each play with the declarations that it would read, and gives the result it was told to give."""

    failures: tuple[Failure, ...] = ()
    unreachable: dict[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    reports: dict[str, dict] = field(default_factory=dict)
    plays: list[Play] = field(default_factory=list)
    seen: list[dict] = field(default_factory=list)

    def run(self, play: Play, on_step: OnStep) -> Result:
        """Give the result."""
        on_step("Ensure something")
        self.plays.append(play)
        self.seen.append(load(play.inventory, ("alpha", "bravo")))
        ok = not self.failures and not self.unreachable
        changed = {"alpha": len(self.changes), "bravo": 0}
        told = (ok, changed, self.changes, self.failures, self.unreachable)
        return Result(*told, Path("/logs/1.log"), 1.234, self.reports)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of two hosts and one project, named by BERTH_INVENTORY."""
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects/blog.yml").write_text(BLOG)
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {"alpha": {}, "bravo": {}}}}))
    monkeypatch.setenv("BERTH_INVENTORY", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_CONFIG", str(repository() / "ansible.cfg"))
    return tmp_path


@pytest.fixture
def runner() -> NotingRunner:
    """A runner whose plays succeed."""
    return NotingRunner()


Berth = Callable[..., object]


@pytest.fixture
def berth(environment: Path, runner: NotingRunner) -> Berth:
    """A function that runs a command with the noting runner."""
    return lambda *arguments: CliRunner().invoke(app, arguments, obj=runner)


def declared(environment: Path, name: str) -> str:
    """The text of a declaration."""
    return (environment / f"projects/{name}.yml").read_text()


def all_files(environment: Path) -> dict[str, str]:
    """All files of an environment but the lock."""
    return {path.name: path.read_text() for path in environment.rglob("*") if path.is_file() and path.name != ".lock"}


def refused(result: object) -> str:
    """The one line of a refusal."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr


def test_add_writes_the_declaration_and_runs_its_play(berth: Berth, runner: NotingRunner, environment: Path) -> None:
    result = berth("add", "shop", "--host", "bravo", "--domain", "shop.example.com", "--idle-timeout", "1h", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told["project"] == {
        "name": "shop",
        "number": 2,
        "host": "bravo",
        "architecture": "shared",
        "state": "present",
        "domains": ["shop.example.com"],
        "urls": ["http://shop.example.com", "http://bravo/projects/shop"],
    }
    assert told["run"] == {
        "ok": True,
        "changed": {"alpha": 0, "bravo": 0},
        "failures": [],
        "unreachable": {},
        "seconds": 1.23,
        "log": "/logs/1.log",
    }
    assert runner.plays == [Play("project.yml", environment, "shop")]
    assert runner.seen[0]["shop"].idle_timeout == "1h"
    assert "number: 2" in declared(environment, "shop")


def test_success_says_nothing_where_nobody_looks(berth: Berth) -> None:
    result = berth("add", "shop", "--host", "bravo")
    assert (result.exit_code, result.output) == (0, "")


def test_only_host_is_the_default(berth: Berth, environment: Path) -> None:
    (environment / "hosts.yml").write_text("berth_hosts: {hosts: {alpha: }}\n")
    assert berth("add", "shop").exit_code == 0
    assert "host: alpha" in declared(environment, "shop")


def test_failed_add_keeps_the_declaration_and_says_what_completes_it(
    berth: Berth, runner: NotingRunner, environment: Path
) -> None:
    runner.failures = (FAILED,)
    runner.unreachable = {"bravo": "Connection refused"}
    result = berth("add", "shop", "--host", "alpha", "--json")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "berth: Ensure the databases exist on alpha: The disk is full",
        "berth: host bravo is not reachable: Connection refused",
        "berth: the whole log: /logs/1.log",
        "berth: the declaration stays as it is now; berth apply shop completes it",
    ]
    assert json.loads(result.stdout)["run"]["failures"] == [
        {"host": "alpha", "task": "Ensure the databases exist", "message": "The disk is full"}
    ]
    assert "name: shop" in declared(environment, "shop")


@pytest.mark.parametrize(
    ("arguments", "project", "text"),
    [
        (["pause", "blog"], "paused", "state: paused"),
        (["update", "blog", "limits.connections=50", "rest.schemas=[public, api]"], "present", "{connections: 50}"),
        (["update", "blog", "auth.email_autoconfirm=true"], "present", "auth: {email_autoconfirm: true}"),
        (["domains", "add", "blog", "a.example.com"], "present", "[blog.example.com, a.example.com]"),
        (["domains", "remove", "blog", "blog.example.com"], "present", "domains: []"),
        (["domains", "rename", "blog", "blog.example.com", "b.example.com"], "present", "domains: [b.example.com]"),
        (["resume", "blog"], "present", "state: present"),
    ],
)
def test_change_is_written_and_applied(
    berth: Berth, runner: NotingRunner, environment: Path, arguments: list[str], project: str, text: str
) -> None:
    result = berth(*arguments, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["project"]["state"] == project
    assert runner.plays == [Play("project.yml", environment, "blog")]
    assert text in declared(environment, "blog")
    assert "number: 1  # the first" in declared(environment, "blog")


CHANGES = [
    ["add", "shop", "--host", "bravo"],
    ["update", "blog", "limits.connections=50"],
    ["pause", "blog"],
    ["resume", "blog"],
    ["domains", "add", "blog", "a.example.com"],
    ["domains", "remove", "blog", "blog.example.com"],
    ["domains", "rename", "blog", "blog.example.com", "b.example.com"],
]


@pytest.mark.parametrize("arguments", CHANGES, ids=" ".join)
def test_plan_of_a_change_runs_on_the_draft_and_writes_nothing(
    berth: Berth, runner: NotingRunner, environment: Path, arguments: list[str]
) -> None:
    before = all_files(environment)
    runner.changes = (Change("alpha", "Ensure a file", ("-one\n+two",)),)
    beside = "bravo: nothing would change\n" if "bravo" in arguments else ""
    result = berth(*arguments, "--plan")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "alpha\n  Ensure a file\n    -one\n    +two\n  no other project feels it\n" + beside
    [play] = runner.plays
    assert play.check
    assert play.inventory != environment
    [seen] = runner.seen
    assert seen != load(environment, ("alpha", "bravo")) or arguments[0] == "resume"
    assert all_files(environment) == before


@pytest.mark.parametrize("arguments", CHANGES, ids=" ".join)
@pytest.mark.parametrize("more", [[], ["--plan"]])
def test_show_playbook_prints_the_line_and_does_nothing(
    berth: Berth, runner: NotingRunner, environment: Path, arguments: list[str], more: list[str]
) -> None:
    before = all_files(environment)
    result = berth(*arguments, "--show-playbook", *more)
    assert result.exit_code == 0, result.output
    [line] = result.stdout.splitlines()
    name = "shop" if "shop" in arguments else "blog"
    options = " --check --diff" if more else ""
    assert line.endswith(f"ansible-playbook -i {environment} playbooks/project.yml -e project={name}{options}") or (
        line.endswith(f"/playbooks/project.yml -e project={name}{options}")
    )
    assert (runner.plays, all_files(environment)) == ([], before)
    assert json.loads(berth(*arguments, "--show-playbook", *more, "--json").stdout) == {"playbook": line}


@pytest.mark.parametrize(
    ("arguments", "play"),
    [
        (["apply"], Play("site.yml", Path())),
        (["apply", "blog"], Play("project.yml", Path(), "blog")),
        (["apply", "--plan"], Play("site.yml", Path(), check=True)),
        (["plan"], Play("site.yml", Path(), check=True)),
        (["plan", "blog"], Play("project.yml", Path(), "blog", check=True)),
    ],
)
def test_apply_and_plan_run_their_play(
    berth: Berth, runner: NotingRunner, environment: Path, arguments: list[str], play: Play
) -> None:
    result = berth(*arguments, "--json")
    assert result.exit_code == 0, result.output
    assert runner.plays == [Play(play.playbook, environment, play.project, play.check)]
    assert json.loads(result.stdout)["run"]["ok"] is True
    assert ("changes" in json.loads(result.stdout)) is play.check
    line = berth(*arguments, "--show-playbook").stdout
    assert f"playbooks/{play.playbook}" in line
    assert ("--check --diff" in line) is play.check


def test_plan_of_a_project_names_its_host_alone(berth: Berth) -> None:
    assert berth("plan").stdout == "alpha: nothing would change\nbravo: nothing would change\n"
    assert berth("plan", "blog").stdout == "alpha: nothing would change\n"


def test_plan_of_everything_names_who_may_feel_it(berth: Berth, runner: NotingRunner) -> None:
    runner.changes = (Change("alpha", "Ensure PostgreSQL is set up", (), "postgres"),)
    assert "  may be felt by blog: requests wait during a restart\n" in berth("plan").stdout
    assert json.loads(berth("plan", "--json").stdout)["felt_by"] == {"alpha": ["blog"]}
    assert json.loads(berth("plan", "blog", "--json").stdout)["felt_by"] == {"alpha": []}


@pytest.mark.parametrize(
    ("came", "why"),
    [({"unreachable": {"alpha": "timed out"}}, "it does not answer"), ({"failures": (FAILED,)}, "a task failed")],
)
def test_plan_knows_nothing_of_a_host_that_failed(berth: Berth, runner: NotingRunner, came: dict, why: str) -> None:
    for name, value in came.items():
        setattr(runner, name, value)
    unknown = f"would change is not known, since {why}\n"
    result = berth("plan")
    assert (result.exit_code, result.stdout) == (1, f"alpha: what {unknown}bravo: nothing would change\n")
    runner.changes = (Change("alpha", "Ensure a file"),)
    assert berth("plan", "blog").stdout == f"alpha: what else {unknown}  Ensure a file\n"


def test_add_may_only_declare(berth: Berth, runner: NotingRunner, environment: Path) -> None:
    told = json.loads(berth("add", "shop", "--host", "bravo", "--no-apply", "--json").stdout)
    assert (told["project"]["number"], list(told), runner.plays) == (2, ["project", "placement"], [])
    assert "host: bravo" in declared(environment, "shop")


def test_many_commands_at_once_give_each_project_a_number(environment: Path) -> None:
    names = [f"p{number:02}" for number in range(20)]
    command = [str(BERTH), "add", "--host", "alpha", "--no-apply"]
    adding = [subprocess.Popen([*command, name, "--domain", f"{name}.example.com"]) for name in names]
    assert [one.wait() for one in adding] == [0] * 20
    projects = load(environment, ("alpha", "bravo"))
    assert sorted(projects) == ["blog", *names]
    assert sorted(project.number for project in projects.values()) == list(range(1, 22))
    assert [projects[name].domains for name in names] == [[f"{name}.example.com"] for name in names]
    assert (environment / "projects/.highest-number").read_text() == "21\n"


def test_one_name_at_once_is_given_once(environment: Path) -> None:
    command = [str(BERTH), "add", "shop", "--host", "alpha", "--no-apply"]
    adding = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(4)]
    assert sorted(one.wait() for one in adding) == [0, 2, 2, 2]
    assert load(environment, ("alpha", "bravo"))["shop"].number == 2


@pytest.mark.parametrize(
    ("options", "archive"), [(["--yes"], True), (["--yes", "--no-backup"], False)], ids=["archive", "none"]
)
def test_remove_runs_its_play_and_tells_the_archive(
    berth: Berth, runner: NotingRunner, environment: Path, options: list[str], archive: bool
) -> None:
    if archive:
        (environment / "archives/blog-1-20261125T101500Z").mkdir(parents=True)
    path = f"{environment}/archives/blog-1-20261125T101500Z"
    result = berth("remove", "blog", *options)
    assert (result.exit_code, result.output) == (0, f"archive: {path}\n" if archive else "")
    told = json.loads(berth("remove", "blog", *options, "--json").stdout)
    assert (told["project"]["number"], told["archive"]) == (1, path if archive else None)
    assert runner.plays == [Play("remove.yml", environment, "blog", archive=archive)] * 2
    line = berth("remove", "blog", *options, "--show-playbook").stdout
    assert "playbooks/remove.yml -e project=blog" in line
    assert ("project_archive=false" in line) is not archive


def test_plan_of_a_removal_needs_no_consent(berth: Berth, runner: NotingRunner, environment: Path) -> None:
    runner.changes = (Change("alpha", "Ensure its files are gone", ("-/etc/berth/projects/blog",)),)
    result = berth("remove", "blog", "--plan")
    assert (result.exit_code, "-/etc/berth/projects/blog" in result.stdout) == (0, True)
    assert runner.plays == [Play("remove.yml", environment, "blog", check=True)]


def test_removal_on_a_host_that_does_not_answer_tells_what_to_do(berth: Berth, runner: NotingRunner) -> None:
    runner.unreachable = {"alpha": "Connection timed out"}
    result = berth("remove", "blog", "--yes")
    assert (result.exit_code, result.stdout) == (1, "")
    told = result.stderr.splitlines()
    assert told[0] == "berth: host alpha is not reachable: Connection timed out"
    assert told[2].startswith("berth: berth remove blog goes on where it was")
    assert re.search(r"host alpha gone for good\? .*projects/blog.yml and .*secrets/blog.yml", told[3])


@pytest.mark.parametrize(("typed", "code"), [("blog", 1), ("blag", 2)])
def test_terminal_is_asked_for_the_name_again(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (environment / "hosts.yml").write_text(
        "berth_hosts: {hosts: {alpha: {ansible_host: 127.0.0.1, ansible_port: 9}}}\n"
    )
    terminal = pexpect.spawn(str(BERTH), ["remove", "blog"], timeout=120, encoding="utf-8", cwd=tmp_path)
    terminal.expect_exact("This removes blog and its data from alpha. Type its name again: ")
    terminal.sendline(typed)
    terminal.expect_exact("not reachable" if code == 1 else "name: found 'blag', allowed: 'blog'; nothing was removed")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == code


def test_apply_tells_of_projects_that_no_file_declares(berth: Berth, runner: NotingRunner) -> None:
    runner.reports = {"alpha": {"orphans": ["old"]}, "bravo": {"orphans": []}}
    result = berth("apply", "--json")
    assert result.exit_code == 0
    [line] = result.stderr.splitlines()
    assert line.startswith("berth: host alpha has the project old, which no file declares; it runs on.")


def test_failed_apply_and_plan_end_with_1(berth: Berth, runner: NotingRunner) -> None:
    runner.failures = (FAILED,)
    assert (applied := berth("apply")).exit_code == 1
    assert "berth: run it again with: berth apply\n" in applied.stderr
    assert (planned := berth("plan", "blog")).exit_code == 1
    assert "berth: nothing was changed\n" in planned.stderr


REFUSED = {
    "no name": (["add", "--host", "alpha"], "name: missing; give it after berth add"),
    "upper case": (["add", "Shop", "--host", "alpha"], "project name 'Shop': allowed: 2 to 24 of a-z"),
    "reserved": (["add", "template1", "--host", "alpha"], "reserved for PostgreSQL"),
    "taken": (["add", "blog", "--host", "alpha"], "which "),
    "host": (["add", "shop", "--host", "nowhere"], "host: found 'nowhere', allowed: a host of the inventory"),
    "architecture": (["add", "shop", "--host", "alpha", "--architecture", "big"], "architecture: found 'big', allowed"),
    "domain": (["add", "shop", "--host", "alpha", "--domain", "no_dns"], "domains[0]: found 'no_dns', allowed"),
    "taken domain": (["add", "shop", "--host", "alpha", "--domain", "blog.example.com"], "domains: found 'blog.ex"),
    "idle timeout": (["add", "shop", "--host", "alpha", "--idle-timeout", "x"], "idle_timeout: found 'x', allowed"),
    "no value": (["update", "blog", "limits.connections"], "found 'limits.connections', allowed: key=value"),
    "empty value": (["update", "blog", "auth.site_url="], "allowed: key=value such as"),
    "two values": (["update", "blog", "rest.max_rows=5", "rest.max_rows=6"], "rest.max_rows: given twice"),
    "broken value": (["update", "blog", "rest.schemas=[a"], "rest.schemas: found '[a': not readable as YAML"),
    "value with more": (["update", "blog", "rest.pool=1\nnumber: 9"], "rest.pool: found '1\\nnumber: 9', allowed: one"),
    "key": (["update", "blog", "limits.conections=5"], "limits.conections: unknown key"),
    "fixed": (["update", "blog", "number=9"], "number: cannot be changed"),
    "unknown project": (["pause", "nothing"], "project 'nothing' is not declared in"),
    "apply unknown": (["apply", "nothing"], "project 'nothing' is not declared in"),
    "plan unknown": (["plan", "nothing"], "project 'nothing' is not declared in"),
    "show unknown": (["show", "nothing"], "project 'nothing' is not declared in"),
    "domain not there": (["domains", "remove", "blog", "x.example.com"], "domains: found 'x.example.com' to remove"),
    "domain there": (["domains", "add", "blog", "blog.example.com"], "domains: found 'blog.example.com' to add"),
    "not confirmed": (["remove", "blog"], "removing blog was not confirmed; give --yes"),
    "confirmed by nobody": (["remove", "blog", "--json"], "removing blog was not confirmed; give --yes"),
    "no backup": (["remove", "blog", "--no-backup"], "--no-backup: needs --yes beside it"),
    "remove unknown": (["remove", "nothing", "--yes"], "project 'nothing' is not declared in"),
    "no play": (["add", "shop", "--host", "alpha", "--no-apply", "--plan"], "--no-apply: there is no play then"),
    "inventory": (["apply", "-i", "nowhere"], "inventory nowhere: no such file or directory"),
    "rename not there": (["domains", "rename", "blog", "x.example.com", "y.example.com"], "'x.example.com' to rename"),
    "rename to itself": (["domains", "rename", "blog", *["blog.example.com"] * 2], "which blog has already"),
    "rename a project": (["rename", "blog", "-x"], "rename a domain with berth domains rename NAME OLD NEW"),
    "name like an option": (["show", "-blog"], "berth: no such option: -b; see berth show --help"),
    "missing name": (["show"], "berth: missing argument 'NAME'; see berth show --help"),
    "unknown option": (["list", "--all"], "berth: no such option: --all; see berth list --help"),
    "option before": (["--all", "list"], "berth: no such option: --all; see berth --help"),
    "unknown command": (["destroy"], "berth: no such command 'destroy'; see berth --help"),
    "unknown part": (["domains", "flip"], "berth: no such command 'flip'; see berth domains --help"),
    "extra": (["list", "blog"], "berth: got unexpected extra argument(s) (blog); see berth list --help"),
    "no host": (["add", "shop", "--host"], "berth: option '--host' requires an argument; see berth --help"),
    "meta of shared": (["logs", "blog", "--service", "meta"], "found 'meta', allowed: rest, auth, gateway, postgres"),
    "no lines": (["logs", "blog", "--lines", "0"], "'--lines': found '0', allowed: 1 to 100000; correct it; see berth"),
    "lines": (["logs", "blog", "--lines", "abc"], "'--lines': found 'abc', allowed: 1 to 100000; correct it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_ends_with_2_and_one_line_and_does_nothing(
    berth: Berth, runner: NotingRunner, environment: Path, case: str
) -> None:
    arguments, told = REFUSED[case]
    before = all_files(environment)
    assert told in refused(berth(*arguments))
    assert (runner.plays, all_files(environment)) == ([], before)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=26), st.text("abc-.\n ;$'\"", max_size=12))
def test_no_input_is_a_traceback_or_reaches_a_play_unchecked(
    berth: Berth, runner: NotingRunner, environment: Path, name: str, domain: str
) -> None:
    runner.plays.clear()
    result = berth("add", "--host=alpha", f"--domain={domain}", "--plan", "--", name)
    assert result.exit_code in (0, 2), result.exception
    assert {path.name for path in (environment / "projects").iterdir()} <= {"blog.yml", ".lock"}
    for play in runner.plays:
        assert re.fullmatch(r"[a-z][a-z0-9-]{0,22}[a-z0-9]", play.project)


def test_broken_declaration_stops_apply_before_the_play(berth: Berth, runner: NotingRunner, environment: Path) -> None:
    (environment / "projects/blog.yml").write_text(BLOG.replace("alpha", "gamma"))
    assert "host: found 'gamma'" in refused(berth("apply"))
    assert runner.plays == []


def test_show_tells_defaults_and_what_follows(berth: Berth) -> None:
    told = json.loads(berth("show", "blog", "--json").stdout)
    assert (told["database"], told["limits"]["connections"], told["auth_port"]) == ("blog", 20, 20001)
    lines = dict(line.split(maxsplit=1) for line in berth("show", "blog").stdout.splitlines())
    assert lines["limits.connections"] == "20"
    assert lines["urls"] == "http://blog.example.com, http://alpha/projects/blog"
    assert lines["auth.site_url"] == "none"
    assert lines["auth.disable_signup"] == "false"


def test_hosts_tells_each_host_with_its_projects(berth: Berth) -> None:
    alpha, bravo = json.loads(berth("hosts", "--json").stdout)
    assert (alpha["name"], alpha["projects"], alpha["memory_mb"]) == ("alpha", ["blog"], None)
    assert (bravo["public_url"], bravo["database_address"], bravo["projects"]) == ("http://bravo", "bravo:5432", [])
    assert "http://alpha" in berth("hosts").stdout


def test_domains_list(berth: Berth) -> None:
    assert berth("domains", "list", "blog").stdout == "blog.example.com\n"
    assert json.loads(berth("domains", "list", "blog", "--json").stdout) == ["blog.example.com"]


def answered(arguments: list[str], *exchange: tuple[str, str]) -> tuple[str, int]:
    """What `berth` says at a terminal after the last answer, and its exit code; the exchange is questions, answers."""
    terminal = pexpect.spawn(
        str(BERTH), arguments, timeout=60, encoding="utf-8", cwd=repository(), dimensions=(24, 400)
    )
    for question, answer in exchange:
        terminal.expect_exact(question)
        terminal.sendline(answer)
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.before, terminal.exitstatus


def test_terminal_is_asked_for_what_is_missing(environment: Path) -> None:
    said, code = answered(
        ["add", "--host", "bravo", "--no-apply"],
        ("Name of the project: ", "shop"),
        ("Architecture (shared, isolated) [shared]: ", "isolated"),
        ("Database (shared, dedicated) [shared]: ", "dedicated"),
        ("Domains, with spaces between", "shop.example.com www.shop.example.com"),
    )
    assert (code, "shop: declared" in said) == (0, True), said
    shop = load(environment, ("alpha", "bravo"))["shop"]
    assert (shop.architecture, shop.database, shop.host) == ("isolated", "dedicated", "bravo")
    assert shop.domains == ["shop.example.com", "www.shop.example.com"]


def test_wrong_answers_are_asked_for_again_in_the_words_of_the_errors(environment: Path) -> None:
    (environment / "hosts.yml").write_text("berth_hosts: {hosts: {alpha: }}\n")
    said, code = answered(
        ["add", "--no-apply"],
        ("Name of the project: ", "Shop"),
        ("Error: project name 'Shop': allowed: 2 to 24 of a-z", "blog"),
        ("Error: name: found 'blog', which ", "shop"),
        ("Architecture (shared, isolated) [shared]: ", "island"),
        ("Error: architecture: found 'island', allowed: shared or isolated; ", ""),
        ("Domains, with spaces between", "shop.example.com Upper.example.com"),
        ("Error: domains[1]: found 'Upper.example.com', allowed: a DNS name", "blog.example.com"),
        ("Error: domains: found 'blog.example.com', which ", ""),
    )
    assert (code, "shop: declared" in said) == (0, True), said
    assert declared(environment, "shop") == "---\nname: shop\nnumber: 2\nhost: alpha\narchitecture: shared\n"


def test_what_was_given_wrongly_is_refused_before_a_question(environment: Path) -> None:
    said, code = answered(["add", "shop", "--idle-timeout", "x"])
    assert code == 2
    assert said.startswith("berth: idle_timeout: found 'x'")


def test_nothing_is_asked_without_a_terminal(berth: Berth, environment: Path) -> None:
    assert berth("add", "shop", "--host", "alpha", "--no-apply").output == ""
    assert "architecture: shared" in declared(environment, "shop")


def test_terminal_sees_steps_and_the_sum(environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "xterm")
    (environment / "hosts.yml").write_text(
        "berth_hosts: {hosts: {alpha: {ansible_host: 127.0.0.1, ansible_port: 9}}}\n"
    )
    terminal = pexpect.spawn(str(BERTH), ["apply", "blog"], timeout=120, encoding="utf-8", cwd=tmp_path)
    terminal.expect("Require sound declarations")
    terminal.expect(r"berth: host alpha is not reachable: .*Connection refused")
    terminal.expect(r"berth: the whole log: \S+\.log")
    terminal.expect_exact("berth: run it again with: berth apply blog")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 1


def commands(group: object, prefix: str = "") -> dict[str, object]:
    """The commands of the app that help shows, by their full names."""
    found = {}
    for name, command in group.commands.items():
        if command.hidden:
            continue
        found |= commands(command, f"{name} ") if hasattr(command, "commands") else {prefix + name: command}
    return found


def test_page_has_every_command_with_its_options_and_words() -> None:
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `berth ")]
    page = {re.sub(r"^berth | [A-Z\[].*", "", row[1].strip(" `")): [cell.strip() for cell in row[2:4]] for row in rows}
    app_commands = commands(get_command(app))
    assert set(page) == set(app_commands)
    common = {"--inventory", "--json", "--plan", "--show-playbook", "--help"}
    for name, command in app_commands.items():
        long = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        own = [option for option in long if option not in common]
        assert re.findall(r"--[a-z-]+", page[name][1]) == own, name
        assert page[name][0] == command.help.rstrip("."), name


def test_page_says_which_commands_take_which_common_option() -> None:
    text = PAGE.read_text()
    for option in ("--json", "--inventory", "--plan", "--show-playbook"):
        takes = {
            name for name, command in commands(get_command(app)).items() for p in command.params if option in p.opts
        }
        [row] = [line for line in text.splitlines() if line.startswith(f"| `{option}")]
        named = set(re.findall(r"`([a-z ]+)`", row.rsplit("|", 2)[1]))
        said = set(commands(get_command(app))) - named if "all commands" in row else named
        assert said == takes, option


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_there(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")  # the parent process may be no shell
    result = CliRunner().invoke(app, ["--show-completion", shell])
    assert result.exit_code == 0
    assert "_BERTH_COMPLETE" in result.stdout


def test_renamed_domain_keeps_its_place_and_the_comments(berth: Berth, environment: Path) -> None:
    kept = BLOG.replace(
        "domains: [blog.example.com]\n",
        "domains:\n  - a.example.com  # first\n  - blog.example.com  # second\n  - z.example.com  # last\n",
    )
    (environment / "projects/blog.yml").write_text(kept)
    assert berth("domains", "rename", "blog", "blog.example.com", "blag.example.com").exit_code == 0
    assert declared(environment, "blog") == kept.replace("- blog.example.com", "- blag.example.com")


@pytest.mark.parametrize("command", ["list", "add", "logs"])
def test_help_tells_where_the_inventory_comes_from(command: str) -> None:
    told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "300", "TERMINAL_WIDTH": "300"}).output
    assert "[env: BERTH_INVENTORY; default: inventory/local]" in re.sub(r"[\s│]+", " ", told)


def test_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"berth {version('berth')}\n")
