"""Fixtures of the UI: an application over two hosts and one project, browsers of people, a runner that runs nothing."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from argon2 import PasswordHasher, Type
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from postgres_server import PostgresServer
from werkzeug.test import TestResponse

from berth.playbooks import Play
from berth.runner import Result
from webui import create_app
from webui.config import Config
from webui.core import Core
from webui.db import Database
from webui.services.audit import Actor
from webui.services.execution import Executor
from webui.services.tokens import SCOPES

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
class Program:
    """A program that uses the HTTP API with a token."""

    client: FlaskClient
    headers: dict[str, str]

    def get(self, path: str) -> TestResponse:
        """Ask for something."""
        return self._send("GET", path, None)

    def post(self, path: str, body: dict | None = None, **headers: str) -> TestResponse:
        """Have something done."""
        return self._send("POST", path, body, headers)

    def patch(self, path: str, body: dict) -> TestResponse:
        """Change something."""
        return self._send("PATCH", path, body)

    def delete(self, path: str) -> TestResponse:
        """Remove something."""
        return self._send("DELETE", path, None)

    def _send(self, method: str, path: str, body: dict | None, headers: dict | None = None) -> TestResponse:
        given = {} if body is None else {"json": body}
        return self.client.open(f"/api/v1{path}", method=method, headers=self.headers | (headers or {}), **given)


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


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Let argon2 take little time, for the tests of all else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHasher.__init__, "__defaults__", (1, 8, 1, 32, 16, "utf-8", Type.ID))
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL."""
    server = PostgresServer()
    server.start()
    yield server
    server.stop()
    server.remove()


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """The name of a database with the newest schema, as a template."""
    name = postgres.database()
    db = Database(postgres.url(name))
    db.migrate()
    db.close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ui.db"
    server, template = request.getfixturevalue("postgres"), request.getfixturevalue("migrated")
    return server.url(server.database(template))


@pytest.fixture
def app(inventory: Path, database_url: str) -> Iterator[OpenAPI]:
    """The application over a database of its own."""
    app = create_app(Config(inventory, database_url, "k" * 40, testing=True))
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


@pytest.fixture
def api(app, core: Core) -> Callable[..., Program]:
    """A function that gives a program with a token of somebody of a role, by default of all scopes."""
    programs: dict[str, Program] = {}

    def make(
        role: str, name: str | None = None, scopes: list[str] | None = None, grants: dict[str, str] | None = None
    ) -> Program:
        name = name or role
        if name not in programs:
            core.accounts.add(SHELL, name, role, grants)
            user = core.accounts.named(name)
            assert user is not None
            _, text = core.tokens.add(SHELL, user.id, "tests", scopes or list(SCOPES), None)
            programs[name] = Program(app.test_client(), {"Authorization": f"Bearer {text}"})
        return programs[name]

    return make
