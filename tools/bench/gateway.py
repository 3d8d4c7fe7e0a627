"""Requests per second through nginx and the wake proxy against the same PostgREST asked directly."""

import re
from dataclasses import dataclass
from statistics import median

from bench.errors import NotMeasured
from bench.figures import Figure, spread
from bench.host import BenchHost

ROUNDS, SECONDS, THREADS, CONNECTIONS = 6, 5, 2, 16
PORT = 3999
QUERY = "/todos?select=id,title"
UNIT = "bench-direct.service"
DIRECTORY = "/run/bench-direct"
# The project's own unit and settings, but for the socket: wrk asks over TCP alone. The key stays on the host, in files.
SAME_BUT_TCP = r"""
set -e
install -d -m 0700 {directory}
umask 077
key=$(sed -n 's|^"{name}:\(.*\)" "anon k[0-9]*\.anon .*|\1|p' /etc/nginx/berth/projects/{name}/keys.map)
echo "apikey: $key" >{directory}/gateway.header
echo "Authorization: Bearer $key" >{directory}/direct.header
for way in gateway direct; do
  sed 's|\(.*\): \(.*\)|wrk.headers["\1"] = "\2"|' {directory}/$way.header >{directory}/$way.lua
done
sed -e 's|^PGRST_SERVER_UNIX_SOCKET=.*|PGRST_SERVER_HOST="127.0.0.1"\nPGRST_SERVER_PORT="{port}"|' \
  -e '/^PGRST_SERVER_UNIX_SOCKET_MODE/d' /etc/berth/projects/{name}/rest.env >{directory}/rest.env
sed -e 's|/etc/berth/projects/%i/rest.env|{directory}/rest.env|' -e 's|berth-rest/%i|bench-rest|g' -e 's|%i|{name}|g' \
  -e '/^StopWhenUnneeded/d' -e '/^PrivateNetwork/d' -e '/^IPAddressDeny/d' \
  -e 's|^RestrictAddressFamilies=.*|RestrictAddressFamilies=AF_UNIX AF_INET|' \
  -e 's|^ExecStartPost=\(\S*\) .*|ExecStartPost=\1 http://127.0.0.1:{port}/rpc/berth_ready|' \
  /etc/systemd/system/berth-rest@.service >/run/systemd/system/{unit}
systemctl daemon-reload
systemctl start {unit}
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw: requests per second and the median latency in milliseconds."""

    per_second: float
    median_ms: float


def measure(host: BenchHost, name: str) -> dict[str, list[Load]]:
    """Ask a new table of a project both ways in turn; NotMeasured when the answers differ or are no success."""
    host.shell("command -v wrk >/dev/null || apt-get install -qq -y --no-install-recommends wrk >/dev/null")
    host.fill(name)
    ways = {"gateway": f"http://127.0.0.1/projects/{name}/rest/v1{QUERY}", "direct": f"http://127.0.0.1:{PORT}{QUERY}"}
    loads: dict[str, list[Load]] = {way: [] for way in ways}
    try:
        host.shell(SAME_BUT_TCP.format(name=name, port=PORT, unit=UNIT, directory=DIRECTORY))
        bodies = {way: host.shell(f"curl -sf -H @{DIRECTORY}/{way}.header '{url}'") for way, url in ways.items()}
        if bodies["gateway"] != bodies["direct"]:
            raise NotMeasured(f"gateway: the two ways answer differently: {bodies}")
        for _ in range(ROUNDS):
            for way, url in ways.items():
                wrk = f"wrk --latency -t{THREADS} -c{CONNECTIONS} -d{SECONDS}s -s {DIRECTORY}/{way}.lua '{url}'"
                loads[way].append(parse(host.shell(wrk)))
    finally:
        host.shell(f"systemctl stop {UNIT}; rm -rf {DIRECTORY} /run/systemd/system/{UNIT}; systemctl daemon-reload")
    return loads


def parse(printed: str) -> Load:
    """Return what wrk has printed; NotMeasured when it counts errors or shows no rate."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    latency = re.search(r"^\s+50%\s+([\d.]+)(us|ms|s)$", printed, re.MULTILINE)
    if "Non-2xx" in printed or "Socket errors" in printed or not rate or not latency:
        raise NotMeasured(f"gateway: wrk counts errors or shows no rate:\n{printed}")
    return Load(float(rate[1]), float(latency[1]) * {"us": 0.001, "ms": 1, "s": 1000}[latency[2]])


def figures(loads: dict[str, list[Load]]) -> list[Figure]:
    """Return the rows of the table."""
    method = f"wrk on the host, {THREADS} threads, {CONNECTIONS} connections, {SECONDS} s, median of {ROUNDS} in turn"
    through = {"gateway": "nginx, wake proxy, PostgREST", "direct": "PostgREST on TCP, same unit and settings"}
    shown = []
    for way, described in through.items():
        rates = [load.per_second for load in loads[way]]
        middle = median(load.median_ms for load in loads[way])
        how = f"{described}: {method} ({spread(rates)})"
        shown += [
            Figure(f"Requests, {way}", median(rates), "per s", how),
            Figure(f"Requests, {way}: median latency", middle, "ms", "the same runs"),
        ]
    rates = {way: median(load.per_second for load in loads[way]) for way in loads}
    share = 100 * rates["gateway"] / rates["direct"]
    return [*shown, Figure("Gateway against direct", share, "%", "ratio of the medians", target=90, at_least=True)]
