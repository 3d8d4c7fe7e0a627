"""The hosts that the YAML files of an inventory name, without Ansible: at once, and no dynamic inventory is run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from berth.inventory import GROUP
from berth.yaml_files import InvalidYaml, read_shape


def hosts_in(inventory: Path) -> set[str]:
    """The hosts of the group berth_hosts and of the groups below it; files that cannot be read name none."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for source in sorted(inventory.glob("[!.]*.y*ml")) if inventory.is_dir() else [inventory]:
        try:
            _gather(read_shape(source), groups)
        except InvalidYaml:
            continue
    # a name with a bracket stands for several
    return {name for name in _below(GROUP, groups) if "[" not in name}


def _gather(found: object, groups: dict[str, list[dict[str, Any]]]) -> None:
    for name, group in found.items() if isinstance(found, dict) else ():
        if isinstance(group, dict):
            groups.setdefault(name, []).append(group)
            _gather(group.get("children"), groups)


def _below(name: str, groups: dict[str, list[dict[str, Any]]], above: tuple[str, ...] = ()) -> Iterator[str]:
    for group in groups.get(name, []):
        yield from _names(group.get("hosts"))
        for child in _names(group.get("children")):
            if child not in above:
                yield from _below(child, groups, (*above, name))


def _names(found: object) -> list[str]:
    return [name for name in found if isinstance(name, str)] if isinstance(found, dict) else []
