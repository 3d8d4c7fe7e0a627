"""supabase-js clients in one process of node, so that they live on while the keys of their project change."""

import json
import os
import subprocess
from typing import Any

from clients import support


class Refused(Exception):
    """What supabase-js gave as error."""


class LiveClients:
    """Clients by name; use it as a context."""

    def __enter__(self) -> "LiveClients":
        support.node_modules()
        command = ["node", "live.mjs"]
        self.node = subprocess.Popen(
            command, cwd=support.JS, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_exception: object) -> None:
        self.node.stdin.close()
        self.node.wait()
        self.node.stdout.close()

    def ask(self, client: str, command: str, **arguments: Any) -> Any:
        """Return the data of an answer; raise Refused when it is an error."""
        self.node.stdin.write(json.dumps({"client": client, "command": command, **arguments}) + "\n")
        self.node.stdin.flush()
        line = self.node.stdout.readline()
        assert line, "node ended; its own words are on standard error"
        answer = json.loads(line)
        if answer["error"]:
            raise Refused(json.dumps(answer["error"]))
        return answer["data"]
