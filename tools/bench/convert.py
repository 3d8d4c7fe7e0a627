"""Conversions there and back, on the same database and with it, by its size, while rows are written."""

import json
import time
from dataclasses import dataclass

import psycopg
from fleet.fleet import Project
from fleet.gateway import Gateway
from fleet.writes import Writes, prepare

from bench.errors import NotMeasured
from bench.figures import Figure
from bench.host import HOST, NAME, BenchHost

SIZES = (10, 100, 1000)  # MB
WAYS = (
    ("isolated", ["--to", "isolated"]),
    ("shared", ["--rollback"]),
    ("isolated with its database", ["--to", "isolated", "--database", "dedicated"]),
    ("shared with its database", ["--rollback"]),
)
PATIENCE_SECONDS = 30
# A row of 1 KiB that TOAST does not compress.
FILL = """
CREATE TABLE ballast AS SELECT n,
    (SELECT string_agg(md5(concat(random(), n, part)), '') FROM generate_series(1, 31) AS part) AS text
    FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True)
class Converted:
    """One conversion: seconds of the whole command, of the longest write, and for which the gateway let wait."""

    megabytes: int
    to: str
    seconds: float
    longest: float
    held: float


def measure(host: BenchHost, first_number: int) -> list[Converted]:
    """Convert a project of each size there and back; NotMeasured when a write fails or is lost."""
    found = []
    for number, size in enumerate(SIZES, first_number):
        (name,) = host.declare([number])
        host.succeed("project.yml", "-e", f"project={name}")
        project = _project(host, name)
        with psycopg.connect(project.db_url, autocommit=True) as connection:
            connection.execute(FILL, (size * 1000,))
        prepare(project)
        _wait(host, project)
        first = 1
        for to, options in WAYS:
            found.append(_convert(host, project, size, to, options, first))
            first += 1_000_000
    return found


def figures(found: list[Converted]) -> list[Figure]:
    """Return the rows of the table."""
    shown = []
    for one in found:
        what = f"Convert {one.megabytes} MB to {one.to}"
        how = "berth convert, all of it, under steady writes of which none failed"
        pause = f"longest answer to a write of 1 row; the services were held for {one.held:.2f} s of it"
        shown += [
            Figure(what, one.seconds, "s", how),
            Figure(f"{what}: longest pause", one.longest, "s", pause, target=5),
        ]
    return shown


def _convert(host: BenchHost, project: Project, size: int, to: str, options: list[str], first: int) -> Converted:
    with Writes(Gateway(host), project, first) as writes:
        began = time.perf_counter()
        told = json.loads(host.berth("convert", project.name, *options, "--force", "--json"))
        seconds = time.perf_counter() - began
    if writes.failures:
        raise NotMeasured(f"{project.name} to {to}: a write failed: {writes.failures[0]}")
    return Converted(size, to, seconds, writes.longest, told["run"].get("held_seconds", 0.0))


def _project(host: BenchHost, name: str) -> Project:
    keys = host.keys(name)
    owner = f"{name}_owner:{keys.owner_password}@{HOST['berth_database_address']}"
    return Project(
        name=name,
        host=NAME,
        urls=[],
        anon_key=keys.anon_key,
        service_role_key=keys.service_role_key,
        db_url=f"postgresql://{owner}/{name}",
    )


def _wait(host: BenchHost, project: Project) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while host.get(project.name, "/rest/v1/written", project.anon_key).status_code != 200:
        if time.monotonic() > deadline:
            raise NotMeasured(f"{project.name}: its table is not served within {PATIENCE_SECONDS} s")
        time.sleep(0.1)
