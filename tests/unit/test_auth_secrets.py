"""Secrets of a project's auth settings: kept by commands, needed by declarations, never told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from berth.cli import app
from berth.host_projects import require_secrets
from berth.models import Project
from berth.playbooks import Play, repository
from berth.runner import OnStep, Result
from berth.secrets import SecretStore

SECRET = 'p$w"d of`the\\mail é'
BLOG = {"name": "blog", "number": 1, "host": "alpha", "architecture": "shared"}
GITHUB = {"providers": {"github": {"client_id": "abc"}}}

Berth = Callable[..., object]


class CountingRunner:
    """Counts plays instead of running them."""

    def __init__(self) -> None:
        self.plays: list[Play] = []

    def run(self, play: Play, on_step: OnStep) -> Result:
        """Give a good result."""
        self.plays.append(play)
        return Result(True, {"alpha": 1}, (), (), {}, Path("/logs/1.log"), 1.0)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of one host and one project, named by BERTH_INVENTORY."""
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)
    monkeypatch.setenv("BERTH_INVENTORY", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_CONFIG", str(repository() / "ansible.cfg"))
    (tmp_path / "projects").mkdir()
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {"alpha": {}}}}))
    declare(tmp_path)
    return tmp_path


@pytest.fixture
def runner() -> CountingRunner:
    """A runner whose plays succeed."""
    return CountingRunner()


@pytest.fixture
def berth(environment: Path, runner: CountingRunner) -> Berth:
    """A function that runs a command, with text on its standard input."""
    return lambda *arguments, stdin="": CliRunner().invoke(app, arguments, obj=runner, input=stdin)


def declare(environment: Path, **auth: object) -> None:
    """Write the declaration of the project."""
    (environment / "projects/blog.yml").write_text(yaml.safe_dump({**BLOG, "auth": auth} if auth else BLOG))


def kept(environment: Path) -> dict[str, str]:
    """What the vault has."""
    return dict(SecretStore(environment).project("blog").auth)


def test_secret_is_kept_encrypted_and_shown_by_name_alone(berth: Berth, environment: Path) -> None:
    result = berth("secrets", "set", "blog", "smtp_password", stdin=f"{SECRET}\n")
    assert (result.exit_code, SECRET in result.output) == (0, False)
    assert kept(environment) == {"smtp_password": SECRET}
    assert SECRET not in (environment / "secrets/blog.yml").read_text()
    listed = berth("secrets", "list", "blog", "--json")
    assert json.loads(listed.stdout) == [{"name": "smtp_password", "set": True, "used_by": None}]
    assert berth("secrets", "list", "blog").stdout.split() == ["smtp_password", "set", "not", "used"]


def test_other_secrets_stay(berth: Berth, environment: Path) -> None:
    before = SecretStore(environment).project("blog")
    berth("secrets", "set", "blog", "oauth_github_secret", stdin="a")
    berth("secrets", "set", "blog", "oauth_google_secret", stdin="b")
    berth("secrets", "set", "blog", "oauth_github_secret", stdin="c")
    assert kept(environment) == {"oauth_github_secret": "c", "oauth_google_secret": "b"}
    assert berth("secrets", "unset", "blog", "oauth_github_secret").exit_code == 0
    assert kept(environment) == {"oauth_google_secret": "b"}
    assert SecretStore(environment).project("blog").current == before.current


def test_secret_that_is_used_is_brought_to_the_host(berth: Berth, environment: Path, runner: CountingRunner) -> None:
    berth("secrets", "set", "blog", "oauth_github_secret", stdin="a")
    assert runner.plays == []
    declare(environment, **GITHUB)
    told = json.loads(berth("secrets", "set", "blog", "oauth_github_secret", "--json", stdin="b").stdout)
    assert [play.project for play in runner.plays] == ["blog"]
    assert (told["secret"], told["set"], told["run"]["ok"]) == ("oauth_github_secret", True, True)


def test_secret_is_planned_on_a_copy(berth: Berth, environment: Path, runner: CountingRunner) -> None:
    berth("secrets", "set", "blog", "oauth_github_secret", stdin="a")
    declare(environment, **GITHUB)
    result = berth("secrets", "set", "blog", "oauth_github_secret", "--plan", stdin="b")
    assert (result.exit_code, kept(environment)) == (0, {"oauth_github_secret": "a"})
    [play] = runner.plays
    assert (play.project, play.check, play.inventory.exists()) == ("blog", True, False)
    shown = berth("secrets", "set", "blog", "oauth_github_secret", "--show-playbook")
    assert "playbooks/project.yml -e project=blog" in shown.stdout
    assert len(runner.plays) == 1


@pytest.mark.parametrize(
    ("auth", "change", "name"),
    [
        (GITHUB, "auth.jwt_exp=600", "auth.providers.github: its secret oauth_github_secret is missing"),
        ({}, "auth.providers.github.client_id=abc", "auth.providers.github: its secret oauth_github_secret is missing"),
        (
            {},
            "auth.smtp={host: smtp.example.com, user: me, sender: a@example.com}",
            "auth.smtp.user: its secret smtp_password is missing",
        ),
    ],
)
def test_setting_without_its_secret_is_refused_before_anything_is_written(
    berth: Berth, environment: Path, runner: CountingRunner, auth: dict, change: str, name: str
) -> None:
    declare(environment, **auth)
    before = (environment / "projects/blog.yml").read_text()
    for more in ([], ["--plan"]):
        result = berth("update", "blog", change, *more)
        assert (result.exit_code, result.stdout) == (2, "")
        [line] = result.stderr.splitlines()
        assert name in line
        assert "berth secrets set blog " in line
    assert (environment / "projects/blog.yml").read_text() == before
    assert runner.plays == []
    assert not (environment / "secrets/blog.yml").exists()


def test_setting_with_its_secret_is_taken(berth: Berth, environment: Path) -> None:
    berth("secrets", "set", "blog", "oauth_github_secret", stdin="a")
    assert berth("update", "blog", "auth.providers.github.client_id=abc").exit_code == 0
    assert yaml.safe_load((environment / "projects/blog.yml").read_text())["auth"] == GITHUB


def test_mail_server_without_login_needs_no_secret(environment: Path) -> None:
    smtp = {"host": "smtp.example.com", "sender": "a@example.com"}
    require_secrets(environment, [Project(**BLOG, auth={"smtp": smtp})])


def test_secret_that_is_needed_stays(berth: Berth, environment: Path) -> None:
    berth("secrets", "set", "blog", "oauth_github_secret", stdin="a")
    declare(environment, **GITHUB)
    refused = berth("secrets", "unset", "blog", "oauth_github_secret")
    assert refused.exit_code == 2
    assert "auth.providers.github needs it; first run: berth update blog auth.providers.github=null" in refused.stderr
    assert kept(environment) == {"oauth_github_secret": "a"}


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (("set", "blog", "smtp_pasword"), "x", "found 'smtp_pasword', allowed: smtp_password or oauth_PROVIDER_secret"),
        (("set", "blog", "oauth_githb_secret"), "x", "found 'oauth_githb_secret'"),
        (("set", "blog", "smtp_password"), "", "smtp_password: found 0 characters, allowed: one line of 1 to 4000"),
        (("set", "blog", "smtp_password"), "two\nlines\n", "smtp_password: found 9 characters"),
        (("set", "blog", "smtp_password"), "x" * 4001, "smtp_password: found 4001 characters"),
        (("set", "shop", "smtp_password"), "x", "project 'shop' is not declared"),
        (("unset", "blog", "smtp_password"), "", "smtp_password: not set for blog; set are: none"),
    ],
)
def test_mistake_is_told_in_one_line(
    berth: Berth, environment: Path, arguments: tuple[str, ...], stdin: str, told: str
) -> None:
    result = berth("secrets", *arguments, stdin=stdin)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert told in result.stderr
    assert not (environment / "secrets/blog.yml").exists()
