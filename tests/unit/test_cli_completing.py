"""The shell proposes what the environment has, and nothing where it cannot be read."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from berth.playbooks import repository

BERTH = repository() / ".venv/bin/berth"
BLOG = {
    "name": "blog",
    "number": 1,
    "host": "alpha",
    "architecture": "shared",
    "domains": ["blog.example.com", "www.example.com"],
}
HOSTS = """
all:
  children:
    elsewhere: {hosts: {printer: }}
    berth_hosts: {hosts: {alpha: {ansible_become_password: !vault x}}, children: {more: }}
    more: {hosts: {bravo: , "web[1:9]": }, children: {berth_hosts: }}
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment of two hosts with two projects, one of them under conversion."""
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects/blog.yml").write_text(yaml.safe_dump(BLOG))
    shop = BLOG | {"name": "shop", "number": 2, "architecture": "isolated", "domains": []}
    (tmp_path / "projects/shop.yml").write_text(yaml.safe_dump(shop))
    (tmp_path / "projects/.shop.conversion.yml").write_text("project: shop\n")
    (tmp_path / "hosts.yml").write_text(HOSTS)
    return tmp_path


def proposed(inventory: Path, *words: str) -> list[str]:
    """Return what bash would propose for the last of the words."""
    asked = {
        "_BERTH_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("berth", *words)),
        "COMP_CWORD": str(len(words)),
    }
    environment = os.environ | asked | {"BERTH_INVENTORY": str(inventory)}
    done = subprocess.run([BERTH], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("show", ""), ["blog", "shop"]),
        (("keys", "b"), ["blog"]),
        (("apply", "s"), ["shop"]),
        (("status", ""), ["alpha", "bravo", "blog", "shop"]),
        (("doctor", "a"), ["alpha"]),
        (("add", "new", "--host", ""), ["alpha", "bravo"]),
        (("add", "new", "--architecture", "i"), ["isolated"]),
        (("convert", "blog", "--to", ""), ["shared", "isolated"]),
        (("convert", "blog", "--database", "d"), ["dedicated"]),
        (("logs", "blog", "--service", ""), ["rest", "auth", "gateway", "postgres"]),
        (("logs", "--service", "m"), ["meta"]),
        (("logs", "shop", "--service", "m"), ["meta"]),
        (("domains", "remove", "blog", ""), ["blog.example.com", "www.example.com"]),
        (("domains", "remove", "blog", "blog.example.com", ""), ["www.example.com"]),
        (("domains", "rename", "blog", "w"), ["www.example.com"]),
        (("secrets", "set", "blog", "smtp"), ["smtp_password"]),
    ],
)
def test_values_are_proposed(environment: Path, words: tuple[str, ...], expected: list[str]) -> None:
    assert proposed(environment, *words) == expected


def test_inventory_that_is_named_counts(environment: Path, tmp_path: Path) -> None:
    assert proposed(tmp_path / "none", "show", "--inventory", str(environment), "b") == ["blog"]
    words = ("logs", "--inventory", str(environment), "shop", "--service", "")
    assert "meta" in proposed(tmp_path / "none", *words)


def test_dynamic_inventory_is_not_run(environment: Path) -> None:
    script = environment / "dynamic.yml"
    script.write_text(f"#!/bin/sh\ntouch {environment}/was-run\necho 'a: ['\n")
    script.chmod(0o755)
    (environment / "cloud.yml").write_text("plugin: hetzner.hcloud.hcloud\n")
    (environment / "projects/wiki.yml").write_text("name: wiki\nhost: from-the-cloud\ndomains: [\n")
    (environment / "projects/shop.yml").write_text("name: shop\nhost: from-the-cloud\n")
    assert proposed(environment, "add", "new", "--host", "") == ["alpha", "bravo", "from-the-cloud"]
    assert proposed(environment, "domains", "remove", "blog", "b") == ["blog.example.com"]
    assert not (environment / "was-run").exists()


def test_ansible_is_not_loaded(environment: Path) -> None:
    script = (
        "import sys\nfrom berth.cli import completing\n"
        "class Line: params, args = {'name': 'blog'}, []\n"
        "for read in (completing.hosts_and_projects, completing.domains, completing.services): read(Line(), '')\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('ansible', 'ansible_runner')])"
    )
    variables = os.environ | {"BERTH_INVENTORY": str(environment)}
    done = subprocess.run(
        [BERTH.with_name("python"), "-c", script], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("words", [("show", ""), ("status", ""), ("domains", "remove", "none", "")])
def test_what_cannot_be_read_proposes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "hosts.yml").write_text("berth_hosts: [")
    assert proposed(tmp_path, *words) == []
