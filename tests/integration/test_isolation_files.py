"""The system user of one project reaches no file, socket or port of another."""

import shlex

import pytest
from fleet.content import mark, sign_in
from fleet.pairs import ISOLATED, NUMBERS, SHARED, pairs
from fleet.services import put_to_sleep

CONNECT = """
import socket, sys
family, address = (socket.AF_INET, ("127.0.0.1", int(sys.argv[1]))) if sys.argv[1].isdigit() else (
    socket.AF_UNIX, sys.argv[1])
client = socket.socket(family)
client.settimeout(1)
try:
    client.connect(address)
except OSError as error:
    print(type(error).__name__)
else:
    client.sendall(b"GET /health HTTP/1.0\\r\\n\\r\\n")
    print(client.recv(100).split(b"\\r\\n")[0].decode())
"""
LISTEN = """
import socket, sys
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
print("listening", flush=True)
while True:
    client, _ = server.accept()
    client.sendall(b"HTTP/1.0 200 captured\\r\\n\\r\\n")
    client.close()
"""


@pytest.fixture(params=pairs())
def pair(gateway, fleet, request):
    """Give the attacking and the attacked project, the latter awake."""
    mine, theirs = (fleet.project(name) for name in request.param)
    mark(gateway, theirs)
    sign_in(gateway, theirs)
    return mine, theirs


def as_user(fleet, host, user, command):
    """Returns what a shell line prints when a user of the host runs it, errors included."""
    return fleet.on(host, f"runuser --user {user} -- sh -c {shlex.quote(command)} 2>&1", check=False)


def connect(fleet, host, user, address):
    """Returns the status line of a service, or the name of the error, when a user connects to it."""
    return as_user(fleet, host, user, f"python3 -c {shlex.quote(CONNECT)} {address}")


def port(project):
    return 20000 + NUMBERS[project.name]


def test_files_of_another_project_cannot_be_read(fleet, pair):
    mine, theirs = pair
    files = [f"/etc/berth/projects/{theirs.name}/{name}" for name in ("rest.conf", "auth.env", "wake.env")]
    files += [f"/etc/nginx/berth/projects/{theirs.name}/{name}" for name in ("keys.map", "meta.map")]
    files += ["/etc/berth/meta/crypto.key", f"/var/log/nginx/berth/{theirs.name}.log"]
    for path in files:
        assert "Permission denied" in as_user(fleet, mine.host, f"berth-{mine.name}", f"cat {path}"), path
        assert fleet.on(mine.host, f"cat {path} | head -c 10"), path
    for folder in (
        f"/etc/berth/projects/{theirs.name}",
        f"/run/berth-rest/{theirs.name}",
        f"/var/lib/postgresql/17/{theirs.cluster.name}",
    ):
        assert "Permission denied" in as_user(fleet, mine.host, f"berth-{mine.name}", f"ls {folder}/"), folder
        assert fleet.on(mine.host, f"ls {folder}/"), folder


def test_memory_and_environment_of_another_project_cannot_be_read(fleet, pair):
    mine, theirs = pair
    [pid] = fleet.on(theirs.host, f"pgrep -u berth-{theirs.name} -f 'auth serve'").splitlines()
    answer = as_user(fleet, mine.host, f"berth-{mine.name}", f"cat /proc/{pid}/environ")
    assert "Permission denied" in answer
    assert "GOTRUE_JWT_SECRET" in fleet.on(mine.host, f"tr '\\0' ' ' < /proc/{pid}/environ")


def test_sockets_of_another_project_take_no_connection(fleet, pair):
    mine, theirs = pair
    sockets = [f"/run/berth/wake/{theirs.name}-{service}.sock" for service in ("rest", "auth")]
    for path in [*sockets, "/run/berth/wake/meta.sock", f"/run/berth-rest/{theirs.name}/rest.sock"]:
        assert connect(fleet, mine.host, f"berth-{mine.name}", path) == "PermissionError", path
    for path in sockets:
        assert connect(fleet, mine.host, "www-data", path).startswith("HTTP/1"), path


def test_port_of_another_project_takes_no_connection(fleet, pair):
    mine, theirs = pair
    assert connect(fleet, mine.host, f"berth-{mine.name}", port(theirs)) == "ConnectionRefusedError"
    assert connect(fleet, mine.host, "nobody", port(theirs)) == "ConnectionRefusedError"
    assert connect(fleet, mine.host, "berth-meta", port(theirs)) == "ConnectionRefusedError"
    answer = connect(fleet, mine.host, f"berth-{theirs.name}", port(theirs))
    # the port of an isolated project is in a network of its own
    assert answer == "ConnectionRefusedError" if theirs.name in ISOLATED else answer.startswith("HTTP/1")


@pytest.fixture
def listener(fleet):
    """Give a function that lets a user of trixie listen on a port until the test ends."""
    unit = "test-listener.service"

    def listen(user, number):
        command = f"systemd-run --quiet --unit={unit} --uid={user} python3 -c {shlex.quote(LISTEN)} {number}"
        fleet.on("trixie", command)
        fleet.on("trixie", f"timeout 20 sh -c 'until ss -Htln sport = {number} | grep -q .; do sleep 0.1; done'")

    yield listen
    fleet.on("trixie", f"systemctl stop {unit}", check=False)


@pytest.mark.parametrize("thief_and_owner", pairs(owners=SHARED))
def test_nobody_answers_in_place_of_a_sleeper(fleet, listener, thief_and_owner):
    thief, owner = thief_and_owner
    theirs = fleet.project(owner)
    put_to_sleep(fleet, theirs)
    listener(f"berth-{thief}", port(theirs))
    for user in ("root", f"berth-{owner}", f"berth-{thief}"):
        assert "captured" not in connect(fleet, theirs.host, user, port(theirs)), user


def test_a_listener_of_the_port_s_owner_does_answer(fleet, listener):
    one = fleet.project("one")
    put_to_sleep(fleet, one)
    listener("berth-one", port(one))
    assert connect(fleet, one.host, "berth-one", port(one)) == "HTTP/1.0 200 captured"
    assert connect(fleet, one.host, "berth-two-words", port(one)) == "ConnectionRefusedError"
