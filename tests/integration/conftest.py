"""Fixtures of the tests on local hosts."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from fleet import Fleet, Project
from fleet.commands import Berth
from fleet.content import fill, sign_in
from fleet.gateway import Gateway
from fleet.newcomers import declare, forget, holdings
from fleet.secrecy import CANARY, CommandLines, secrets_of
from fleet.services import put_to_sleep

FILLED = ("one", "two-words", "three", "awake", "apart", "aside", "alone", "twelve")


@pytest.fixture(scope="session")
def gateway(fleet: Fleet) -> Iterator[Gateway]:
    """Give a client of the gateways, with which projects that tell their names are already filled."""
    gateway = Gateway(fleet)
    with gateway.client:
        for name in FILLED:
            fill(gateway, fleet.project(name))
        yield gateway


@pytest.fixture(scope="session")
def token(gateway: Gateway, fleet: Fleet) -> Callable[[str], str]:
    """Give a function that returns an access token of the user of the project of a name."""
    return lambda name: sign_in(gateway, fleet.project(name))


@pytest.fixture
def sleeper(gateway: Gateway, fleet: Fleet) -> Project:
    """Give a project that sleeps, and sleeps on until it is asked: its idle timeout is long."""
    project = fleet.project("two-words")
    put_to_sleep(fleet, project)
    return project


@pytest.fixture(scope="session")
def berth(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Berth:
    """Give the command, with logs of its own."""
    return Berth(fleet, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def newcomer(fleet: Fleet) -> Iterator[SimpleNamespace]:
    """Give a project that `project.yml --diff -vvv` added undisturbed: run, command lines meanwhile, holdings."""
    name, host, number = "newcomer", "bookworm", 20
    forget(fleet, name)
    project = declare(fleet, name, number, host)
    with CommandLines([*secrets_of(fleet, name), CANARY]) as watched:
        fleet.on(host, f"sh -c 'sleep 1; :' {CANARY}")
        run = fleet.succeed("project.yml", "-e", f"project={name}", "--diff", "-vvv")
    yield SimpleNamespace(project=project, run=run, watched=watched, holdings=holdings(fleet, project, number))
    forget(fleet, name)
