"""Keys of all kinds, and their rotation from the first step to the last, with clients that live through it."""

import itertools
import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import jwt
import psycopg
import pytest
from clients import support
from clients.live import LiveClients, Refused
from fleet import Fleet, Project
from fleet.content import PASSWORD
from fleet.gateway import WAYS, Gateway
from fleet.load import Call, Load, under_load
from fleet.newcomers import declare, forget
from fleet.services import processes, put_to_sleep, wait_until

from berth.secrets import SecretStore

NAME, NUMBER, HOST = "turning", 60, "trixie"
WHOAMI = "/rest/v1/rpc/js_whoami"
HEADERS = """
CREATE OR REPLACE FUNCTION public.headers() RETURNS text LANGUAGE sql STABLE
    AS $$SELECT current_setting('request.headers')$$;
NOTIFY pgrst, 'reload schema';
"""
CURRENT = ("publishable_key", "secret_key", "anon_key", "service_role_key")
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "header": lambda key: {"key": key},
    "query": lambda key: {"params": {"apikey": key}},
    "query in capitals": lambda key: {"params": {"APIKEY": key}},
    "bearer": lambda key: {"headers": {"Authorization": f"Bearer {key}"}},
    "header and bearer": lambda key: {"key": key, "headers": {"Authorization": f"Bearer {key}"}},
}

Berth = Callable[..., dict]


@pytest.fixture(scope="module")
def berth(fleet: Fleet) -> Berth:
    """Give a function that runs a command with --json and returns what it told; AssertionError when it failed."""
    environment = {**fleet.environment, "BERTH_INVENTORY": str(fleet.inventory)}

    def run(*arguments: str) -> dict:
        done = subprocess.run(["berth", *arguments, "--json"], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def turning(fleet: Fleet) -> Iterator[Project]:
    """Give a project of this module's own, awake."""
    forget(fleet, NAME)
    limits = {"requests_per_second": 5000}
    more = {"domains": [f"{NAME}.localhost"], "auth": {"email_autoconfirm": True}, "limits": limits}
    project = declare(fleet, NAME, NUMBER, HOST, **more)
    fleet.succeed("project.yml", "-e", f"project={NAME}")
    support.prepare(project.db_url, project.url, project.anon_key, "js")
    with psycopg.connect(project.db_url, autocommit=True) as connection:
        connection.execute(HEADERS)
    yield project
    forget(fleet, NAME)


@pytest.fixture(scope="module")
def first(berth: Berth, turning: Project) -> dict:
    """Give the keys that the project began with."""
    return berth("keys", NAME)


@pytest.fixture(scope="module")
def live() -> Iterator[LiveClients]:
    """Give clients that live as long as this module's tests."""
    with LiveClients() as clients:
        yield clients


def role(gateway: Gateway, project: Project, **arguments: Any) -> str:
    """Return the role that the database sees, or the code of the refusal."""
    answer = gateway.ask(project, WHOAMI, method="POST", json={}, **arguments)
    return answer.json()["role"] if answer.status_code == 200 else answer.json()["code"]


def roles(gateway: Gateway, project: Project, keys: dict) -> list[str]:
    """Return the role of each key in use."""
    return [role(gateway, project, key=keys[name]) for name in CURRENT]


def signed_up(live: LiveClients, client: str, project: Project, key: str) -> dict:
    """Return the session of a new user of a new client."""
    live.ask(client, "open", url=project.url, key=key)
    email = f"js-{uuid.uuid4()}@example.com"
    return live.ask(client, "signUp", email=email, password=PASSWORD)["session"]


def kid(token: str) -> str | None:
    """Return the id of the key that signed a token."""
    return jwt.get_unverified_header(token).get("kid")


def jwks(gateway: Gateway, project: Project) -> list[dict]:
    """Return the public keys as the gateway gives them to everybody."""
    answer = gateway.ask(project, "/auth/v1/.well-known/jwks.json")
    assert answer.status_code == 200, answer.text
    return answer.json()["keys"]


WANTED = ["anon", "service_role", "anon", "service_role"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", PLACES)
def test_each_key_opens_in_every_way_and_place(
    gateway: Gateway, turning: Project, first: dict, way: str, place: str
) -> None:
    found = [role(gateway, turning, way=way, **PLACES[place](first[name])) for name in CURRENT]
    assert found == WANTED


def test_opaque_keys_open_auth_with_their_role(gateway: Gateway, turning: Project, first: dict) -> None:
    status = {name: gateway.ask(turning, "/auth/v1/admin/users", key=first[name]).status_code for name in CURRENT}
    assert status == {"publishable_key": 403, "secret_key": 200, "anon_key": 403, "service_role_key": 200}
    assert gateway.ask(turning, "/pg/schemas", key=first["publishable_key"]).status_code == 403
    assert gateway.ask(turning, "/pg/schemas", key=first["secret_key"]).status_code == 200


@pytest.mark.parametrize("place", PLACES)
def test_opaque_key_never_reaches_a_service(gateway: Gateway, turning: Project, first: dict, place: str) -> None:
    for name in ("publishable_key", "secret_key"):
        answer = gateway.ask(turning, "/rest/v1/rpc/headers", method="POST", json={}, **PLACES[place](first[name]))
        assert answer.status_code == 200, answer.text
        seen = json.loads(answer.json())
        assert "sb_" not in answer.text
        assert kid(seen["apikey"]) == kid(seen["authorization"].removeprefix("Bearer ")) is not None


def test_opaque_key_as_bearer_is_no_token_beside_another_key(gateway: Gateway, turning: Project, first: dict) -> None:
    secret, unknown = first["secret_key"], "sb_secret_" + "x" * 31
    for bearer in (secret, unknown, secret.upper()):
        headers = {"Authorization": f"Bearer {bearer}"}
        assert role(gateway, turning, key=first["publishable_key"], headers=headers) == "anon"


@pytest.mark.parametrize("way", WAYS)
def test_opaque_keys_of_another_project_are_refused(
    gateway: Gateway, berth: Berth, turning: Project, first: dict, way: str
) -> None:
    foreign = berth("keys", "two-words")
    for name, place in itertools.product(("publishable_key", "secret_key"), PLACES):
        assert role(gateway, turning, way=way, **PLACES[place](foreign[name])) == "wrong_key"


def test_opaque_key_is_compared_to_the_letter(gateway: Gateway, turning: Project, first: dict) -> None:
    key = first["secret_key"]
    for changed in (key.swapcase(), key.upper(), key[:-1], key + "x", key[:10] + key[10:].swapcase()):
        assert role(gateway, turning, key=changed) == "wrong_key"


def test_public_key_verifies_the_token_of_a_user(
    gateway: Gateway, turning: Project, first: dict, live: LiveClients
) -> None:
    session = signed_up(live, "customer", turning, first["publishable_key"])
    [key] = jwks(gateway, turning)
    assert {"kty", "crv", "x", "y", "kid", "alg", "use"} <= set(key)
    assert "d" not in key
    claims = jwt.decode(session["access_token"], jwt.PyJWK(key), algorithms=["ES256"], audience="authenticated")
    assert kid(session["access_token"]) == key["kid"]
    assert live.ask("customer", "rpc", name="js_whoami")["uid"] == claims["sub"]


def calls(project: Project, keys: dict, token: str) -> list[Call]:
    """Requests with keys of all kinds and with the token of a user."""
    rest, user = f"/projects/{project.name}{WHOAMI}", f"/projects/{project.name}/auth/v1/user"
    legacy, opaque = ({"apikey": keys[name], "Content-Type": "application/json"} for name in ("anon_key", CURRENT[0]))
    signed_in = opaque | {"Authorization": f"Bearer {token}"}
    posts = [Call("POST", rest, headers, "{}") for headers in (legacy, opaque, signed_in)]
    return [*posts, Call("GET", user, signed_in)]


@pytest.fixture(scope="module")
def rotation_under_load(gateway: Gateway, berth: Berth, turning: Project, first: dict, live: LiveClients) -> Load:
    """Give what became of requests with former keys while a rotation with overlap ran."""
    session = signed_up(live, "lasting", turning, first["publishable_key"])
    live.ask("service", "open", url=turning.url, key=first["secret_key"])
    with under_load(gateway.address(HOST), *calls(turning, first, session["access_token"])) as load:
        wait_until(lambda: load.answered > 10, "requests are answered")
        told = berth("rotate", NAME)
        answered = load.answered
        wait_until(lambda: load.answered > answered + 10, "requests are answered")
    assert told["run"]["ok"]
    return load


@pytest.fixture(scope="module")
def second(berth: Berth, rotation_under_load: Load) -> dict:
    """Give the keys after a rotation with overlap."""
    return berth("keys", NAME)


def test_no_request_fails_while_keys_rotate(rotation_under_load: Load) -> None:
    assert rotation_under_load.failures[:3] == []


def test_former_and_new_keys_work_in_the_overlap(gateway: Gateway, turning: Project, first: dict, second: dict) -> None:
    assert not {first[name] for name in CURRENT} & {second[name] for name in CURRENT}
    assert roles(gateway, turning, first) == roles(gateway, turning, second) == WANTED
    assert {key["id"] for key in second["keys"]} == {
        f"{one}.{name}" for one in ("k1", "k2") for name in ("publishable", "secret", "anon", "service_role")
    }
    for keys in (first, second):
        for service in ("secret_key", "service_role_key"):
            bearer = {"Authorization": f"Bearer {keys[service]}"}
            assert gateway.ask(turning, "/auth/v1/admin/users", key=keys[service], headers=bearer).status_code == 200
    for legacy in (first["service_role_key"], second["service_role_key"]):
        bearer = {"Authorization": f"Bearer {legacy}"}
        assert gateway.ask(turning, "/auth/v1/admin/users", key=first["anon_key"], headers=bearer).status_code == 200


def test_user_stays_signed_in_and_moves_to_the_new_signing_key(
    gateway: Gateway, turning: Project, second: dict, live: LiveClients
) -> None:
    new, old = (key["kid"] for key in jwks(gateway, turning))
    before = live.ask("lasting", "getSession")["session"]
    assert kid(before["access_token"]) == old
    assert live.ask("lasting", "getUser")["user"]["id"] == before["user"]["id"]
    assert live.ask("lasting", "rpc", name="js_whoami")["uid"] == before["user"]["id"]
    after = live.ask("lasting", "refresh")["session"]
    assert kid(after["access_token"]) == new
    assert live.ask("lasting", "rpc", name="js_whoami")["uid"] == before["user"]["id"]
    assert live.ask("service", "listUsers")["users"]


def test_new_client_works_with_the_new_keys(turning: Project, second: dict, live: LiveClients) -> None:
    session = signed_up(live, "new", turning, second["publishable_key"])
    assert live.ask("new", "getUser")["user"]["id"] == session["user"]["id"]
    live.ask("new service", "open", url=turning.url, key=second["secret_key"])
    assert live.ask("new service", "rpc", name="js_whoami")["role"] == "service_role"


def test_rotation_again_completes_the_one_under_way(berth: Berth, second: dict) -> None:
    assert [key["id"] for key in berth("rotate", NAME)["keys"]] == [key["id"] for key in second["keys"]]
    assert berth("keys", NAME) == second


@pytest.mark.slow
def test_plan_of_a_step_shows_files_and_changes_nothing(fleet: Fleet, berth: Berth, second: dict) -> None:
    told = berth("rotate", NAME, "--retire", "--plan")
    shown = "\n".join(diff for change in told["changes"] for diff in change["diffs"])
    assert f"/etc/nginx/berth/projects/{NAME}/keys.map" in shown
    assert [value for value in second.values() if isinstance(value, str) and value in json.dumps(told)] == []
    assert berth("keys", NAME) == second


def test_usage_is_counted_by_key(gateway: Gateway, berth: Berth, turning: Project, second: dict) -> None:
    def counted() -> dict[str, dict]:
        return {key["id"]: key["usage"] for key in berth("keys", NAME, "--usage")["keys"]}

    before = counted()
    for _ in range(3):
        role(gateway, turning, key=second["secret_key"])
    after = counted()
    assert after["k2.secret"]["requests"] == before["k2.secret"]["requests"] + 3
    assert after["k2.secret"]["last_request"] > before["k1.publishable"]["last_request"]
    assert after["k1.publishable"] == before["k1.publishable"]


@pytest.fixture(scope="module")
def third(berth: Berth, second: dict) -> dict:
    """Give the keys after the end of the overlap."""
    berth("rotate", NAME, "--retire")
    return berth("keys", NAME)


def test_retired_keys_are_refused_and_wake_nobody(
    fleet: Fleet, gateway: Gateway, turning: Project, first: dict, third: dict
) -> None:
    wait_until(lambda: role(gateway, turning, key=first["anon_key"]) == "wrong_key", "the gateway has new keys alone")
    put_to_sleep(fleet, turning)
    for place in PLACES:
        assert [role(gateway, turning, **PLACES[place](first[name])) for name in CURRENT] == ["wrong_key"] * 4
    assert processes(fleet, turning) == []


def test_new_keys_and_the_refreshed_session_outlive_the_retirement(
    gateway: Gateway, turning: Project, second: dict, third: dict, live: LiveClients
) -> None:
    assert {name: third[name] for name in CURRENT} == {name: second[name] for name in CURRENT}
    assert roles(gateway, turning, third) == WANTED
    assert len(jwks(gateway, turning)) == 1
    session = live.ask("lasting", "getSession")["session"]
    live.ask("moved", "open", url=turning.url, key=third["publishable_key"])
    live.ask("moved", "setSession", session=session)
    assert live.ask("moved", "getUser")["user"]["id"] == session["user"]["id"]
    with pytest.raises(Refused, match="no API key of this project"):
        live.ask("lasting", "rpc", name="js_whoami")


@pytest.mark.slow
def test_rotation_of_a_sleeper_wakes_nobody_and_goes_on_after_an_interruption(
    fleet: Fleet, gateway: Gateway, berth: Berth, turning: Project, third: dict
) -> None:
    from berth import rotation

    put_to_sleep(fleet, turning)
    store = SecretStore(fleet.inventory)
    store.change_project(NAME, lambda found: rotation.rotated(found, NAME, datetime.now(UTC)))
    berth("rotate", NAME)
    keys = berth("keys", NAME)
    assert [key["id"] for key in keys["keys"]][::4] == ["k3.publishable", "k2.publishable"]
    assert processes(fleet, turning) == []
    wait_until(lambda: roles(gateway, turning, keys) == WANTED, "the new keys work")
    assert roles(gateway, turning, third) == WANTED


def test_cut_ends_keys_and_tokens_at_once(gateway: Gateway, berth: Berth, turning: Project, live: LiveClients) -> None:
    before = berth("keys", NAME)
    session = signed_up(live, "cut", turning, before["publishable_key"])
    berth("rotate", NAME, "--now")
    keys = berth("keys", NAME)
    wait_until(lambda: roles(gateway, turning, before) == ["wrong_key"] * 4, "the keys of before are refused")
    assert roles(gateway, turning, keys) == WANTED
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    refused = [gateway.ask(turning, path, key=keys["anon_key"], headers=bearer) for path in ("/auth/v1/user",)]
    assert [answer.status_code for answer in refused] == [403]
    assert gateway.ask(turning, WHOAMI, key=keys["anon_key"], headers=bearer, method="POST").status_code == 401


def test_client_of_before_a_cut_is_refused_and_its_session_goes_on_with_the_new_key(
    gateway: Gateway, berth: Berth, turning: Project, live: LiveClients
) -> None:
    session = signed_up(live, "app", turning, berth("keys", NAME)["publishable_key"])
    berth("rotate", NAME, "--now")
    key = berth("keys", NAME)["publishable_key"]
    wait_until(lambda: role(gateway, turning, key=key) == "anon", "the new key works")
    for command in ({"command": "getUser"}, {"command": "rpc", "name": "js_whoami"}, {"command": "refresh"}):
        with pytest.raises(Refused, match="no API key of this project"):
            live.ask("app", **command)
    live.ask("app", "open", url=turning.url, key=key)
    with pytest.raises(Refused, match="403"):
        live.ask("app", "setSession", session=session)
    fresh = live.ask("app", "refresh", session=session)["session"]
    [public] = jwks(gateway, turning)
    assert kid(fresh["access_token"]) == public["kid"] != kid(session["access_token"])
    assert live.ask("app", "getUser")["user"]["id"] == session["user"]["id"]
    assert live.ask("app", "rpc", name="js_whoami")["uid"] == session["user"]["id"]
