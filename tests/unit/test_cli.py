"""The command `berth`, run as people run it, on environments in a temporary directory."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from berth.inventory import Environment, HostVars, InventoryError, find_inventory, host_vars
from berth.models import Project
from berth.project_secrets import ProjectSecrets
from berth.secrets import SecretStore
from berth.urls import database_url, project_urls, site_url

BERTH = Path(sys.executable).parent / "berth"
HOSTS = {
    "berth_hosts": {
        "children": {
            "all_of_them": {
                "hosts": {
                    "alpha": {
                        "ansible_host": "192.0.2.1",
                        "berth_public_url": "http://localhost:{{ web_port }}",
                        "berth_database_address": "127.0.0.1:54321",
                        "berth_host_memory_mb": 4096,
                        "web_port": 8001,
                    },
                    "bravo": {"ansible_host": "192.0.2.2"},
                }
            }
        }
    },
    "unmanaged": {"hosts": {"gateway": {}}},
}
BLOG = {"name": "blog", "number": 1, "host": "alpha", "architecture": "shared", "domains": ["blog.localhost"]}
SHOP = {"name": "my-shop", "number": 2, "host": "bravo", "architecture": "shared", "state": "paused"}

Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of two hosts and two projects, without secrets."""
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)
    monkeypatch.delenv("BERTH_INVENTORY", raising=False)
    directory = tmp_path / "inventory/local"
    (directory / "projects").mkdir(parents=True)
    (directory / "hosts.yml").write_text(yaml.safe_dump(HOSTS))
    for project in (BLOG, SHOP):
        (directory / "projects" / f"{project['name']}.yml").write_text(yaml.safe_dump(project))
    return directory


@pytest.fixture
def run(tmp_path: Path, environment: Path) -> Run:
    """A function that runs `berth` where inventory/local is and gives what it answered."""

    def run_berth(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [BERTH, *arguments], cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, timeout=60
        )

    return run_berth


def refused(done: subprocess.CompletedProcess) -> str:
    """The one line of a refusal."""
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_list_as_json(run: Run) -> None:
    done = run("list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [
        {
            "name": "blog",
            "host": "alpha",
            "architecture": "shared",
            "state": "present",
            "domains": ["blog.localhost"],
            "urls": ["http://blog.localhost:8001", "http://localhost:8001/projects/blog"],
        },
        {
            "name": "my-shop",
            "host": "bravo",
            "architecture": "shared",
            "state": "paused",
            "domains": [],
            "urls": ["http://192.0.2.2/projects/my-shop"],
        },
    ]


def test_list_keeps_addresses_whole_on_a_narrow_terminal(run: Run) -> None:
    done = run("list", COLUMNS="20")
    assert done.returncode == 0
    for text in ("blog", "alpha", "paused", "http://blog.localhost:8001", "http://192.0.2.2/projects/my-shop"):
        assert text in done.stdout


def test_list_without_projects(run: Run, environment: Path) -> None:
    for file in (environment / "projects").iterdir():
        file.unlink()
    assert json.loads(run("list", "--json").stdout) == []
    assert run("list").returncode == 0


def test_keys_as_json(run: Run, environment: Path) -> None:
    secrets = SecretStore(environment).project("blog")
    done = run("keys", "blog", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert [(key["id"], key["key"]) for key in told.pop("keys")] == [
        ("k1.publishable", secrets.current.publishable_key),
        ("k1.secret", secrets.current.secret_key),
        ("k1.anon", secrets.anon_key),
        ("k1.service_role", secrets.service_role_key),
    ]
    assert told == {
        "url": "http://blog.localhost:8001",
        "anon_key": secrets.anon_key,
        "service_role_key": secrets.service_role_key,
        "publishable_key": secrets.current.publishable_key,
        "secret_key": secrets.current.secret_key,
        "db_url": f"postgresql://blog_owner:{secrets.owner_password}@127.0.0.1:54321/blog",
    }


def test_keys_are_whole_on_a_narrow_terminal(run: Run, environment: Path) -> None:
    secrets = SecretStore(environment).project("blog")
    lines = run("keys", "blog", COLUMNS="20").stdout.splitlines()
    assert [line.split() for line in lines][:3] == [
        ["url", "http://blog.localhost:8001"],
        ["anon_key", secrets.anon_key],
        ["service_role_key", secrets.service_role_key],
    ]


def test_keys_never_makes_secrets(run: Run, environment: Path) -> None:
    told = refused(run("keys", "blog"))
    assert "blog.yml: no such file; run playbooks/site.yml first" in told
    assert told.endswith("; berth apply blog makes it too\n")
    assert {path.name for path in environment.iterdir()} == {"hosts.yml", "projects"}


def test_keys_of_an_unknown_project_names_the_known_ones(run: Run) -> None:
    assert "project 'nothing' is not declared" in (told := refused(run("keys", "nothing")))
    assert "declared: blog, my-shop" in told


def test_bad_declaration_is_told_without_a_traceback(run: Run, environment: Path) -> None:
    (environment / "projects/blog.yml").write_text(yaml.safe_dump(BLOG | {"number": "1"}))
    assert refused(run("list")) == (
        "berth: inventory/local/projects/blog.yml: number: found '1', "
        "allowed: a whole number from 1 to 9900; remove the quotes\n"
    )


@pytest.mark.parametrize("place", ["option", "short", "variable", "file"])
def test_inventory_can_be_named(run: Run, environment: Path, tmp_path: Path, place: str) -> None:
    moved = environment.rename(tmp_path / "elsewhere")
    answers = {
        "option": lambda: run("list", "--json", "--inventory", str(moved)),
        "short": lambda: run("list", "--json", "-i", "elsewhere"),
        "variable": lambda: run("list", "--json", BERTH_INVENTORY=str(moved)),
        "file": lambda: run("list", "--json", "-i", str(moved / "hosts.yml")),
    }
    assert "no such directory here; name one with --inventory" in refused(run("list"))
    assert [row["name"] for row in json.loads(answers[place]().stdout)] == ["blog", "my-shop"]


def test_inventory_that_does_not_exist_is_told(run: Run) -> None:
    assert "inventory nowhere: no such file or directory" in refused(run("list", "-i", "nowhere"))


def test_option_comes_before_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_INVENTORY", "from-variable")
    assert find_inventory("from-option") == Path("from-option")
    assert find_inventory(None) == Path("from-variable")


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        ({"all": {"hosts": {"alpha": {}}}}, "no host in the group berth_hosts; add one to hosts.yml"),
        ({"berth_hosts": {}}, "no host in the group berth_hosts"),
        ({"berth_hosts": {"hosts": {"a": {"berth_public_url": "http://x/path"}}}}, "host a: berth_public_url: found"),
        ({"berth_hosts": {"hosts": {"a": {"berth_public_url": "{{ missing }}"}}}}, "'missing' is undefined"),
    ],
)
def test_inventory_without_usable_hosts_is_told(environment: Path, hosts: dict, told: str) -> None:
    (environment / "hosts.yml").write_text(yaml.safe_dump(hosts))
    with pytest.raises(InventoryError, match=told):
        _ = Environment(environment).hosts


def test_inventory_file_with_a_slip_is_told_in_one_line(run: Run, environment: Path) -> None:
    (environment / "hosts.yml").write_text("berth_hosts: [")
    told = "inventory inventory/local/hosts.yml: not readable as YAML in line 1"
    assert told in refused(run("list"))


def test_inventory_file_that_no_plugin_can_read_is_told(environment: Path) -> None:
    (environment / "more.yml").write_text("- a list\n- of things\n")
    with pytest.raises(InventoryError, match=r"more\.yml"):
        _ = Environment(environment).hosts


def test_environment_reads_hosts_group_vars_and_no_project_file(environment: Path) -> None:
    (environment / "group_vars").mkdir()
    (environment / "group_vars/berth_hosts.yml").write_text("berth_host_memory_mb: 2048\n")
    assert Environment(environment).hosts == {
        "alpha": HostVars("alpha", "http://localhost:8001", "127.0.0.1:54321", 4096),
        "bravo": HostVars("bravo", "http://192.0.2.2", "192.0.2.2:5432", 2048),
    }


def test_vaulted_group_vars_are_read(environment: Path) -> None:
    store = SecretStore(environment)
    store.host("alpha")
    sealed = store._vault.encrypt("berth_host_memory_mb: 512\n")
    (environment / "group_vars").mkdir()
    (environment / "group_vars/berth_hosts.yml").write_text(sealed)
    assert Environment(environment).hosts["bravo"].memory_mb == 512


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, HostVars("fsn1", "http://fsn1", "fsn1:5432", None)),
        ({"ansible_host": "2001:db8::1"}, HostVars("fsn1", "http://[2001:db8::1]", "[2001:db8::1]:5432", None)),
        (
            {"berth_public_url": "https://db.example.com", "berth_host_memory_mb": 512},
            HostVars("fsn1", "https://db.example.com", "fsn1:5432", 512),
        ),
    ],
)
def test_host_variables_have_defaults(values: dict, expected: HostVars) -> None:
    assert host_vars("fsn1", values) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("berth_public_url", "localhost:8001"),
        ("berth_public_url", "http://localhost:8001/"),
        ("berth_public_url", "http://localhost:99999"),
        ("berth_public_url", "http://localhost\n"),
        ("berth_public_url", 8001),
        ("berth_database_address", "127.0.0.1"),
        ("berth_database_address", "127.0.0.1:0"),
        ("berth_host_memory_mb", "4096"),
        ("berth_host_memory_mb", 0),
        ("berth_host_memory_mb", True),
    ],
)
def test_bad_host_variable_is_told(variable: str, value: object) -> None:
    with pytest.raises(InventoryError, match=rf"host fsn1: {variable}: found .*, allowed: .*; correct the value"):
        host_vars("fsn1", {variable: value})


@pytest.mark.parametrize(
    ("public_url", "urls"),
    [
        ("http://localhost:8001", ["http://blog.localhost:8001", "http://localhost:8001/projects/blog"]),
        ("https://fsn1.example.com", ["https://blog.localhost", "https://fsn1.example.com/projects/blog"]),
        ("http://[::1]:80", ["http://blog.localhost:80", "http://[::1]:80/projects/blog"]),
    ],
)
def test_addresses_of_a_project(public_url: str, urls: list[str]) -> None:
    assert project_urls(Project(**BLOG), HostVars("alpha", public_url, "x:5432", None)) == urls


def test_site_url_is_the_declared_one_else_the_project() -> None:
    host = HostVars("alpha", "http://localhost:8001", "x:5432", None)
    assert site_url(Project(**BLOG), host) == "http://blog.localhost:8001"
    assert site_url(Project(**BLOG, auth={"site_url": "https://www.example.com"}), host) == "https://www.example.com"


def test_password_with_special_characters_is_escaped() -> None:
    host = HostVars("bravo", "http://localhost", "db.example.com:6432", None)
    secrets = ProjectSecrets((), "p@ss/w:rd")
    url = database_url(Project(**SHOP), host, secrets)
    assert url == "postgresql://my_shop_owner:p%40ss%2Fw%3Ard@db.example.com:6432/my_shop"


def test_command_starts_without_loading_ansible() -> None:
    script = "import sys, berth.cli, berth.declarations, berth.secrets, berth.urls; print('ansible' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "False\n"
