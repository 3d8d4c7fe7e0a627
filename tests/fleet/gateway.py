"""Requests to the gateways of the fleet, each project named in one of the three ways."""

import http.client
from dataclasses import dataclass

import httpx

from fleet.fleet import Fleet, Project

WAYS = ("domain", "path", "header")
PATIENCE = 30.0


@dataclass(frozen=True)
class Raw:
    """An answer as it came."""

    status: int
    body: str


class Gateway:
    """Asks the gateway of a project's host at port 80, past the forwarded loopback port."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.client = httpx.Client(timeout=PATIENCE)

    def address(self, host: str) -> str:
        """Returns the network address of a host."""
        return self.fleet.variables[host]["ansible_host"]

    def ask(
        self,
        project: Project,
        path: str,
        *,
        key: str | None = None,
        way: str = "path",
        method: str = "GET",
        headers: dict[str, str] | None = None,
        **arguments,
    ) -> httpx.Response:
        """Returns the answer to a request for a project with its key, if any, in the header apikey."""
        named, prefix = naming(project, way)
        keys = {"apikey": key} if key is not None else {}
        url = f"http://{self.address(project.host)}{prefix}{path}"
        return self.client.request(method, url, headers={**named, **keys, **(headers or {})}, **arguments)

    def raw(self, host: str, target: str, headers: list[tuple[str, str]]) -> Raw:
        """Returns the answer to a GET whose target and headers go over the wire as they are."""
        connection = http.client.HTTPConnection(self.address(host), timeout=PATIENCE)
        try:
            connection.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return Raw(answer.status, answer.read().decode())
        finally:
            connection.close()


def naming(project: Project, way: str) -> tuple[dict[str, str], str]:
    """Returns the headers and the beginning of the path that name a project; way is one of WAYS."""
    if way == "domain":
        return {"Host": f"{project.name}.localhost"}, ""
    if way == "header":
        return {"X-Project-Id": project.name}, ""
    return {}, f"/projects/{project.name}"


def ways(name: str) -> tuple[str, ...]:
    """Returns the ways in which the fleet's project of this name can be named: "three" has no domain."""
    return tuple(way for way in WAYS if way != "domain" or name != "three")
