"""Removal of an isolated project: none of its containers, networks, units, files and its PostgreSQL is left."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from fleet import Fleet, Project
from fleet.commands import Berth
from fleet.content import fill, mark
from fleet.gateway import Gateway
from fleet.listing import listing
from fleet.newcomers import forget
from fleet.traffic import Traffic

NAME, HOST, NEIGHBOUR = "own-guest", "trixie", "apart"


@pytest.fixture(scope="module")
def removed(fleet: Fleet, gateway: Gateway, berth: Berth) -> Iterator[SimpleNamespace]:
    """Give what was seen while an isolated project was added, filled and removed beside another one."""
    before = listing(fleet, HOST, NAME)
    try:
        with Traffic(gateway, fleet.project(NEIGHBOUR)) as beside:
            told = berth.answer(
                "add", NAME, "--host", HOST, "--architecture", "isolated", "--database", "dedicated", "--json"
            )
            keys = berth.answer("keys", NAME, "--json")
            known = {key: keys[key] for key in ("anon_key", "service_role_key", "db_url")}
            named = Project(name=NAME, host=HOST, urls=told["project"]["urls"], cluster=fleet.cluster(NAME), **known)
            project = fleet.reachable(named)
            fill(gateway, project)
            had, said = listing(fleet, HOST, NAME), mark(gateway, project)
            berth.answer("remove", NAME, "--yes", "--json")
        yield SimpleNamespace(before=before, had=had, said=said, after=listing(fleet, HOST, NAME), beside=beside)
    finally:
        forget(fleet, NAME)


def test_project_had_what_is_looked_for(removed: SimpleNamespace) -> None:
    new = set(removed.had) - set(removed.before)
    for line in ("berth-rest-own-guest", "berth-auth-own-guest", "berth-meta-own-guest", "berth-own-guest"):
        assert line in new
    for line in ("directory /etc/postgresql/17/berth_own_guest", "directory /var/lib/postgresql/17/berth_own_guest"):
        assert line in new
    for path in ("systemd/berth-own-guest.network", "system/berth-own_guest.slice", "system/berth-rest-wake@own-guest"):
        assert [line for line in new if path in line], path
    assert removed.said == NAME


def test_host_is_as_it_was_before_the_project_came(removed: SimpleNamespace) -> None:
    assert sorted(set(removed.after) ^ set(removed.before)) == []


def test_isolated_neighbour_misses_no_request(removed: SimpleNamespace) -> None:
    assert removed.beside.failures == {}
    assert removed.beside.answers["right"] > 50
