"""The filter pick."""

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.berth.supabase.plugins.filter.pick import FilterModule

pick = FilterModule().filters()["pick"]
BLOG = {"name": "blog", "limits": {"connections": 5, "deep": {"er": [1]}}}


def test_values_are_picked_by_their_place() -> None:
    wanted = {"database": "name", "connections": "limits.connections", "list": "limits.deep.er"}
    assert pick([BLOG], wanted) == [{"database": "blog", "connections": 5, "list": [1]}]


def test_every_item_gives_one_in_the_same_order() -> None:
    assert pick([{"a": 2}, {"a": 1}], {"b": "a"}) == [{"b": 2}, {"b": 1}]
    assert pick([], {"b": "a"}) == []


def test_values_that_mean_nothing_are_picked_too() -> None:
    assert pick([{"a": None, "b": False}], {"x": "a", "y": "b"}) == [{"x": None, "y": False}]


def test_a_place_that_is_not_there_shows_no_value() -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        pick([{"secret": "hunter2"}], {"x": "secret.deeper"})
    assert "h, u, n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("path", ["nmae", "limits.memory", "name.first", "limits.deep.er.first"])
def test_a_place_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(AnsibleFilterError, match=f"pick: no {path} in the item with the keys "):
        pick([BLOG], {"x": path})
