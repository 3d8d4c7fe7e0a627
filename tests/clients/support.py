"""What the client suites share: their tables, and their JavaScript packages."""

import subprocess
import time
from pathlib import Path

import httpx
import psycopg

HERE = Path(__file__).resolve().parent
JS = HERE / "js"
CLI = HERE / "cli"
PATIENCE = 20.0


def prepare(db_url: str, url: str, key: str, suite: str) -> None:
    """Make the tables of all suites and return when the project's API knows them; AssertionError after 20 s."""
    with psycopg.connect(db_url, autocommit=True) as connection:
        connection.execute((HERE / "schema.sql").read_text(encoding="utf-8"))
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = httpx.post(f"{url}/rest/v1/rpc/{suite}_whoami", headers={"apikey": key}, json={}, timeout=PATIENCE)
        if answer.status_code == 200:
            return
        assert time.monotonic() < deadline, f"{url} does not know the tables of {suite}: {answer.text}"
        time.sleep(0.1)


def node_modules(suite: Path = JS) -> Path:
    """Return the node_modules of a suite, installed anew when older than its lock file (without one, package.json)."""
    folder, lock = suite / "node_modules", suite / "package-lock.json"
    mark, named = folder / ".package-lock.json", lock if lock.exists() else suite / "package.json"
    if not mark.exists() or mark.stat().st_mtime < named.stat().st_mtime:
        command = ["npm", "ci"] if lock.exists() else ["npm", "install", "--no-package-lock"]
        subprocess.run([*command, "--no-audit", "--no-fund"], cwd=suite, check=True)
    return folder
