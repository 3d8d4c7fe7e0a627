"""Project files: what is accepted, and how every mistake is told."""

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from berth.declarations import Auth, DeclarationError, Limits, Project, Rest, load
from berth.explain import explain
from berth.yaml_files import InvalidYaml, parse_mapping

HOSTS = ("alpha", "bravo")
MINIMAL = {"name": "blog", "number": 7, "host": "alpha", "architecture": "shared"}
FULL = {
    **MINIMAL,
    "database": "shared",
    "domains": ["blog.example.com", "xn--blg-sna.example"],
    "database_allowed_cidrs": ["203.0.113.7/32", "2001:db8::/64"],
    "idle_timeout": "1h",
    "state": "paused",
    "limits": {
        "connections": 30,
        "statement_timeout": "500ms",
        "temp_file_limit": "512MB",
        "memory": "2G",
        "requests_per_second": 50,
        "cpu_weight": 200,
        "io_weight": 50,
        "tasks": 1024,
    },
    "rest": {
        "schemas": ["public", "api"],
        "extra_search_path": ["public", "extensions"],
        "max_rows": 500,
        "pool": 3,
        "openapi": False,
        "statement_timeouts": {"anon": "3s", "authenticated": "8s", "service_role": "1min"},
    },
    "auth": {
        "site_url": "https://blog.example.com:8443/app",
        "email_autoconfirm": True,
        "disable_signup": True,
        "jwt_exp": 600,
        "redirect_urls": ["http://localhost:3000/**", "com.example.app://callback"],
        "email": False,
        "anonymous_users": True,
        "password_min_length": 10,
        "link_exp": 3600,
        "smtp": {
            "host": "smtp.example.com",
            "port": 465,
            "user": "blog+mail@example.com",
            "sender": "hello@example.com",
            "sender_name": 'Ada\'s "Blog"',
            "seconds_between_mails": 5,
        },
        "mails": {
            kind: {"subject": "Grüße, {{ .Email }}", "template": f"https://example.com/{kind}.html"}
            for kind in ("confirmation", "recovery", "magic_link", "invite", "email_change", "reauthentication")
        },
        "providers": {
            "github": {"client_id": "Iv1.8a61f9b3a7aba766", "url": None, "skip_nonce_check": False},
            "keycloak": {"client_id": "blog", "url": "https://id.example.com/realms/blog", "skip_nonce_check": True},
        },
        "rate_limits": {"mails": 9, "anonymous_users": 8, "otp": 7, "token_refresh": 6, "verify": 5},
    },
}
FOR_PEOPLE = {"subject", "sender_name"}
UNSAFE = re.compile(r"""[^A-Za-z0-9._:/*?=&~@+!-]""")

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that writes projects/<stem>.yml from a dictionary or text and gives the environment's directory."""
    (tmp_path / "projects").mkdir()

    def write_file(content: dict[str, Any] | str | bytes, stem: str = "blog", suffix: str = ".yml") -> Path:
        text = yaml.safe_dump(content) if isinstance(content, dict) else content
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "projects" / f"{stem}{suffix}").write_bytes(data)
        return tmp_path

    return write_file


def changed(path: str, value: object, base: dict[str, Any] = FULL) -> dict[str, Any]:
    """A copy of the declaration with one field replaced; the path is dotted."""
    result = copy.deepcopy(base)
    *sections, key = path.split(".")
    target = result
    for section in sections:
        target = target.setdefault(section, {})
    target[key] = value
    return result


def problems_of(directory: Path, **options: Any) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        load(directory, HOSTS, **options)
    assert str(caught.value).splitlines() == caught.value.problems
    return caught.value.problems


def only_problem(directory: Path) -> str:
    problems = problems_of(directory)
    assert len(problems) == 1, problems
    return problems[0]


def test_minimal_declaration_gets_the_defaults(write: Write) -> None:
    project = load(write(MINIMAL), HOSTS)["blog"]
    assert project == Project(
        **MINIMAL, domains=[], idle_timeout="15min", state="present", limits=Limits(), rest=Rest(), auth=Auth()
    )
    assert project.limits.model_dump() == {
        "connections": 20,
        "statement_timeout": "15s",
        "temp_file_limit": "1GB",
        "memory": "1G",
        "requests_per_second": 100,
        "cpu_weight": 100,
        "io_weight": 100,
        "tasks": 512,
    }
    assert project.rest.model_dump() == {
        "schemas": ["public"],
        "extra_search_path": ["public", "extensions"],
        "max_rows": 1000,
        "pool": 4,
        "openapi": True,
        "statement_timeouts": {"anon": None, "authenticated": None, "service_role": None},
    }
    assert project.auth.jwt_exp == 3600
    assert project.auth.site_url is None


def test_full_declaration_is_kept_as_written(write: Write) -> None:
    assert load(write(FULL), HOSTS)["blog"].model_dump() == FULL


def test_project_cannot_be_changed(write: Write) -> None:
    project = load(write(MINIMAL), HOSTS)["blog"]
    with pytest.raises(ValidationError, match="frozen"):
        project.number = 8


def test_projects_come_in_the_order_of_their_names(write: Write) -> None:
    for number, name in enumerate(("shop", "my-blog", "my"), start=1):
        directory = write(MINIMAL | {"name": name, "number": number}, name)
    assert list(load(directory, HOSTS)) == ["my", "my-blog", "shop"]


def test_environment_without_projects_is_empty(tmp_path: Path) -> None:
    assert load(tmp_path, HOSTS) == {}


def test_missing_environment_is_told(tmp_path: Path) -> None:
    assert "no such directory" in only_problem(tmp_path / "nowhere")


def test_hidden_files_are_ignored(write: Write) -> None:
    write("{", ".blog")
    assert list(load(write(MINIMAL), HOSTS)) == ["blog"]


def test_message_names_file_field_value_allowed_and_remedy(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(changed("limits.connections", "many"))
    assert only_problem(tmp_path) == (
        "projects/blog.yml: limits.connections: found 'many', allowed: a whole number from 5 to 500; correct the value"
    )


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("number", "7", "number: found '7', allowed: a whole number from 1 to 9900; remove the quotes"),
        ("number", 0, "number: found 0, allowed"),
        (
            "database_allowed_cidrs",
            ["203.0.113.7/24"],
            "database_allowed_cidrs[0]: found '203.0.113.7/24', allowed: a network",
        ),
        ("database_allowed_cidrs", ["203.0.113.7"], "needs the length of its prefix, such as /32"),
        ("database_allowed_cidrs", ["all"], "found 'all', allowed: a network such as 203.0.113.0/24"),
        ("number", 10000, "number: found 10000, allowed"),
        ("number", True, "number: found True, allowed"),
        ("number", 7.0, "number: found 7.0, allowed"),
        ("number", None, "give a value or remove the line"),
        ("architecture", "dedicated", "architecture: found 'dedicated', allowed: shared or isolated"),
        ("state", "absent", "state: found 'absent', allowed: present or paused"),
        ("domains", "blog.example.com", "found 'blog.example.com', allowed: a list of DNS names"),
        ("domains", "blog.example.com", "put it in square brackets"),
        ("domains", ["Blog.example.com"], "domains[0]: found 'Blog.example.com', allowed: a DNS name"),
        ("domains", ["ok.example.com", "*.example.com"], "domains[1]: found '*.example.com'"),
        ("domains", ["192.0.2.1"], "domains[0]: found '192.0.2.1'"),
        ("domains", ["localhost"], "domains[0]: found 'localhost'"),
        ("domains", ["example.com."], "domains[0]: found 'example.com.'"),
        ("domains", ["-a.example.com"], "domains[0]: found '-a.example.com'"),
        ("domains", ["bl\u00f6g.example.com"], "domains[0]: found 'bl\u00f6g.example.com'"),
        ("domains", ["a" * 64 + ".example.com"], "domains[0]: found 'aaa"),
        ("domains", [".".join(["a" * 62] * 5)], "domains[0]: found 'aaa"),
        ("domains", ["a.example.com", "a.example.com"], "a.example.com is there twice: remove one"),
        ("idle_timeout", 15, "idle_timeout: found 15, allowed: a time up to 30d such as 30s"),
        ("idle_timeout", "0s", "idle_timeout: found '0s'"),
        ("idle_timeout", "15", "idle_timeout: found '15'"),
        ("idle_timeout", "31d", "idle_timeout: found '31d'"),
        ("idle_timeout", "5000ms", "idle_timeout: found '5000ms'"),
        ("idle_timeout", False, "YAML reads yes, no, on and off as true and false: put the word in quotes"),
        ("limits", "low", "limits: found 'low', allowed: a mapping with the keys connections"),
        ("limits.connections", 4, "limits.connections: found 4, allowed: a whole number from 5 to 500"),
        ("limits.statement_timeout", "0s", "limits.statement_timeout: found '0s'"),
        ("limits.statement_timeout", "25h", "limits.statement_timeout: found '25h'"),
        ("limits.temp_file_limit", "2TB", "limits.temp_file_limit: found '2TB'"),
        ("limits.memory", "1GB", "limits.memory: found '1GB', allowed: a size from 16M"),
        ("limits.memory", "1M", "limits.memory: found '1M'"),
        ("limits.requests_per_second", 0, "limits.requests_per_second: found 0"),
        ("rest.schemas", [], "rest.schemas: found [], allowed: a list of schema names"),
        ("rest.schemas", ["auth"], "rest.schemas[0]: found 'auth'"),
        ("rest.schemas", ["pg_catalog"], "this schema is not for clients: leave it out"),
        ("rest.schemas", ["information_schema"], "rest.schemas[0]: found 'information_schema'"),
        ("rest.schemas", ["public", "public"], "public is there twice"),
        ("rest.schemas", ['api"; drop'], "rest.schemas[0]: found 'api\"; drop'"),
        ("rest.extra_search_path", ["a b"], "rest.extra_search_path[0]: found 'a b', allowed: a schema name"),
        ("rest.pool", 30, "rest.pool: found 30, allowed: less than limits.connections, which is 30"),
        ("rest.max_rows", 0, "rest.max_rows: found 0"),
        ("auth.site_url", "blog.example.com", "auth.site_url: found 'blog.example.com', allowed: a URL such as"),
        ("auth.site_url", "https://user:pw@blog.example.com", "auth.site_url: found"),
        ("auth.site_url", "https://blog.example.com:99999", "give a port from 1 to 65535"),
        ("auth.email_autoconfirm", "yes", "found 'yes', allowed: true or false; write true or false without quotes"),
        ("auth.jwt_exp", 299, "auth.jwt_exp: found 299"),
        ("auth.redirect_urls", ["https://a.example,https://b.example"], "auth.redirect_urls[0]: found"),
        ("auth.redirect_urls", ["javascript://x"], "auth.redirect_urls[0]: found 'javascript://x'"),
        ("auth.password_min_length", 5, "auth.password_min_length: found 5, allowed: a whole number from 6 to 72"),
        ("auth.smtp", {"host": "smtp.example.com"}, "auth.smtp.sender: missing, allowed: a mail address such as"),
        ("auth.smtp", {"sender": "a@example.com"}, "auth.smtp.host: missing, allowed: the mail server such as"),
        ("auth.smtp.sender", "Ada <a@example.com>", "auth.smtp.sender: found 'Ada <a@example.com>', allowed: a mail"),
        ("auth.smtp.host", "-oProxyCommand", "auth.smtp.host: found '-oProxyCommand', allowed: a DNS name or an IP"),
        ("auth.smtp.sender_name", "a\nBcc: x", r"auth.smtp.sender_name: found 'a\nBcc: x', allowed: one line of at"),
        ("auth.mails.recovery.subject", " ", "auth.mails.recovery.subject: found ' ', allowed: one line"),
        ("auth.mails.recovry", {}, "auth.mails.recovry: unknown key, allowed: confirmation, email_change"),
        ("auth.providers", [], "auth.providers: found [], allowed: a mapping such as {github: "),
        ("auth.providers", {"githb": {"client_id": "x"}}, "auth.providers.githb: unknown key, allowed: apple, azure"),
        ("auth.providers", {"github": "x"}, "github: found 'x', allowed: a mapping with the keys client_id, url"),
        ("auth.providers", {"github": {}}, "auth.providers.github.client_id: missing, allowed: the client id"),
        (
            "auth.providers",
            {"github": {"client_id": "x", "secret": "y"}},
            "github.secret: unknown key, allowed: client",
        ),
        ("auth.providers", {"keycloak": {"client_id": "x"}}, "auth.providers.keycloak.url: missing, allowed: the URL"),
        ("rest.statement_timeouts.anon", "3", "rest.statement_timeouts.anon: found '3', allowed: a time up to 1d"),
        ("idle_timout", "1h", "idle_timout: unknown key, allowed: architecture, auth"),
        ("idle_timout", "1h", "did you mean idle_timeout?"),
        ("limits.memry", "1G", "limits.memry: unknown key, allowed: connections, cpu_weight, io_weight, memory"),
        ("zzz", 1, "; remove it"),
    ],
)
def test_mistake_is_told(write: Write, path: str, value: object, told: str) -> None:
    assert told in only_problem(write(changed(path, value)))


@pytest.mark.parametrize("key", MINIMAL)
def test_missing_field_is_told(write: Write, key: str) -> None:
    declaration = {name: value for name, value in MINIMAL.items() if name != key}
    assert re.search(rf"blog\.yml: {key}: missing, allowed: .*; add it", only_problem(write(declaration)))


@pytest.mark.parametrize(("name", "reason"), [("my_blog", "first a letter"), ("postgres", "reserved for PostgreSQL")])
def test_bad_name_is_told(write: Write, name: str, reason: str) -> None:
    problem = only_problem(write(MINIMAL | {"name": name}, name))
    assert f"{name}.yml: name: found '{name}'" in problem
    assert reason in problem
    assert "choose another name" in problem


def test_name_must_be_the_files(write: Write) -> None:
    assert "name: found 'blog', allowed: 'shop' as the file is called" in only_problem(write(MINIMAL, "shop"))


def test_unknown_host_names_the_known_ones(write: Write) -> None:
    told = "host: found 'gamma', allowed: a host of the inventory (alpha, bravo); correct the value"
    assert told in only_problem(write(MINIMAL | {"host": "gamma"}))


def test_isolated_project_needs_memory_for_its_services(write: Write) -> None:
    little = {"limits": {"memory": "383M"}}
    told = "limits.memory: found 383M, allowed: 384M or more, which the services of an isolated project need"
    assert told in only_problem(write(MINIMAL | little | {"architecture": "isolated"}))
    assert load(write(MINIMAL | little), HOSTS)["blog"].limits.memory == "383M"
    enough = MINIMAL | {"architecture": "isolated", "limits": {"memory": "384M"}}
    assert load(write(enough), HOSTS)["blog"].architecture == "isolated"


def test_dedicated_database_needs_its_share_of_the_memory_and_an_isolated_project(write: Write) -> None:
    own = MINIMAL | {"architecture": "isolated", "database": "dedicated"}
    told = "limits.memory: found 639M, allowed: 640M or more, which its services and its dedicated database need"
    assert told in only_problem(write(own | {"limits": {"memory": "639M"}}))
    assert load(write(own | {"limits": {"memory": "640M"}}), HOSTS)["blog"].database == "dedicated"
    told = "database: found 'dedicated', allowed: shared, as long as architecture is shared"
    assert told in only_problem(write(own | {"architecture": "shared"}))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"number": 7}, "number: found 7"),
        ({"number": 8, "domains": ["x.example.com", "blog.example.com"]}, "domains: found 'blog.example.com'"),
    ],
)
def test_what_another_project_has_names_both_files(write: Write, other: dict[str, Any], told: str) -> None:
    write(MINIMAL | {"domains": ["blog.example.com"]})
    problem = only_problem(write(MINIMAL | {"name": "shop"} | other, "shop"))
    assert told in problem
    assert re.search(r"projects/shop\.yml: .*projects/blog\.yml has already", problem)


def test_same_project_in_two_files_names_the_database(write: Write) -> None:
    write(MINIMAL)
    problems = problems_of(write(MINIMAL | {"number": 8}, "copy"))
    assert any("database: found 'blog'" in problem and "copy.yml" in problem for problem in problems)


def test_all_problems_of_all_files_come_at_once(write: Write) -> None:
    write(changed("number", "x") | {"host": "gamma"})
    write("name: [", "broken")
    write(MINIMAL | {"name": "news", "domains": ["blog.example.com"]}, "news")
    problems = problems_of(write(MINIMAL | {"name": "shop"}, "shop", ".yaml"))
    expected = ["blog.yml: number", "blog.yml: host", "broken.yml: not readable", "news.yml: domains", "shop.yaml: "]
    for part in expected:
        assert sum(part in problem for problem in problems) == 1, (part, problems)
    assert len(problems) == len(expected)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("name: blog\nname: shop\n", "name: found a second time in line 2, allowed: once; remove one"),
        ("limits:\n  memory: 1G\n  'memory': 2G\n", "memory: found a second time in line 3"),
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- blog\n", "allowed: a mapping"),
        ("1: 2\n", "allowed: a mapping such as 'name: blog', with text as keys"),
        ("name: blog\n\tnumber: 7\n", "not readable as YAML in line 2"),
        ("a: 1\n---\nb: 2\n", "not readable as YAML"),
        ("name: !!python/object/apply:os.getcwd []\n", "not readable as YAML in line 1"),
        ("name: 2024-13-45\n", "not readable as YAML: month must be"),
        ("name: " + "[" * 5000, "not readable as YAML"),
        ("number: " + "9" * 5000, "not readable as YAML"),
        ("number: 0x" + "f" * 5000, "number: found a very long number"),
        (b"name: bl\xff\n", "not UTF-8 text (byte 8)"),
    ],
)
def test_broken_file_is_told(write: Write, content: str | bytes, told: str) -> None:
    problems = problems_of(write(content))
    assert any(f"blog.yml: {told}" in problem for problem in problems), problems


def test_directory_in_place_of_a_file_is_told(write: Write) -> None:
    directory = write(MINIMAL)
    (directory / "projects/shop.yml").mkdir()
    assert "shop.yml: not a file; remove it" in only_problem(directory)


def test_merged_mapping_may_be_overridden() -> None:
    assert parse_mapping("x: &x {a: 1}\ny: {<<: *x, a: 2}\n")["y"] == {"a": 2}


def leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in FOR_PEOPLE:
                yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value


def paths_of_text(value: object, path: tuple = ()) -> Iterator[tuple]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths_of_text(item, (*path, key))
    elif isinstance(value, str):
        yield path


TEXT_PATHS = sorted(paths_of_text(FULL), key=str)
hostile = st.sampled_from(
    ["\n", "\r", "\0", '"', "'", "`", "$", ";", "\\", "{", "}", "#", "%", " ", "\t", ",", "\u2028"]
)


def with_text(path: tuple, edit: Callable[[str], str]) -> dict[str, Any]:
    declaration = copy.deepcopy(FULL)
    target: Any = declaration
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = edit(target[path[-1]])
    return declaration


@given(st.sampled_from(TEXT_PATHS), st.integers(0, 200), hostile | st.characters(codec="utf-8"), st.booleans())
def test_no_accepted_text_can_leave_its_place(path: tuple, position: int, character: str, at_end: bool) -> None:
    def insert(text: str) -> str:
        place = len(text) if at_end else position % (len(text) + 1)
        return text[:place] + character + text[place:]

    try:
        project = Project.model_validate(with_text(path, insert))
    except ValidationError:
        return
    for text in leaves(project.model_dump()):
        assert not UNSAFE.search(text), text


@given(st.sampled_from(TEXT_PATHS), st.text(max_size=40))
def test_no_accepted_free_text_is_unsafe(path: tuple, text: str) -> None:
    try:
        project = Project.model_validate(with_text(path, lambda _: text))
    except ValidationError:
        return
    for leaf in leaves(project.model_dump()):
        assert not UNSAFE.search(leaf), leaf


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5)
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3))
keys = st.sampled_from([*FULL, "limts"]) | st.text(max_size=10)


@given(st.dictionaries(keys, trees | st.sampled_from(list(FULL.values())), max_size=8))
def test_any_mapping_is_accepted_or_told_line_by_line(declaration: dict[str, Any]) -> None:
    told: list[str] = []
    count = 0
    try:
        Project.model_validate(declaration)
    except ValidationError as error:
        told, count = explain(error, Project), error.error_count()
    assert len(told) == count
    assert all(len(line.splitlines()) == 1 for line in told)


yaml_characters = st.sampled_from([*"ab:-[]{}&*!|>%@`'\"?,# \n\t0123456789.<=~"]) | st.characters(codec="utf-8")


@given(st.text(yaml_characters))
def test_any_text_is_a_mapping_or_told_in_one_line(text: str) -> None:
    loaded: object = {}
    told = "accepted"
    try:
        loaded = parse_mapping(text)
    except InvalidYaml as error:
        told = str(error)
    assert isinstance(loaded, dict)
    assert len(told.splitlines()) == 1


def test_file_is_parsed_again_only_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counted(path: Path) -> dict[str, Any]:
        parsed.append(path.stem)
        return parse_mapping(path.read_text())

    monkeypatch.setattr("berth.declarations.read_mapping", counted)
    (tmp_path / "projects").mkdir()
    for number, name in enumerate(("blog", "shop"), 1):
        declared = MINIMAL | {"name": name, "number": number}
        (tmp_path / f"projects/{name}.yml").write_text(yaml.safe_dump(declared))
    load(tmp_path, HOSTS)
    before = (tmp_path / "projects/shop.yml").read_text()
    # the same length, in place: nothing but times tells of it
    (tmp_path / "projects/shop.yml").write_text(before.replace("host: alpha", "host: bravo"))
    assert load(tmp_path, HOSTS)["shop"].host == "bravo"
    assert parsed == ["blog", "shop", "shop"]
