"""What the shell proposes for arguments: from files of the environment; nothing is run, mistakes say nothing."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from berth.errors import BerthError

Proposals = Callable[[typer.Context, str], list[str]]


def _proposing(read: Callable[[typer.Context], Iterable[str]]) -> Proposals:
    def propose(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return [word for word in read(ctx) if word.startswith(incomplete)]
        except (BerthError, OSError):
            return []

    return propose


def _path(ctx: typer.Context) -> Path:
    from berth.inventory import find_inventory

    return find_inventory(ctx.params.get("inventory"))


def _declarations(ctx: typer.Context) -> dict[str, Path]:
    from berth.inventory import directory_of

    return {found.stem: found for found in sorted((directory_of(_path(ctx)) / "projects").glob("[!.]*.yml"))}


def _hosts(ctx: typer.Context) -> list[str]:
    from berth.inventory_files import hosts_in

    names = set(hosts_in(_path(ctx)))
    names.update(_shape(declared).get("host") for declared in _declarations(ctx).values())
    return sorted(name for name in names if isinstance(name, str))


def _domains(ctx: typer.Context) -> Iterator[str]:
    given = set(ctx.params.get("domain") or ())
    return (name for name in _named(ctx).get("domains") or () if name not in given)


def _services(ctx: typer.Context) -> Iterable[str]:
    from berth.logs import services_of

    return services_of(_named(ctx).get("architecture", "isolated"))


def _named(ctx: typer.Context) -> dict[str, Any]:
    """The declaration of the project in the line; empty where there is none."""
    # while the value of an option is missing, arguments are not told apart yet
    name = ctx.params.get("name") or next(iter(ctx.args), "")
    found = _declarations(ctx).get(name)
    return _shape(found) if found else {}


def _shape(path: Path) -> dict[str, Any]:
    from berth.yaml_files import InvalidYaml, read_shape

    try:
        return read_shape(path)
    except InvalidYaml:
        return {}


def _secrets(_ctx: typer.Context) -> Iterable[str]:
    from berth.auth_secrets import NAMES

    return NAMES


def _architectures(_ctx: typer.Context) -> Iterable[str]:
    from berth.conversions import ARCHITECTURES

    return ARCHITECTURES


def _databases(_ctx: typer.Context) -> Iterable[str]:
    from berth.conversions import DATABASES

    return DATABASES


projects, hosts, domains, services, secrets = map(_proposing, (_declarations, _hosts, _domains, _services, _secrets))
hosts_and_projects = _proposing(lambda ctx: [*_hosts(ctx), *_declarations(ctx)])
architectures, databases = map(_proposing, (_architectures, _databases))
