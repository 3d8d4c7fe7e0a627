"""The HTTP server: one thread per connection, CORS and signals as GoTrue has them."""

import ipaddress
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg

from . import body, cors
from .database import Pool
from .errors import API_VERSION_2024, API_VERSION_HEADER, ApiError
from .exchange import Answer, Request
from .log import log
from .routes import route
from .settings import Settings

UNEXPECTED = "Unexpected failure, please check server logs for more information"


def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM, SIGINT or SIGHUP; requests under way are finished first."""
    pool = Pool(settings.database_url)
    server = Server((settings.host, settings.port), partial(Handler, settings=settings, pool=pool))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
    log("info", f"GoTrue API started on: {settings.host}:{settings.port}", component="stand-in")
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    pool.close()
    log("info", "GoTrue API stopped", component="stand-in")


class Server(ThreadingTCPServer):
    """A server that two processes may bind at once, as GoTrue's, and that stops without dropping a request."""

    allow_reuse_address = True
    allow_reuse_port = True
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.stopping = False
        self.lock = threading.Lock()
        self.idle: set[socket.socket] = set()
        super().__init__(address, handler)

    def stop(self) -> None:
        """Take no new connections and close those between two requests."""
        with self.lock:
            self.stopping = True
            for connection in self.idle:
                connection.shutdown(socket.SHUT_RD)
        self.shutdown()

    @contextmanager
    def waiting(self, connection: socket.socket) -> Iterator[None]:
        """Mark the connection as one that a stop may close."""
        with self.lock:
            if self.stopping:
                connection.shutdown(socket.SHUT_RD)
            self.idle.add(connection)
        try:
            yield
        finally:
            with self.lock:
                self.idle.discard(connection)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, lets its handler answer, writes JSON."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120

    def __init__(self, *args: Any, settings: Settings, pool: Pool) -> None:
        self.settings, self.pool = settings, pool
        super().__init__(*args)

    def handle_one_request(self) -> None:
        """Wait for the next request of the connection, or for its end."""
        try:
            with self.server.waiting(self.connection):
                more = self.rfile.peek(1)
            if not more:
                self.close_connection = True
                return
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def respond(self) -> None:
        """Answer one request of any method."""
        started = time.monotonic()
        url = urlsplit(self.path)
        try:
            answer = cors.preflight(self) or self.dispatch(url.path, dict(parse_qsl(url.query)))
        except ApiError as error:
            answer = self.refusal(error)
        except psycopg.Error as error:
            log("error", f"Database error: {str(error).strip()}", path=url.path)
            answer = self.refusal(ApiError(500, "unexpected_failure", UNEXPECTED))
        except Exception as error:
            log("error", f"Panic: {error!r}", path=url.path)
            answer = self.refusal(ApiError(500, "unexpected_failure", UNEXPECTED))
        self.write(answer)
        spent = round((time.monotonic() - started) * 1e9)
        log("info", "request completed", method=self.command, path=url.path, status=answer.status, duration=spent)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond

    def dispatch(self, path: str, query: dict[str, str]) -> Answer:
        """Return the answer of the handler for this method and path; 404 or 405 without one."""
        content = body.read(self)
        handlers, values = route(path)
        if not handlers:
            return Answer(
                status=404, body="404 page not found\n", headers={"Content-Type": "text/plain; charset=utf-8"}
            )
        if self.command not in handlers:
            return Answer(status=405)
        request = Request(self.settings, self.pool, self.headers, query, content, self.client_ip())
        return handlers[self.command](request, *values)

    def client_ip(self) -> str:
        """Return the first address of X-Forwarded-For when it is one, else the peer's."""
        first = self.headers.get("X-Forwarded-For", "").split(",")[0].strip()
        try:
            return str(ipaddress.ip_address(first))
        except ValueError:
            return self.client_address[0]

    def refusal(self, error: ApiError) -> Answer:
        """Return an error in the shape of the API version that the client asked for."""
        asked = self.headers.get(API_VERSION_HEADER, "")
        headers = {API_VERSION_HEADER: API_VERSION_2024} if asked >= API_VERSION_2024 else {}
        return Answer(status=error.status, body=error.body(asked), headers=headers)

    def write(self, answer: Answer) -> None:
        """Write status, headers and body."""
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        content = b"" if answer.body is None else text.encode()
        if self.server.stopping:
            self.close_connection = True
        self.send_response_only(answer.status)
        headers = {"Content-Type": "application/json"} if content else {}
        headers |= {"Date": self.date_time_string(), **cors.headers(self), **answer.headers}
        if answer.status != 204:
            headers["Content-Length"] = str(len(content))
        if self.close_connection:
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: `respond` logs one line per request, without the query."""
