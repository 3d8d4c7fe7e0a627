"""A PostgreSQL of the tests themselves, from the Debian packages of this machine; reached by a socket alone."""

import os
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path

import psycopg

OWNER = "postgres"
QUICK = ("fsync", "synchronous_commit", "full_page_writes")


class PostgresServer:
    """A server with an empty cluster; databases are made one by one and go with it."""

    def __init__(self, *settings: str) -> None:
        self.settings = (*(f"{name}=off" for name in QUICK), *settings)
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        # sockets need a short path
        self.directory = Path(tempfile.mkdtemp(prefix="pg"))
        self._numbers = count(1)
        if self._user:
            shutil.chown(self.directory, self._user)
        self._do("initdb", "--pgdata", str(self._data), "--auth=trust", f"--username={OWNER}", "--no-sync")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-k {self.directory} -c listen_addresses= " + " ".join(f"-c {setting}" for setting in self.settings)
        log = str(self.directory / "log")
        self._do("pg_ctl", "start", "--wait", "--pgdata", str(self._data), "--log", log, "--options", options)

    def stop(self) -> None:
        """Stop it at once, its clients too."""
        self._do("pg_ctl", "stop", "--wait", "--mode=immediate", "--pgdata", str(self._data))

    def remove(self) -> None:
        """Take all of it away."""
        shutil.rmtree(self.directory)

    def database(self, template: str = "template1") -> str:
        """The name of a new database."""
        name = f"ui_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def url(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql://{OWNER}@/{database}?host={self.directory}"

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _user(self) -> str | None:
        # PostgreSQL refuses to run as root
        return OWNER if os.geteuid() == 0 else None

    def _do(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        # its processes must not hold a pipe of ours open
        with (self.directory / "output").open("ab") as output:
            how = {"user": self._user, "cwd": "/", "stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            done = subprocess.run(command, check=False, **how)
        assert done.returncode == 0, (self.directory / "output").read_text()
