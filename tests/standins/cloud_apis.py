"""The answers of three cloud providers to "which servers are there", given on loopback."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

ADDRESS = "203.0.113.10"
PAGE = {"page": 1, "per_page": 50, "previous_page": None, "next_page": None, "last_page": 1, "total_entries": 1}
LOCATION = {"id": 1, "name": "fsn1", "network_zone": "eu-central"}
HETZNER_SERVER = {
    "id": 42,
    "name": "berth-one",
    "status": "running",
    "labels": {"berth": "host"},
    "server_type": {"id": 1, "name": "cx22", "architecture": "x86"},
    "datacenter": {"id": 1, "name": "fsn1-dc14", "location": LOCATION},
    "location": LOCATION,
    "image": {"id": 1, "name": "debian-13", "os_flavor": "debian"},
    "public_net": {
        "ipv4": {"id": 1, "ip": ADDRESS, "dns_ptr": "one.example.com", "blocked": False},
        "ipv6": None,
        "floating_ips": [],
    },
    "private_net": [],
}
NETWORKS = {"v4": [{"ip_address": "10.1.0.5", "type": "private"}, {"ip_address": ADDRESS, "type": "public"}], "v6": []}
DROPLET = {"id": 7, "name": "berth-one", "status": "active", "tags": ["berth"], "networks": NETWORKS}
DROPLETS = [
    DROPLET,
    {**DROPLET, "name": "somebody-elses", "tags": []},
    {**DROPLET, "name": "switched-off", "status": "off"},
]
INSTANCES = f"""<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>1</requestId>
  <reservationSet><item><reservationId>r-1</reservationId><ownerId>1</ownerId><instancesSet><item>
    <instanceId>i-1</instanceId>
    <instanceState><code>16</code><name>running</name></instanceState>
    <placement><availabilityZone>eu-central-1a</availabilityZone></placement>
    <ipAddress>{ADDRESS}</ipAddress>
    <privateIpAddress>10.1.0.5</privateIpAddress>
    <tagSet>
      <item><key>Name</key><value>berth-one</value></item>
      <item><key>berth</key><value>host</value></item>
    </tagSet>
  </item></instancesSet></item></reservationSet>
</DescribeInstancesResponse>"""


class CloudApis:
    """Where the stand-in listens, and the query of every request it was sent, by path."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.queries: dict[str, dict[str, list[str]]] = {}
        self.authorizations: dict[str, str] = {}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self._note(path, urlsplit(self.path).query)
        answers = {
            "/hetzner/locations": {"locations": [LOCATION], "meta": {"pagination": PAGE}},
            "/hetzner/servers": {"servers": [HETZNER_SERVER], "meta": {"pagination": PAGE}},
            "/digitalocean/droplets": {"droplets": DROPLETS, "links": {}, "meta": {"total": len(DROPLETS)}},
        }
        self._answer(json.dumps(answers[path]), "application/json")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._note(urlsplit(self.path).path, body)
        self._answer(INSTANCES, "text/xml")

    def _note(self, path: str, query: str) -> None:
        apis: CloudApis = self.server.apis
        apis.queries[path] = parse_qs(query)
        apis.authorizations[path] = self.headers.get("Authorization", "")

    def _answer(self, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output free of requests."""


@contextmanager
def cloud_apis() -> Iterator[CloudApis]:
    """Give the three APIs at a free port of loopback, below /hetzner, /digitalocean and /aws."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.apis = CloudApis(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.apis
        finally:
            server.shutdown()
            thread.join()
