"""What a run of the playbooks changes, and what stops it before it changes anything."""

import re
import shutil
from contextlib import contextmanager

import pytest
import yaml


@contextmanager
def edited(fleet, name, **changes):
    """Has a changed declaration in the fleet's inventory as long as the block runs."""
    path = fleet.inventory / "projects" / f"{name}.yml"
    before = path.read_text()
    path.write_text(yaml.safe_dump({**yaml.safe_load(before), **changes}, sort_keys=False))
    try:
        yield path
    finally:
        path.write_text(before)


@contextmanager
def added(fleet, stem, declaration):
    """Has one more file in projects/ as long as the block runs."""
    path = fleet.inventory / "projects" / f"{stem}.yml"
    path.write_text(yaml.safe_dump(declaration, sort_keys=False))
    try:
        yield path
    finally:
        path.unlink()


def limit_of(fleet, database):
    """Returns how many connections a database of trixie takes."""
    query = "SELECT datconnlimit FROM pg_database WHERE datname = :'name'"
    return fleet.on("trixie", f"psql -U supabase_admin -d postgres -At -v name={database}", stdin=query)


def test_check_mode_on_bare_hosts_passes(fleet):
    if fleet.bare_check is None:
        pytest.skip("the fleet was kept from an earlier run: its hosts were not bare")
    assert fleet.bare_check.returncode == 0, "\n".join(fleet.bare_check.output.splitlines()[-60:])
    assert fleet.bare_check.changed > 0


def test_one_project_is_changed_alone(fleet, gateway):
    with edited(fleet, "one", limits={"connections": 33, "requests_per_second": 5000}):
        other = fleet.succeed("project.yml", "-e", "project=two-words")
        assert (other.changed_tasks, limit_of(fleet, "one")) == ([], "20")
        run = fleet.succeed("project.yml", "-e", "project=one", "--check", "--diff")
        assert run.changed == 1
        assert 'ALTER DATABASE "one" CONNECTION LIMIT 33' in run.output
        assert limit_of(fleet, "one") == "20"
        assert fleet.succeed("project.yml", "-e", "project=one").changed == 1
        assert limit_of(fleet, "one") == "33"
    assert fleet.succeed("project.yml", "-e", "project=one").changed == 1
    assert limit_of(fleet, "one") == "20"


GOOD = {"name": "extra", "number": 90, "host": "trixie", "architecture": "shared"}
BAD = {
    "name": ({"name": "Extra"}, ["name", "'Extra'", "2 to 24 of a-z"]),
    "host": ({"host": "mars"}, ["host", "'mars'", "trixie"]),
    "number": ({"number": 1}, ["number", "1", "one.yml"]),
    "domain": ({"domains": ["one.localhost"]}, ["domains", "'one.localhost'", "one.yml"]),
    "key": ({"idle_timout": "5min"}, ["idle_timout", "idle_timeout"]),
    "type": ({"limits": {"connections": "many"}}, ["limits.connections", "'many'", "whole number from 5 to 500"]),
}


@pytest.mark.parametrize("label", BAD)
def test_bad_declaration_stops_the_run_before_any_host_is_touched(fleet, label):
    changes, words = BAD[label]
    with added(fleet, "extra", {**GOOD, **changes}):
        run = fleet.play("site.yml")
    assert run.returncode != 0
    assert re.findall(r"^TASK \[([^\]]+)\]", run.output, re.MULTILINE) == ["Require sound declarations"]
    assert run.changed == 0
    for word in ["projects/extra.yml", *words]:
        assert word in run.output


def test_isolated_project_on_debian_12_is_refused_before_anything_changes(fleet):
    with added(fleet, "extra", {**GOOD, "host": "bookworm", "architecture": "isolated"}):
        for arguments in (("site.yml", "--limit", "bookworm"), ("project.yml", "-e", "project=extra")):
            run = fleet.play(*arguments)
            assert run.returncode != 0
            assert run.changed == 0
            for word in ("extra with architecture isolated on", "has no Quadlet", "architecture: shared"):
                assert word in re.sub(r"\s+", " ", run.output), run.output[-2000:]
    (fleet.inventory / "secrets" / "extra.yml").unlink(missing_ok=True)


def test_unknown_project_is_refused_with_those_that_exist(fleet):
    run = fleet.play("project.yml", "-e", "project=nobody")
    assert run.returncode != 0
    assert "'nobody'" in run.output
    assert "two-words" in run.output
    assert run.changed == 0


def test_host_that_cannot_be_reached_does_not_stop_the_others(fleet, tmp_path):
    inventory = tmp_path / "inventory"
    shutil.copytree(fleet.inventory, inventory)
    hosts = yaml.safe_load((inventory / "hosts.yml").read_text())
    away = {"ansible_host": "10.88.0.99", "ansible_ssh_timeout": 2, "ansible_ssh_retries": 0}
    hosts["berth_hosts"]["children"]["local_hosts"]["hosts"]["away"] = away
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
    run = fleet.play("site.yml", "-i", str(inventory), "--limit", "away,bookworm")
    assert run.stats["away"]["unreachable"] == 1
    assert (run.stats["bookworm"]["failed"], run.stats["bookworm"]["ok"] > 50) == (0, True)


def test_missing_artifact_names_every_source_and_changes_nothing(fleet, gateway, tmp_path):
    sources = [{"kind": "archive", "url": f"file://{tmp_path}/{name}.tar.gz", "sha256": "0" * 64} for name in "ab"]
    catalogue = {"services": {"rest": {"versions": {"9.9.9": {"linux-x86_64": {"sources": sources}}}}}}
    (tmp_path / "catalogue.yml").write_text(yaml.safe_dump(catalogue))
    arguments = ("-e", "rest_version=9.9.9", "--limit", "bookworm", "--tags", "rest")
    run = fleet.play("site.yml", *arguments, BERTH_CATALOGUE=str(tmp_path / "catalogue.yml"))
    assert run.returncode != 0
    for name in "ab":
        assert f"{tmp_path}/{name}.tar.gz" in run.output.replace("\n        ", "")
    assert fleet.on("bookworm", "readlink /opt/berth/rest/current") == "12.0.2"
    assert gateway.ask(fleet.project("twelve"), "/rest/v1/marks", key=fleet.project("twelve").anon_key).is_success


def test_bad_configuration_of_nginx_never_replaces_the_good_one(fleet, gateway):
    project = fleet.project("twelve")
    fleet.on(
        "bookworm",
        "mkdir -p /etc/nginx/berth/projects/broken; echo nonsense > /etc/nginx/berth/projects/broken/upstream.conf",
    )
    try:
        with edited(fleet, "twelve", limits={"requests_per_second": 4999}):  # of interest to nginx alone
            run = fleet.play("project.yml", "-e", "project=twelve")
        assert run.returncode != 0
        assert "the old ones stay" in run.output.replace("\n        ", " ")
        assert "rate=5000r/s" in fleet.on("bookworm", "cat /etc/nginx/berth/projects/twelve/upstream.conf")
        assert gateway.ask(project, "/rest/v1/marks", key=project.anon_key).is_success
    finally:
        fleet.on("bookworm", "rm -r /etc/nginx/berth/projects/broken")
    fleet.succeed("project.yml", "-e", "project=twelve")
    assert fleet.succeed("project.yml", "-e", "project=twelve").changed == 0
