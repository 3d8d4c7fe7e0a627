"""Fixtures of the tests on local hosts."""

from collections.abc import Callable, Iterator

import pytest
from fleet import Fleet, Project
from fleet.content import fill, sign_in
from fleet.gateway import Gateway
from fleet.services import put_to_sleep

FILLED = ("one", "two-words", "three", "awake", "twelve")


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
