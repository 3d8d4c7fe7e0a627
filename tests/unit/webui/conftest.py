"""Fixtures of the UI: an application over two hosts and one project, browsers of people, a runner that runs nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from berth.playbooks import Play
from berth.runner import Result
from webui import create_app
from webui.config import Config
from webui.core import Core
from webui.services.audit import Actor
from webui.services.execution import Executor

BLOG = "name: blog\nnumber: 1\nhost: alpha\narchitecture: shared\ndomains: [blog.example.com]\n"
PASSWORD = "correct horse battery"
SHELL = Actor("tests", "shell")


class Browser:
    """A browser: sends the token of the form's page with each form."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **arguments) -> TestResponse:
        """Load a page."""
        return self.client.get(path, **arguments)

    def send(self, path: str, page: str | None = None, **fields: object) -> TestResponse:
        """Send a form that is on a page, by default on that of the same address."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page or path).text)
        assert found, f"no form on {page or path}"
        return self.client.post(path, data={"csrf_token": found[1], **fields})


@dataclass
class StandInRunner:
    """Notes plays, tells one changed step, and gives the result that it was told to give."""

    ok: bool = True
    plays: list[Play] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def run(self, play: Play, on_step: object, on_event: Callable[[dict], None], cancelled: object) -> Result:
        """Give the result."""
        self.plays.append(play)
        declared = play.inventory / f"projects/{play.project}.yml"
        self.texts.append(declared.read_text() if declared.exists() else "")
        on_event({"event": "playbook_on_task_start", "event_data": {"name": "Ensure a thing"}})
        result = {"changed": True, "diff": {"before": "old\n", "after": "new\n"}}
        data = {"host": "alpha", "task": "Ensure a thing", "res": result}
        on_event({"event": "runner_on_ok", "event_data": data})
        return Result(self.ok, {"alpha": 1}, (), (), {}, Path("/logs/1.log"), 1.0)


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of two hosts and the project blog."""
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)
    directory = tmp_path / "inventory"
    (directory / "projects").mkdir(parents=True)
    (directory / "projects/blog.yml").write_text(BLOG)
    (directory / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {"alpha": {}, "bravo": {}}}}))
    return directory


@pytest.fixture
def app(inventory: Path, tmp_path: Path):
    """The application over a database of its own."""
    app = create_app(Config(inventory, f"sqlite:///{tmp_path}/ui.db", "k" * 40, testing=True))
    yield app
    app.extensions["berth"].close()


@pytest.fixture
def core(app) -> Core:
    """The services of the application."""
    return app.extensions["berth"]


@pytest.fixture
def runner() -> StandInRunner:
    """A runner whose plays succeed."""
    return StandInRunner()


@pytest.fixture
def executor(core: Core, inventory: Path, runner: StandInRunner) -> Executor:
    """A worker with that runner."""
    return Executor(core.runs, inventory, runner)


@pytest.fixture
def browser(app) -> Browser:
    """A browser of nobody."""
    return Browser(app.test_client())


@pytest.fixture
def person(app, core: Core) -> Callable[..., Browser]:
    """A function that gives the browser of somebody of a role who has just logged in."""

    def make(role: str, name: str | None = None, grants: dict[str, str] | None = None) -> Browser:
        token = core.accounts.add(SHELL, name or role, role, grants)
        browser = Browser(app.test_client())
        answer = browser.send(f"/welcome/{token}", password=PASSWORD, again=PASSWORD)
        assert answer.status_code == 302, answer.text
        return browser

    return make
