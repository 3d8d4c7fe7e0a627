"""Settings of REST and auth: what they do, and that a change fails no request and wakes no sleeper."""

import re
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import httpx
import jwt
import psycopg
import pytest
import yaml
from fleet import Fleet, Project
from fleet.content import PASSWORD, SCHEMA
from fleet.gateway import Gateway
from fleet.load import Call, Load, under_load
from fleet.mailbox import Mailbox, link_in, mail_server
from fleet.newcomers import declare, forget
from fleet.services import main_pid, processes, put_to_sleep, wait_until

from berth.secrets import SecretStore

NAME, NUMBER, HOST = "post", 21, "trixie"
MAIL_PASSWORD = 'a "b" $c `d` \\e'


@pytest.fixture(scope="module")
def mailbox(fleet: Fleet) -> Iterator[tuple[Mailbox, str, int]]:
    """Give a mail server that the hosts reach over their bridge: its box, address and port."""
    bridge = fleet.on(HOST, "ip -4 route show default").split()[2]
    with mail_server(bridge, "post@example.com", MAIL_PASSWORD) as (box, port):
        yield box, bridge, port


@pytest.fixture(scope="module")
def post(fleet: Fleet, gateway: Gateway, mailbox: tuple[Mailbox, str, int]) -> Iterator[SimpleNamespace]:
    """Give a project with a mail server, a provider and a domain: project, change, mailbox."""
    box, address, mail_port = mailbox
    forget(fleet, NAME)
    project = declare(fleet, NAME, NUMBER, HOST)
    for secret, value in (("smtp_password", MAIL_PASSWORD), ("oauth_github_secret", "the-secret-of-github")):
        command = ["berth", "secrets", "set", NAME, secret, "-i", str(fleet.inventory)]
        subprocess.run(command, input=value, text=True, env=fleet.environment, check=True)

    def change(**changes: object) -> object:
        path = fleet.inventory / "projects" / f"{NAME}.yml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}, sort_keys=False))
        return fleet.succeed("project.yml", "-e", f"project={NAME}")

    smtp = {"host": address, "port": mail_port, "user": box.user, "sender": "hello@example.com", "sender_name": 'A "B"'}
    auth = {
        "site_url": "https://post.example.com/welcome",
        "smtp": smtp,
        "mails": {"confirmation": {"subject": "Bestätigen: {{ .Email }}"}},
        "providers": {"github": {"client_id": "Iv1.abc"}},
    }
    limits = {"requests_per_second": 5000}
    change(domains=["post.localhost"], auth=auth, limits=limits)
    with psycopg.connect(project.db_url, autocommit=True) as connection:
        connection.execute(SCHEMA)
    gateway_url = fleet.variables[HOST]["berth_public_url"]
    yield SimpleNamespace(project=project, change=change, box=box, auth=auth, limits=limits, gateway_url=gateway_url)
    forget(fleet, NAME)


def sign_up(gateway: Gateway, project: Project, mail: str) -> httpx.Response:
    """Return the answer to a sign-up."""
    body = {"email": mail, "password": PASSWORD}
    return gateway.ask(project, "/auth/v1/signup", key=project.anon_key, method="POST", json=body)


def sign_in(gateway: Gateway, project: Project, mail: str) -> httpx.Response:
    """Return the answer to a sign-in."""
    body = {"email": mail, "password": PASSWORD}
    path = "/auth/v1/token?grant_type=password"
    return gateway.ask(project, path, key=project.anon_key, method="POST", json=body)


def confirm(gateway: Gateway, post: SimpleNamespace, mail: str, base: str) -> None:
    """Signs up, follows the link of the mail that comes, which must begin so, and signs in."""
    assert sign_up(gateway, post.project, mail).status_code == 200
    assert sign_in(gateway, post.project, mail).json()["error_code"] == "email_not_confirmed"
    link = link_in(post.box.mail_to(mail))
    assert link.startswith(f"{base}/auth/v1/verify?token=")
    answer = httpx.get(link)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith("https://post.example.com/welcome#access_token=")
    assert sign_in(gateway, post.project, mail).status_code == 200


def test_confirmation_mail_leads_through_the_domain(post: SimpleNamespace, gateway: Gateway) -> None:
    confirm(gateway, post, "ada@example.com", post.gateway_url.replace("localhost", "post.localhost"))
    message = post.box.mail_to("ada@example.com")
    assert message["Subject"] == "Bestätigen: ada@example.com"
    [sender] = message["From"].addresses
    assert (sender.addr_spec, sender.display_name) == ("hello@example.com", 'A "B"')
    assert set(post.box.logins) == {True}


def test_provider_is_asked_with_its_client_and_its_secret_stays_here(
    post: SimpleNamespace, gateway: Gateway, fleet: Fleet
) -> None:
    project = post.project
    assert gateway.ask(project, "/auth/v1/settings", key=project.anon_key).json()["external"]["github"] is True
    asked = gateway.ask(project, "/auth/v1/authorize?provider=github")
    assert asked.status_code == 302
    assert asked.headers["location"].startswith("https://github.com/login/oauth/authorize?client_id=Iv1.abc&")
    refused = gateway.ask(project, "/auth/v1/authorize?provider=google")
    assert (refused.status_code, refused.json()["error_code"]) == (400, "validation_failed")
    secrets = dict(SecretStore(fleet.inventory).project(NAME).auth)
    assert set(secrets) == {"smtp_password", "oauth_github_secret"}
    readable = fleet.on(HOST, "grep -rlF the-secret-of-github /etc /run /var/log 2>/dev/null", check=False)
    assert readable.split() == [f"/etc/berth/projects/{NAME}/auth.env"]
    assert fleet.on(HOST, f"stat --format '%a %U' /etc/berth/projects/{NAME}/auth.env") == "600 root"


def calls(project: Project) -> list[Call]:
    """Requests that a restart would hit: long ones, and ones that nobody may send twice."""
    headers = {"apikey": project.anon_key, "Content-Type": "application/json"}
    at = f"/projects/{project.name}"
    return [
        Call("POST", f"{at}/rest/v1/rpc/nap", headers, '{"seconds": 0.4}'),
        Call("POST", f"{at}/rest/v1/rpc/nap", headers, '{"seconds": 0.05}'),
        Call("POST", f"{at}/auth/v1/recover", headers, '{"email": "nobody@example.com"}'),
        Call("GET", f"{at}/auth/v1/settings", headers),
    ]


def assert_all_right(load: Load) -> None:
    """Asserts that there was load and that every request of it was answered well."""
    assert (load.failures[:3], load.answered > 20) == ([], True), load


def test_change_that_needs_a_restart_fails_no_request(post: SimpleNamespace, gateway: Gateway, fleet: Fleet) -> None:
    project = post.project
    with under_load(gateway.address(HOST), *calls(project)) as load:
        wait_until(lambda: load.answered > 10, "requests are answered")
        before = {service: main_pid(fleet, HOST, f"berth-{service}@{NAME}.service") for service in ("rest", "auth")}
        run = post.change(
            domains=[],
            auth={**post.auth, "password_min_length": 12},
            rest={"pool": 3, "statement_timeouts": {"anon": "300ms", "service_role": "2s"}},
        )
        answered = load.answered
        wait_until(lambda: load.answered > answered + 10, "requests are answered")
    failures = [text for text in load.failures if not ("rpc/nap: 500" in text and '"57014"' in text)]
    assert (failures[:3], load.answered > 20) == ([], True), load
    after = {service: main_pid(fleet, HOST, f"berth-{service}@{NAME}.service") for service in ("rest", "auth")}
    assert all(after[service] not in (0, before[service]) for service in before), (before, after)
    assert any("Ensure requests wake the services" in task for task in run.changed_tasks)
    assert fleet.on(HOST, f"ls /run/berth/hold | grep -c {NAME}", check=False) == "0"
    assert fleet.on(HOST, f"systemctl list-units --no-legend 'berth-*-hold@{NAME}.*'") == ""


def nap(gateway: Gateway, project: Project, key: str, seconds: float) -> httpx.Response:
    """Return the answer to a statement that takes so long."""
    return gateway.ask(project, "/rest/v1/rpc/nap", key=key, method="POST", json={"seconds": seconds})


def test_statements_are_limited_by_role(post: SimpleNamespace, gateway: Gateway) -> None:
    project = post.project
    assert nap(gateway, project, project.anon_key, 0.05).status_code == 200
    stopped = nap(gateway, project, project.anon_key, 1)
    assert (stopped.status_code, stopped.json()["code"]) == (500, "57014")
    assert nap(gateway, project, project.service_role_key, 1).status_code == 200
    assert nap(gateway, project, project.service_role_key, 3).json()["code"] == "57014"


def test_owner_cannot_change_the_limits_of_statements(post: SimpleNamespace) -> None:
    with psycopg.connect(post.project.db_url, autocommit=True) as connection:
        for statement in (
            "CREATE OR REPLACE FUNCTION berth.before_request() RETURNS text LANGUAGE sql AS 'SELECT NULL'",
            "DROP FUNCTION berth.before_request()",
            "CREATE TABLE berth.mine ()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_confirmation_mail_leads_through_the_path_where_there_is_no_domain(
    post: SimpleNamespace, gateway: Gateway
) -> None:
    confirm(gateway, post, "grace@example.com", f"{post.gateway_url}/projects/{NAME}")
    body = {"email": "short@example.com", "password": "elevenchars"}
    refused = gateway.ask(post.project, "/auth/v1/signup", key=post.project.anon_key, method="POST", json=body)
    assert refused.json()["error_code"] == "weak_password"


def test_change_that_postgrest_takes_up_fails_no_request_and_restarts_nothing(
    post: SimpleNamespace, gateway: Gateway, fleet: Fleet
) -> None:
    project = post.project
    with psycopg.connect(project.db_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS api; CREATE TABLE IF NOT EXISTS api.numbers (number int)")
        connection.execute("GRANT USAGE ON SCHEMA api TO anon; GRANT SELECT ON api.numbers TO anon")
        connection.execute("INSERT INTO api.numbers SELECT generate_series(1, 10)")
    assert gateway.ask(project, "/rest/v1/", key=project.service_role_key).status_code == 200
    before = main_pid(fleet, HOST, f"berth-rest@{NAME}.service")
    with under_load(gateway.address(HOST), *calls(project)[1:]) as load:
        wait_until(lambda: load.answered > 10, "requests are answered")
        post.change(
            rest={
                "pool": 3,
                "schemas": ["public", "api"],
                "max_rows": 4,
                "openapi": False,
                "statement_timeouts": {"service_role": "2s"},
            }
        )
        headers = {"Accept-Profile": "api"}
        rows = "/rest/v1/numbers?select=number"
        asked = lambda: gateway.ask(project, rows, key=project.anon_key, headers=headers)  # noqa: E731
        wait_until(lambda: asked().status_code == 200, "the schema api is served")
    assert_all_right(load)
    assert len(asked().json()) == 4
    assert gateway.ask(project, "/rest/v1/", key=project.service_role_key).status_code == 404
    assert nap(gateway, project, project.anon_key, 0.5).status_code == 200
    assert main_pid(fleet, HOST, f"berth-rest@{NAME}.service") == before


def test_sleeper_sleeps_on_when_its_settings_change(post: SimpleNamespace, gateway: Gateway, fleet: Fleet) -> None:
    project = post.project
    put_to_sleep(fleet, project)
    post.change(auth={**post.auth, "anonymous_users": True}, rest={"max_rows": 3, "pool": 2})
    assert processes(fleet, project) == []
    fresh = gateway.ask(project, "/auth/v1/signup", key=project.anon_key, method="POST", json={})
    assert (fresh.status_code, fresh.json()["user"]["is_anonymous"]) == (200, True)


BACK = "https://app.example.org"
RATES = {"mails": 3, "anonymous_users": 6, "otp": 7, "token_refresh": 8, "verify": 9}
VARIABLES = {"EMAIL_SENT": 3, "ANONYMOUS_USERS": 6, "OTP": 7, "TOKEN_REFRESH": 8, "VERIFY": 9}


@pytest.fixture(scope="module")
def strict(post: SimpleNamespace, gateway: Gateway) -> SimpleNamespace:
    """Give the project with sign-ups off, short tokens and links, few mails and connections, users, another schema."""
    project = post.project
    with psycopg.connect(project.db_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA shelf; CREATE TABLE shelf.books (); GRANT USAGE ON SCHEMA shelf TO anon")
        connection.execute("GRANT SELECT ON shelf.books TO anon")
        connection.execute(
            "CREATE FUNCTION public.count_books() RETURNS bigint LANGUAGE plpgsql STABLE "
            "AS 'BEGIN RETURN (SELECT count(*) FROM books); END'; NOTIFY pgrst, 'reload schema'"
        )
    wait_until(lambda: count_books(gateway, project).json().get("code") == "42P01", "the function is known")
    short = {"jwt_exp": 600, "link_exp": 60, "rate_limits": RATES}
    auth = {**post.auth, "redirect_urls": [f"{BACK}/**"], "disable_signup": True, **short}
    post.change(auth=auth, rest={"pool": 2, "extra_search_path": ["public", "extensions", "shelf"]})
    for mail in ("mary@example.com", "emmy@example.com", "hedy@example.com", "sofya@example.com"):
        body = {"email": mail, "password": PASSWORD, "email_confirm": True}
        key, path = project.service_role_key, "/auth/v1/admin/users"
        assert gateway.ask(project, path, key=key, method="POST", json=body).status_code == 200
    return post


def count_books(gateway: Gateway, project: Project) -> httpx.Response:
    """Return the answer of a function that finds its table by the search path alone."""
    return gateway.ask(project, "/rest/v1/rpc/count_books", key=project.anon_key, method="POST", json={})


def recover(gateway: Gateway, project: Project, mail: str, redirect_to: str) -> httpx.Response:
    """Return the answer to somebody who has forgotten a password."""
    path, params = "/auth/v1/recover", {"redirect_to": redirect_to}
    return gateway.ask(project, path, key=project.anon_key, method="POST", json={"email": mail}, params=params)


def test_extra_search_path_finds_what_functions_name_without_a_schema(
    strict: SimpleNamespace, gateway: Gateway
) -> None:
    wait_until(lambda: count_books(gateway, strict.project).status_code == 200, "the search path counts")
    assert count_books(gateway, strict.project).json() == 0


def test_only_the_service_key_makes_users_where_sign_ups_are_off(strict: SimpleNamespace, gateway: Gateway) -> None:
    refused = sign_up(gateway, strict.project, "stranger@example.com")
    assert (refused.status_code, refused.json()["error_code"]) == (422, "signup_disabled")
    assert sign_in(gateway, strict.project, "mary@example.com").status_code == 200


def test_tokens_of_users_end_when_they_are_said_to(strict: SimpleNamespace, gateway: Gateway) -> None:
    session = sign_in(gateway, strict.project, "mary@example.com").json()
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    assert (session["expires_in"], claims["exp"] - claims["iat"]) == (600, 600)


def test_pool_is_the_most_connections_that_requests_have(
    strict: SimpleNamespace, gateway: Gateway, fleet: Fleet
) -> None:
    headers = {"apikey": strict.project.anon_key, "Content-Type": "application/json"}
    call = Call("POST", f"/projects/{NAME}/rest/v1/rpc/nap", headers, '{"seconds": 0.2}')
    busy = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'post_rest' AND state = 'active' AND query ~ 'nap';\n"

    def counted() -> set[str]:
        return set(fleet.on(HOST, "psql -U supabase_admin -d postgres -At", stdin=busy * 100).split())

    with under_load(gateway.address(HOST), *[call] * 6):
        wait_until(lambda: "2" in counted(), "two requests are worked on")
        assert counted() <= {"0", "1", "2"}


def test_people_are_sent_to_addresses_of_the_list_alone(strict: SimpleNamespace, gateway: Gateway) -> None:
    project = strict.project
    ends = {"mary@example.com": f"{BACK}/back", "emmy@example.com": "https://elsewhere.example.org/back"}
    sent_to = {}
    for mail, wanted in ends.items():
        assert recover(gateway, project, mail, wanted).status_code == 200
        sent_to[mail] = httpx.get(link_in(strict.box.mail_to(mail))).headers["location"].partition("#")[0]
    assert sent_to == {"mary@example.com": f"{BACK}/back", "emmy@example.com": strict.auth["site_url"]}
    again = recover(gateway, project, "mary@example.com", f"{BACK}/back")
    assert (again.status_code, "you can only request this after" in again.text) == (429, True)


def test_link_is_good_for_as_long_as_is_said(strict: SimpleNamespace, gateway: Gateway, fleet: Fleet) -> None:
    assert recover(gateway, strict.project, "hedy@example.com", f"{BACK}/back").status_code == 200
    link = link_in(strict.box.mail_to("hedy@example.com"))
    a_minute_ago = "UPDATE auth.users SET recovery_sent_at = recovery_sent_at - interval '61 s'"
    fleet.on(HOST, f"psql -U supabase_admin -d {NAME} -v ON_ERROR_STOP=1", stdin=a_minute_ago)
    assert "error_code=otp_expired" in httpx.get(link).headers["location"]


def test_mails_of_an_hour_are_limited(strict: SimpleNamespace, gateway: Gateway) -> None:
    assert len([message for message in strict.box.messages if message["Subject"] == "Reset Your Password"]) == 3
    fourth = recover(gateway, strict.project, "sofya@example.com", f"{BACK}/back")
    assert (fourth.status_code, fourth.json()["error_code"]) == (429, "over_email_send_rate_limit")
    assert "after" not in fourth.text


def test_limits_by_address_reach_the_process_of_auth(strict: SimpleNamespace, fleet: Fleet) -> None:
    pid = main_pid(fleet, HOST, f"berth-auth@{NAME}.service")
    variables = fleet.on(HOST, f"tr '\\0' '\\n' < /proc/{pid}/environ").splitlines()
    found = {name: f"GOTRUE_RATE_LIMIT_{name}={most}" in variables for name, most in VARIABLES.items()}
    assert found == dict.fromkeys(VARIABLES, True)
    assert "GOTRUE_RATE_LIMIT_HEADER=X-Forwarded-For" in variables


def test_template_of_a_mail_is_fetched_and_sign_in_by_mail_can_be_off(
    post: SimpleNamespace, gateway: Gateway, mailbox: tuple[Mailbox, str, int], tmp_path: Path
) -> None:
    (tmp_path / "recovery.html").write_text('<a href="{{ .ConfirmationURL }}">Hier entlang, {{ .Email }}</a>')
    project, serve = post.project, partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer((mailbox[1], 0), serve) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        template = f"http://{mailbox[1]}:{server.server_port}/recovery.html"
        post.change(auth={**post.auth, "mails": {"recovery": {"subject": "Vergessen?", "template": template}}})
        assert recover(gateway, project, "sofya@example.com", BACK).status_code == 200
        message = post.box.mail_to("sofya@example.com")
        server.shutdown()
    assert (message["Subject"], "Hier entlang, sofya@example.com" in message.get_content()) == ("Vergessen?", True)
    post.change(auth={**post.auth, "email": False})
    for answer in (sign_up(gateway, project, "new@example.com"), sign_in(gateway, project, "sofya@example.com")):
        assert answer.json()["error_code"] == "email_provider_disabled"


def test_provider_without_its_secret_stops_the_run_before_any_host_is_touched(
    post: SimpleNamespace, fleet: Fleet
) -> None:
    path = fleet.inventory / "projects" / f"{NAME}.yml"
    before = path.read_text()
    path.write_text(yaml.safe_dump({**yaml.safe_load(before), "auth": {"providers": {"google": {"client_id": "x"}}}}))
    try:
        run = fleet.play("project.yml", "-e", f"project={NAME}")
    finally:
        path.write_text(before)
    assert run.returncode != 0
    assert run.changed == 0
    assert "berth secrets set post oauth_google_secret" in re.sub(r"\s+", " ", run.output)
