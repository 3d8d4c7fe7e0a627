"""Commands that only tell: list, show, hosts."""

from typing import Any

import typer

from berth.cli.capacity import CAPACITY_HEADINGS, capacity_cells, last_accounts
from berth.cli.common import Inventory, Json, Name, place, print_json, print_table, told_in_one_line


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("list")(list_projects)
    app.command("show")(show_project)
    app.command("hosts")(list_hosts)


def list_projects(inventory: Inventory = None, as_json: Json = False) -> None:
    """Show every declared project with its host and its addresses."""
    with told_in_one_line():
        here = place(inventory)
        rows = [here.row(project) for project in here.store.load().values()]
    if as_json:
        print_json(rows)
        return
    cells = [[row["name"], row["host"], row["architecture"], row["state"], "\n".join(row["urls"])] for row in rows]
    print_table(["Project", "Host", "Architecture", "State", "Addresses"], cells)


def show_project(name: Name, inventory: Inventory = None, as_json: Json = False) -> None:
    """Show a project's declaration with all defaults, and what follows from it."""
    from berth.host_projects import derived

    with told_in_one_line():
        here = place(inventory)
        project = here.store.project(name)
        values = derived(project, here.environment.hosts[project.host])
    if as_json:
        print_json(values)
        return
    lines = _flat(values)
    width = max(map(len, lines))
    for key, value in lines.items():
        typer.echo(f"{key:<{width}}  {value}")


def list_hosts(inventory: Inventory = None, as_json: Json = False) -> None:
    """Show every host with its addresses, the guidance, what was measured last and what still fits."""
    with told_in_one_line():
        here = place(inventory)
        projects = list(here.store.load().values())
        accounts = last_accounts(here, projects)
        rows = [
            {
                "name": host.name,
                "public_url": host.public_url,
                "database_address": host.database_address,
                "memory_mb": host.memory_mb,
                "projects": [project.name for project in projects if project.host == host.name],
                "capacity": accounts[host.name].model_dump(mode="json") if host.name in accounts else None,
            }
            for host in here.environment.hosts.values()
        ]
    if as_json:
        print_json(rows)
        return
    cells = [
        [row["name"], row["public_url"], str(len(row["projects"])), *capacity_cells(accounts.get(row["name"]))]
        for row in rows
    ]
    print_table(["Host", "Gateway", "Projects", *CAPACITY_HEADINGS], cells)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    lines: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            lines |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            lines[prefix + key] = ", ".join(map(str, value)) or "none"
        else:
            lines[prefix + key] = (
                "none" if value is None else str(value).lower() if value in (True, False) else str(value)
            )
    return lines
