"""A plan names the projects that may feel it: those that use what would change, and none beside one project."""

import pytest

from berth.models import Project
from berth.neighbours import felt_by
from berth.run_events import Change

DECLARED = [
    Project(name="blog", number=1, host="alpha", architecture="shared"),
    Project(name="shop", number=2, host="alpha", architecture="isolated"),
    Project(name="wiki", number=3, host="bravo", architecture="shared"),
]


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("postgres", ["blog", "shop"]),
        ("nginx", ["blog", "shop"]),
        ("rest", ["blog"]),
        ("isolated", ["shop"]),
        ("project", []),
        ("", []),
    ],
)
def test_role_is_felt_by_those_that_use_it_on_that_host(role: str, names: list[str]) -> None:
    assert felt_by([Change("alpha", "Ensure it", (), role)], None, DECLARED) == {"alpha": names}


def test_changes_of_a_host_count_together() -> None:
    changes = [Change("alpha", "Ensure it", (), "rest"), Change("alpha", "Ensure it", (), "isolated")]
    assert felt_by(changes, None, DECLARED) == {"alpha": ["blog", "shop"]}


def test_plan_of_one_project_is_felt_by_no_other() -> None:
    assert felt_by([Change("alpha", "Ensure it", (), "postgres")], "shop", DECLARED) == {"alpha": []}
