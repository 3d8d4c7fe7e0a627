"""Fixtures for tests on local hosts: a fleet that is made once per run, and its projects."""

import os
from collections.abc import Iterator

import pytest
from background_ui import BackgroundUi, free_port
from fleet import Fleet, Project
from fleet.fleet import FLEET
from fleet.lock import FleetTaken, take


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """Give the local hosts of tests/fleet, configured by site.yml; they are removed at the end."""
    try:
        take(FLEET)
    except FleetTaken as taken:
        pytest.exit(str(taken), returncode=2)
    fleet = Fleet()
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()


@pytest.fixture(scope="session", params=["one", "apart", "alone"])
def project(fleet: Fleet, request: pytest.FixtureRequest) -> Project:
    """Give the projects that the client suites use: shared, isolated, isolated with a dedicated database."""
    return fleet.project(request.param)


@pytest.fixture(scope="session")
def ui(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundUi]:
    """Give the web UI over the fleet, with its worker, just as `make demo` runs it; measures once in an hour."""
    directory = tmp_path_factory.mktemp("ui")
    ui = BackgroundUi(directory, fleet.inventory, free_port(), minutes=60)
    try:
        ui.start({**os.environ, **fleet.environment, "XDG_STATE_HOME": str(directory)})
        yield ui
    finally:
        ui.end()
