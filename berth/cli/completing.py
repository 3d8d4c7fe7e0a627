"""What the shell proposes for arguments: from the environment; no host is asked, mistakes say nothing."""

from collections.abc import Callable, Iterable
from pathlib import Path

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


def _projects(ctx: typer.Context) -> list[str]:
    from berth.inventory import directory_of

    return sorted(found.stem for found in (directory_of(_path(ctx)) / "projects").glob("[!.]*.yml"))


def _hosts(ctx: typer.Context) -> list[str]:
    from berth.inventory import Environment

    return list(Environment(_path(ctx)).hosts)


def _domains(ctx: typer.Context) -> list[str]:
    from berth.cli.common import place

    given = set(ctx.params.get("domain") or ())
    return [
        name
        for name in place(ctx.params.get("inventory")).store.project(ctx.params["name"]).domains
        if name not in given
    ]


def _services(_ctx: typer.Context) -> Iterable[str]:
    from berth.logs import SERVICES_ISOLATED

    return SERVICES_ISOLATED


def _secrets(_ctx: typer.Context) -> Iterable[str]:
    from berth.auth_secrets import NAMES

    return NAMES


def _architectures(_ctx: typer.Context) -> Iterable[str]:
    from berth.conversions import ARCHITECTURES

    return ARCHITECTURES


def _databases(_ctx: typer.Context) -> Iterable[str]:
    from berth.conversions import DATABASES

    return DATABASES


projects, hosts, domains, services, secrets = map(_proposing, (_projects, _hosts, _domains, _services, _secrets))
hosts_and_projects = _proposing(lambda ctx: [*_hosts(ctx), *_projects(ctx)])
architectures, databases = map(_proposing, (_architectures, _databases))
