"""An isolated project beside a shared one: memory of its services at rest and under load, start time, requests."""

import json
import time
from dataclasses import dataclass
from statistics import median

from bench.figures import Figure, spread
from bench.gateway import CONNECTIONS, QUERY, SECONDS, THREADS, Load, parse
from bench.host import BenchHost

ROUNDS, STARTS = 4, 3
SERVICES = {"rest": "PostgREST", "auth": "GoTrue", "meta": "postgres-meta"}
GUIDANCE = "guidance for a whole stack: 3 to 4 GB"
ASKED = ("/rest/v1/todos?select=id", "/auth/v1/health", "/pg/schemas")
PREPARE = r"""
set -e
command -v wrk >/dev/null || apt-get install -qq -y --no-install-recommends wrk >/dev/null
umask 077
sed -n 's|^"{name}:\(.*\)" "anon .*|wrk.headers["apikey"] = "\1"|p' \
  /etc/nginx/berth/projects/{name}/keys.map >/run/bench-{name}.lua
"""


@dataclass(frozen=True)
class Measured:
    """Seconds of the two adds and of starts by service, MiB by service at rest and under load, load by project.

    `own_postgres` is what a PostgreSQL of a project's own takes at rest, in MiB.
    """

    first_add: float
    second_add: float
    starts: dict[str, list[float]]
    idle: dict[str, float]
    loaded: dict[str, float]
    loads: dict[str, list[Load]]
    own_postgres: float


def measure(host: BenchHost, first_number: int) -> Measured:
    """Add two isolated projects and a shared one and compare, then one with a PostgreSQL of its own.

    NotMeasured when wrk counts errors.
    """
    names, adds = [], []
    for number in (first_number, first_number + 1):
        names += host.declare([number], architecture="isolated")
        adds.append(host.timed("project.yml", "-e", f"project={names[-1]}").seconds)
    own, (shared,) = names[0], host.declare([first_number + 2])
    host.succeed("project.yml", "-e", f"project={shared}")
    for name in (own, shared):
        host.fill(name)
        host.shell(PREPARE.format(name=name))
    starts = {service: [_start(host, service, own) for _ in range(STARTS)] for service in SERVICES}
    for path in ASKED:
        host.get(own, path, host.keys(own).service_role_key).raise_for_status()
    idle, loads = memory(host, own), {own: [], shared: []}
    for _ in range(ROUNDS):
        for name, found in loads.items():
            url = f"http://127.0.0.1/projects/{name}/rest/v1{QUERY}"
            wrk = f"wrk --latency -t{THREADS} -c{CONNECTIONS} -d{SECONDS}s -s /run/bench-{name}.lua '{url}'"
            found.append(parse(host.shell(wrk)))
    by_kind, loaded = {"isolated": loads[own], "shared": loads[shared]}, memory(host, own)
    (keeper,) = host.declare([first_number + 3], architecture="isolated", database="dedicated")
    host.succeed("project.yml", "-e", f"project={keeper}")
    own_postgres = memory(host, keeper)["postgres"]
    return Measured(*adds, starts=starts, idle=idle, loaded=loaded, loads=by_kind, own_postgres=own_postgres)


def memory(host: BenchHost, name: str) -> dict[str, float]:
    """Return MiB by service as `berth status` tells them."""
    told = json.loads(host.berth("status", name, "--json"))
    [project] = told["hosts"][0]["projects"]
    return {service["name"]: service["memory_bytes"] / 2**20 for service in project["services"]}


def figures(found: Measured, withheld: str) -> list[Figure]:
    """Return the rows of the table; withheld says why those of auth say nothing of GoTrue, or is empty."""
    note = {"auth": f"; {withheld}"} if withheld else {}
    shown = [
        Figure("Isolated: the first of a host", found.first_add, "s", "playbooks/project.yml, with Podman and images"),
        Figure("Isolated: one more", found.second_add, "s", "playbooks/project.yml"),
    ]
    for service, product in SERVICES.items():
        seconds = found.starts[service]
        how = f"systemctl restart until it answers, median of {STARTS} ({spread(seconds)}){note.get(service, '')}"
        shown.append(Figure(f"Isolated: start of {product}", median(seconds), "s", how))
    for label, by_service, when in (
        ("at rest", found.idle, "after one request to each"),
        ("under load", found.loaded, "after the requests below"),
    ):
        for service, product in SERVICES.items():
            how = f"berth status: container, conmon and proxy, {when}{note.get(service, '')}"
            shown.append(Figure(f"Isolated: {product} {label}", by_service[service], "MiB", how))
        shown.append(Figure(f"Isolated: all services {label}", sum(by_service.values()), "MiB", GUIDANCE))
    how = "berth status: a dedicated cluster with the connections of its services, limits.memory 1G"
    shown.append(Figure("Isolated: PostgreSQL of its own at rest", found.own_postgres, "MiB", how))
    how = f"gateway, wrk on the host, {THREADS} threads, {CONNECTIONS} connections, {SECONDS} s, median of {ROUNDS}"
    rates = {kind: [load.per_second for load in loads] for kind, loads in found.loads.items()}
    for kind, values in rates.items():
        shown.append(Figure(f"Requests, {kind} project", median(values), "per s", f"{how} in turn ({spread(values)})"))
    share = 100 * median(rates["isolated"]) / median(rates["shared"])
    return [*shown, Figure("Isolated against shared", share, "%", "ratio of the medians")]


def _start(host: BenchHost, service: str, name: str) -> float:
    host.shell(f"systemctl stop berth-{service}-wake@{name}.service berth-{service}@{name}.service")
    began = time.perf_counter()
    host.shell(f"systemctl start berth-{service}@{name}.service")
    return time.perf_counter() - began
