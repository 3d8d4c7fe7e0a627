"""What the files of one project say, with features on and off."""

import json
import re

import pytest
from rendering import evaluate, lines, project, project_variables, render


def rendered(template: str, name: str = "my-blog", given: dict | None = None, **declared: object) -> list[str]:
    """Return the lines of a template of the role project for one declaration."""
    return lines(render("project", template, **project_variables(project(name, **declared), **(given or {}))))


def test_postgrest_gets_the_database_over_the_socket_without_a_password() -> None:
    text = rendered("rest.env.j2")
    assert 'PGRST_DB_URI="postgresql://my_blog_rest@/my_blog?host=/run/postgresql&port=5432"' in text
    assert 'PGRST_SERVER_UNIX_SOCKET="/run/berth-rest/my-blog/rest.sock"' in text


@pytest.mark.parametrize("service", ["rest", "auth", "meta"])
def test_services_see_no_cluster_but_that_of_their_project(service: str) -> None:
    own = {"architecture": "isolated", "database": "dedicated", "number": 7}
    sockets = "/run/berth/postgres/my-blog"
    container = rendered(f"isolated/{service}.container.j2", **own)
    assert [line for line in container if "postgres:" in line or "postgresql:" in line] == []
    assert f"Volume={sockets}:{sockets}:ro" in container
    settings = rendered("isolated/meta.env.j2" if service == "meta" else f"{service}.env.j2", **own)
    assert [line for line in settings if "host=" in line and f"host={sockets}&port=10007" in line]


def test_postgrest_serves_what_is_declared() -> None:
    declared = {"schemas": ["public", "api"], "extra_search_path": ["extensions"], "max_rows": 7, "pool": 3}
    text = rendered("rest.conf.j2", rest=declared)
    assert 'db-schemas = "public,api"' in text
    assert 'db-extra-search-path = "extensions"' in text
    assert "db-max-rows = 7" in text
    assert 'PGRST_DB_POOL="3"' in rendered("rest.env.j2", rest=declared)


def test_postgrest_limits_statements_by_role_where_that_is_declared() -> None:
    text = rendered("rest.conf.j2", rest={"statement_timeouts": {"anon": "3s"}, "openapi": False})
    assert 'db-pre-request = "berth.before_request"' in text
    assert 'app.settings.statement_timeout_anon = "3s"' in text
    assert 'openapi-mode = "disabled"' in text
    plain = rendered("rest.conf.j2")
    assert 'openapi-mode = "follow-privileges"' in plain
    assert not [line for line in plain if "pre-request" in line or "statement_timeout" in line]


def test_postgrest_gets_the_keys_as_one_text_that_is_json() -> None:
    given = project_variables(project("my-blog"))
    [line] = [line for line in lines(render("project", "rest.conf.j2", **given)) if line.startswith("jwt-secret")]
    keys = json.loads(json.loads(line.removeprefix("jwt-secret = ")))
    assert keys == given["project_secrets"]["my-blog"]["rest_keys"]


def test_gotrue_gets_the_keys_in_quotes_that_they_do_not_hold() -> None:
    given = project_variables(project("my-blog"))
    secrets = given["project_secrets"]["my-blog"]
    text = lines(render("project", "auth.env.j2", **given))
    assert f'GOTRUE_JWT_SECRET="{secrets["jwt_secret"]}"' in text
    [line] = [line for line in text if line.startswith("GOTRUE_JWT_KEYS=")]
    value = line.removeprefix("GOTRUE_JWT_KEYS=")
    assert (value[0], value[-1], value.count("'")) == ("'", "'", 2)
    assert json.loads(value[1:-1]) == secrets["auth_keys"]


@pytest.mark.parametrize("on", [True, False])
def test_gotrue_does_what_is_declared(on: bool) -> None:
    declared = {"email_autoconfirm": on, "disable_signup": on, "jwt_exp": 600}
    text = rendered("auth.env.j2", auth=declared)
    assert f'GOTRUE_MAILER_AUTOCONFIRM="{str(on).lower()}"' in text
    assert f'GOTRUE_DISABLE_SIGNUP="{str(on).lower()}"' in text
    assert 'GOTRUE_JWT_EXP="600"' in text
    assert 'GOTRUE_URI_ALLOW_LIST=""' in text


def test_gotrue_sends_people_to_declared_places() -> None:
    declared = {"site_url": "https://app.example.com", "redirect_urls": ["https://a.example/**", "app://back"]}
    text = rendered("auth.env.j2", auth=declared)
    assert 'GOTRUE_SITE_URL="https://app.example.com"' in text
    assert 'GOTRUE_URI_ALLOW_LIST="https://a.example/**,app://back"' in text


def test_links_in_mails_lead_to_the_domain() -> None:
    text = rendered("auth.env.j2", domains=["blog.example.com"])
    assert 'API_EXTERNAL_URL="http://blog.example.com:8001/auth/v1"' in text
    assert 'GOTRUE_MAILER_URLPATHS_RECOVERY="/auth/v1/verify"' in text


def test_links_in_mails_lead_through_the_path_where_there_is_no_domain() -> None:
    text = rendered("auth.env.j2")
    assert 'API_EXTERNAL_URL="http://localhost:8001/projects/my-blog/auth/v1"' in text
    assert 'GOTRUE_MAILER_URLPATHS_RECOVERY="/projects/my-blog/auth/v1/verify"' in text


def test_gotrue_sends_no_mail_and_asks_no_provider_by_default() -> None:
    text = rendered("auth.env.j2")
    assert not [line for line in text if re.match(r"GOTRUE_(SMTP|MAILER_(SUBJECTS|TEMPLATES))", line)]
    assert [line for line in text if line.startswith("GOTRUE_EXTERNAL_")] == [
        'GOTRUE_EXTERNAL_EMAIL_ENABLED="true"',
        'GOTRUE_EXTERNAL_PHONE_ENABLED="false"',
        'GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED="false"',
    ]
    assert 'GOTRUE_RATE_LIMIT_EMAIL_SENT="30"' in text
    assert 'GOTRUE_PASSWORD_MIN_LENGTH="6"' in text


def test_gotrue_gets_its_mail_server_and_providers_with_their_secrets() -> None:
    item = project(
        "my-blog",
        auth={
            "smtp": {"host": "smtp.example.com", "user": "me", "sender": "a@example.com", "sender_name": 'The "B"'},
            "mails": {"confirmation": {"subject": "Hi {{ .Email }}", "template": "https://example.com/c.html"}},
            "providers": {"github": {"client_id": "abc"}, "keycloak": {"client_id": "k", "url": "https://id.example"}},
            "rate_limits": {"mails": 5},
            "anonymous_users": True,
        },
    )
    given = project_variables(item)
    secrets = {"smtp_password": 'p"$', "oauth_github_secret": "gh", "oauth_keycloak_secret": "kc"}
    given["project_secrets"]["my-blog"]["auth"] = secrets
    text = lines(render("project", "auth.env.j2", **given))
    for line in (
        'GOTRUE_SMTP_HOST="smtp.example.com"',
        'GOTRUE_SMTP_PORT="587"',
        r'GOTRUE_SMTP_PASS="p\"\$"',
        r'GOTRUE_SMTP_SENDER_NAME="The \"B\""',
        'GOTRUE_SMTP_MAX_FREQUENCY="60s"',
        'GOTRUE_MAILER_SUBJECTS_CONFIRMATION="Hi {{ .Email }}"',
        'GOTRUE_MAILER_TEMPLATES_CONFIRMATION="https://example.com/c.html"',
        'GOTRUE_EXTERNAL_GITHUB_ENABLED="true"',
        'GOTRUE_EXTERNAL_GITHUB_SECRET="gh"',
        'GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI="http://localhost:8001/projects/my-blog/auth/v1/callback"',
        'GOTRUE_EXTERNAL_KEYCLOAK_URL="https://id.example"',
        'GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED="true"',
        'GOTRUE_RATE_LIMIT_EMAIL_SENT="5"',
    ):
        assert line in text, line


@pytest.mark.parametrize(("declared", "written"), [("never", "infinity"), ("90s", "90s"), ("2h", "2h")])
def test_idle_timeout_is_a_time_span_of_systemd(declared: str, written: str) -> None:
    assert f"BERTH_IDLE_TIMEOUT={written}" in rendered("wake.env.j2", idle_timeout=declared)


def test_port_of_gotrue_is_the_project_s_own_everywhere() -> None:
    assert "GOTRUE_API_PORT=20007" in rendered("wake.env.j2", number=7)
    owner = 'add element inet berth owners { "berth-my-blog" . 20007 }'
    assert owner in rendered("firewall.nft.j2", number=7)


@pytest.mark.parametrize("service", ["rest", "auth", "meta"])
def test_container_runs_as_the_system_user_of_the_project(service: str) -> None:
    container = rendered(f"isolated/{service}.container.j2", architecture="isolated")
    assert {"User=990", "Group=991"} <= set(container)


def test_system_user_may_log_in_as_the_services_of_its_project() -> None:
    text = [line.split() for line in rendered("ident.conf.j2")]
    assert text == [["berth", "berth-my-blog", f"my_blog_{service}"] for service in ("rest", "auth")]


def test_gateway_knows_every_domain() -> None:
    text = rendered("nginx/domains.map.j2", domains=["a.example.com", "b.example.com"])
    assert text == ["a.example.com my-blog;", "b.example.com my-blog;"]
    assert rendered("nginx/domains.map.j2") == []


@pytest.mark.parametrize("state", ["present", "paused"])
def test_gateway_knows_the_state(state: str) -> None:
    assert rendered("nginx/state.map.j2", state=state) == [f"my-blog {state};"]


def test_gateway_knows_only_the_project_s_own_keys() -> None:
    given = project_variables(project("my-blog"))
    secrets = given["project_secrets"]["my-blog"]
    expected = [
        f'"my-blog:{key["value"]}" "{key["role"]} {key["id"]} {key["token"]} {key["value"]}";'
        for key in secrets["api_keys"]
    ]
    assert lines(render("project", "nginx/keys.map.j2", **given)) == expected
    assert len(expected) == 4
    assert lines(render("project", "nginx/meta.map.j2", **given)) == [f'my-blog "{secrets["meta_connection"]}";']


@pytest.mark.parametrize("services", [["rest"], ["auth"], ["rest", "auth"], []])
def test_gateway_has_an_upstream_for_each_service(services: list[str]) -> None:
    text = rendered("nginx/upstream.conf.j2", given={"project_services": services})
    found = [line.split()[1] for line in text if line.startswith("upstream ")]
    assert found == [f"berth_{service}_my-blog" for service in services]
    for service in services:
        assert f"server unix:/run/berth/gate/my-blog-{service}.sock max_fails=0;" in text


def test_isolated_project_has_a_postgres_meta_of_its_own() -> None:
    text = rendered("nginx/upstream.conf.j2", architecture="isolated")
    found = [line.split()[1] for line in text if line.startswith("upstream ")]
    assert found == ["berth_rest_my-blog", "berth_auth_my-blog", "berth_meta_my-blog"]
    assert rendered("nginx/meta-upstream.map.j2", architecture="isolated") == ["my-blog berth_meta_my-blog;"]
    assert rendered("nginx/meta-upstream.map.j2") == []
    assert rendered("nginx/meta.map.j2", architecture="isolated") == []


@pytest.mark.parametrize("service", ["rest", "auth"])
def test_container_reads_and_reloads_what_the_service_does(service: str) -> None:
    native = [line.replace("%i", "my-blog") for line in lines(render(service, f"berth-{service}@.service.j2"))]
    container = rendered(f"isolated/{service}.container.j2", architecture="isolated")
    assert {line for line in native if line.startswith("EnvironmentFile=")} <= set(container)
    reloads = [any(line.startswith("ExecReload=") for line in unit) for unit in (native, container)]
    assert reloads[0] == reloads[1]


def test_gateway_asks_the_postgres_meta_of_an_isolated_project_where_it_listens() -> None:
    upstreams = rendered("nginx/upstream.conf.j2", architecture="isolated")
    [path] = [line.split("unix:")[1].split()[0] for line in upstreams if "-meta.sock" in line]
    socket = lines(render("isolated", "berth-meta-wake@.socket.j2"))
    assert {f"{key}={path.replace('my-blog', '%i')}" for key in ("ListenStream", "Symlinks")} & set(socket)


def test_slice_has_the_limits_and_lies_in_no_other_projects_slice() -> None:
    limits = {"memory": "2G", "cpu_weight": 300, "io_weight": 50, "tasks": 256}
    text = rendered("isolated/project.slice.j2", architecture="isolated", limits=limits)
    assert text[2:] == [
        "[Slice]",
        "MemoryHigh=1843M",
        "MemoryMax=2048M",
        "CPUWeight=300",
        "IOWeight=50",
        "TasksMax=256",
    ]
    assert project("two-words", architecture="isolated")["slice"] == "berth-two_words.slice"


def test_gateway_limits_requests() -> None:
    declared = {"requests_per_second": 30}
    text = rendered("nginx/upstream.conf.j2", limits=declared)
    assert "limit_req_zone $berth_limit_my_blog zone=berth_my_blog:32k rate=30r/s;" in text
    text = rendered("nginx/limit.conf.j2", limits=declared, given={"project_burst_factor": 3})
    assert text == ["limit_req zone=berth_my_blog burst=90 nodelay;"]


@pytest.mark.parametrize(
    ("services", "templates"),
    [
        (["rest"], {"rest.conf.j2", "rest.env.j2"}),
        (["auth"], {"auth.env.j2", "firewall.nft.j2"}),
        (["rest", "auth"], {"rest.conf.j2", "rest.env.j2", "auth.env.j2", "firewall.nft.j2"}),
    ],
)
def test_a_service_that_is_not_there_gets_no_file(services: list[str], templates: set[str]) -> None:
    chosen = "__project_files | map(attribute='file.template') | list"
    of_any = {"wake.env.j2", "ident.conf.j2", "hba.conf.j2"}
    assert set(evaluate("project", chosen, project_services=services)) == templates | of_any


def test_owner_alone_may_log_in_from_declared_networks_and_with_tls_alone() -> None:
    rules = rendered("hba.conf.j2", database_allowed_cidrs=["203.0.113.7/32", "2001:db8::/64"])
    assert [rule.split() for rule in rules] == [
        ["hostssl", "my_blog", "my_blog_owner", "203.0.113.7/32", "scram-sha-256"],
        ["hostssl", "my_blog", "my_blog_owner", "2001:db8::/64", "scram-sha-256"],
    ]
    assert rendered("hba.conf.j2") == []
