"""The example inventories are ones that Ansible, the command berth and the playbooks take."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from standins.cloud_apis import ADDRESS, CloudApis, cloud_apis

from berth.declarations import load

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "inventory" / "example"
CLOUD = REPOSITORY / "inventory" / "example-cloud"
PROVIDERS = {"hcloud.yml": "hetzner", "aws_ec2.yml": "aws", "digitalocean.yml": "digitalocean"}
ROLES = ("base", "rest", "auth", "meta", "postgres", "nginx", "project")
GIVEN_BY_THE_PLAYBOOK = {
    "project_projects",
    "project_secrets",
    "project_selected",
    "project_declared",
    "project_archive",
    "project_move",
    "project_commit",
    "meta_crypto_key",
}
FIXED_BY_BERTH = {"project_auth_binary"}
NOWHERE = "http://127.0.0.1:1"


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Return what a command of the virtual environment did, without any account of the person who runs the test."""
    accounts = re.compile(r"AWS_|HCLOUD_|DO_API_|DO_OAUTH_|OAUTH_TOKEN|ANSIBLE_|BERTH_")
    clean = {name: value for name, value in os.environ.items() if not accounts.match(name)}
    offline = {
        "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "NO_PROXY": "127.0.0.1",
    }
    return subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        cwd=REPOSITORY,
        env=clean | offline | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def listed(*arguments: str, **environment: str) -> dict[str, Any]:
    """Return an inventory as ansible-inventory prints it."""
    done = run("ansible-inventory", "--list", *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, object_hook=_without_marks)


def _without_marks(mapping: dict[str, Any]) -> Any:
    """Return the text itself where Ansible marks it as coming from outside."""
    return mapping.get("__ansible_unsafe", mapping)


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """Give the example inventory with the variables of the playbooks beside it."""
    return listed("-i", str(EXAMPLE), "--playbook-dir", str(REPOSITORY / "playbooks"))


def test_hosts_of_every_provider_are_hosts_of_berth(example: dict[str, Any]) -> None:
    assert set(example["berth_hosts"]["children"]) == set(PROVIDERS.values())
    assert all(example[provider]["hosts"] for provider in PROVIDERS.values())


def test_variables_of_the_example_reach_the_playbooks(example: dict[str, Any]) -> None:
    variables = example["_meta"]["hostvars"]
    assert variables["fsn1"]["ansible_user"] == "root"
    assert variables["eu-central-1a"]["ansible_user"] == "admin"
    assert variables["eu-central-1a"]["ansible_become"] is True
    assert variables["eu-central-1a"]["berth_services"] == ["rest", "auth"]


def test_declarations_are_sound(example: dict[str, Any]) -> None:
    hosts = example["_meta"]["hostvars"]
    assert set(load(EXAMPLE, hosts)) == {"blog", "shop"}


def test_the_command_reads_the_example() -> None:
    done = run("berth", "list", "-i", str(EXAMPLE), "--json")
    assert done.returncode == 0, done.stderr
    urls = {project["name"]: project["urls"] for project in json.loads(done.stdout)}
    assert urls["blog"] == ["http://blog.example.com", "http://fsn1.example.com/projects/blog"]


@pytest.mark.parametrize(
    ("playbook", "argument"),
    [
        ("site.yml", "--syntax-check"),
        ("site.yml", "--list-tasks"),
        ("site.yml", "--list-hosts"),
        ("controller.yml", "--list-tasks"),
    ],
)
def test_playbooks_take_the_example(playbook: str, argument: str) -> None:
    done = run("ansible-playbook", "-i", str(EXAMPLE), f"playbooks/{playbook}", argument)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"playbook: playbooks/{playbook}" in done.stdout


@pytest.mark.parametrize(("group", "roles"), [("berth_hosts", ROLES), ("berth_controllers", ("controller",))])
def test_every_variable_of_the_roles_is_in_the_example_with_its_default(group: str, roles: tuple[str, ...]) -> None:
    text = (EXAMPLE / "group_vars" / f"{group}.yml").read_text()
    shown = dict(re.findall(r"^# ([a-z]+_[a-z_]+): (.+)$", text, re.MULTILINE))
    defaults: dict[str, Any] = {}
    for role in roles:
        defaults |= yaml.safe_load((REPOSITORY / "roles" / role / "defaults" / "main.yml").read_text())
    wiring = [yaml.safe_load(path.read_text()) for path in (REPOSITORY / "playbooks/group_vars").rglob("*.yml")]
    taken = GIVEN_BY_THE_PLAYBOOK.union(FIXED_BY_BERTH, *wiring)
    settable = {name: value for name, value in defaults.items() if name not in taken}
    assert set(shown) == set(settable)
    plain = {name: value for name, value in settable.items() if "{{" not in str(value)}
    assert {name: yaml.safe_load(shown[name]) for name in plain} == plain


@pytest.fixture
def environment_directory(tmp_path: Path) -> Path:
    """Give the directory of an environment that has no inventory file yet."""
    directory = tmp_path / "environment"
    directory.mkdir()
    return directory


def cloud(file: str, directory: Path, url: str) -> dict[str, str]:
    """Copy a provider's file into an environment and return the variables that turn its plugin to an address."""
    copy = shutil.copy(CLOUD / file, directory)
    if file == "digitalocean.yml":
        with Path(copy).open("a") as stream:
            stream.write(f"baseurl: {url}/digitalocean\n")
    return {
        "ANSIBLE_INVENTORY_ENABLED": "auto",
        "HCLOUD_ENDPOINT": f"{url}/hetzner",
        "AWS_URL": f"{url}/aws",
    }


@pytest.mark.parametrize(
    ("file", "missing"),
    [
        ("hcloud.yml", "Required config 'api_token'"),
        ("aws_ec2.yml", "Unable to locate credentials"),
        ("digitalocean.yml", "Connection refused"),
    ],
)
def test_without_an_account_the_account_alone_is_missing(file: str, missing: str, environment_directory: Path) -> None:
    variables = cloud(file, environment_directory, NOWHERE)
    done = run("ansible-inventory", "-i", str(environment_directory), "--list", **variables)
    assert done.returncode != 0
    assert missing in done.stderr


@pytest.fixture
def apis() -> Iterator[CloudApis]:
    """Give the APIs of the providers on loopback."""
    with cloud_apis() as running:
        yield running


TOKENS = {"HCLOUD_TOKEN": "h" * 64, "DO_API_TOKEN": "d" * 64}
AWS_KEYS = {"AWS_ACCESS_KEY_ID": "A" * 20, "AWS_SECRET_ACCESS_KEY": "s" * 40}


@pytest.mark.parametrize("file", PROVIDERS)
def test_with_an_account_the_servers_of_a_provider_become_hosts(
    file: str, environment_directory: Path, apis: CloudApis
) -> None:
    variables = cloud(file, environment_directory, apis.url) | TOKENS | AWS_KEYS
    inventory = listed("-i", str(environment_directory), **variables)
    assert inventory["berth_hosts"]["hosts"] == ["berth-one"]
    assert inventory[PROVIDERS[file]]["hosts"] == ["berth-one"]
    assert inventory["_meta"]["hostvars"]["berth-one"]["ansible_host"] == ADDRESS


@pytest.mark.parametrize(
    ("file", "path", "query"),
    [
        ("hcloud.yml", "/hetzner/servers", {"label_selector": ["berth=host"], "status": ["running"]}),
        ("aws_ec2.yml", "/aws", {"Action": ["DescribeInstances"], "Filter.1.Name": ["tag:berth"]}),
    ],
)
def test_only_servers_meant_for_berth_are_asked_for(
    file: str, path: str, query: dict[str, list[str]], environment_directory: Path, apis: CloudApis
) -> None:
    listed("-i", str(environment_directory), **cloud(file, environment_directory, apis.url), **TOKENS, **AWS_KEYS)
    assert apis.queries[path].items() >= query.items()


def test_token_of_digitalocean_comes_from_the_environment(environment_directory: Path, apis: CloudApis) -> None:
    listed("-i", str(environment_directory), **cloud("digitalocean.yml", environment_directory, apis.url), **TOKENS)
    assert apis.authorizations["/digitalocean/droplets"] == f"Bearer {TOKENS['DO_API_TOKEN']}"


def test_the_command_takes_hosts_of_a_provider(environment_directory: Path, apis: CloudApis) -> None:
    variables = cloud("hcloud.yml", environment_directory, apis.url) | TOKENS
    declaration = environment_directory / "projects" / "blog.yml"
    declaration.parent.mkdir()
    declaration.write_text("{name: blog, number: 1, host: berth-one, architecture: shared}\n")
    done = run("berth", "list", "-i", str(environment_directory), "--json", **variables)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["urls"] == [f"http://{ADDRESS}/projects/blog"]


@pytest.mark.parametrize("file", PROVIDERS)
def test_files_of_providers_are_documented(file: str) -> None:
    assert f"`{file}`" in (CLOUD / "README.md").read_text()
