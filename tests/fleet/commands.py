"""The command `berth` on the fleet."""

import json
import subprocess
from pathlib import Path
from typing import Any

from fleet.fleet import Fleet


class Berth:
    """Runs commands on the fleet's inventory, far from the repository."""

    def __init__(self, fleet: Fleet, directory: Path) -> None:
        self.directory = directory
        self.environment = {
            **fleet.environment,
            "XDG_STATE_HOME": str(directory),
            "BERTH_INVENTORY": str(fleet.inventory),
        }
        del self.environment["ANSIBLE_CONFIG"]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess:
        """Returns what a command did."""
        command = ["berth", *arguments]
        return subprocess.run(command, cwd=self.directory, env=self.environment, capture_output=True, text=True)

    def answer(self, *arguments: str) -> Any:
        """Returns what a command told as JSON; AssertionError when it failed."""
        done = self(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
