"""Programs that use the HTTP API of the web UI over the fleet."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from background_ui import BackgroundUi

from fleet.services import wait_until
from webui.config import from_environment
from webui.core import make_core
from webui.roles import ADMIN
from webui.services.audit import Actor
from webui.services.tokens import SCOPES

OVER = ("succeeded", "failed", "cancelled", "lost")
PATIENCE = 600.0


@dataclass(frozen=True)
class Program:
    """A program with a token of an admin of its own."""

    url: str
    token: str = field(repr=False)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Returns the answer to a request."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(method, f"{self.url}/api/v1{path}", headers=headers, json=body, timeout=60)

    def run(self, number: int) -> dict[str, Any]:
        """Returns a run as it is now."""
        return self.ask("GET", f"/runs/{number}").json()

    def ended(self, number: int) -> dict[str, Any]:
        """Returns a run once it is over."""
        wait_until(lambda: self.run(number)["state"] in OVER, f"run {number} is over", PATIENCE)
        return self.run(number)


def program(ui: BackgroundUi, name: str) -> Program:
    """Returns a program whose admin is added under a name."""
    core, shell = make_core(from_environment(ui.settings())), Actor("tests", "shell")
    try:
        core.accounts.add(shell, name, ADMIN)
        user = core.accounts.named(name)
        assert user
        _, text = core.tokens.add(shell, user.id, "tests", list(SCOPES), None)
        return Program(ui.url, text)
    finally:
        core.close()
