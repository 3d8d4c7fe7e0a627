"""What the roles need to know of the projects of one host: derived names, addresses and secrets."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from berth.auth_secrets import AuthSecretError, needed, require
from berth.clusters import HOST_SOCKETS, cluster_of, own_cluster
from berth.declarations import load, projects_directory
from berth.errors import BerthError
from berth.inventory import HostVars
from berth.meta_connection import encrypt
from berth.models import Project
from berth.names import auth_port, bridge_name, database_name, login_role, slice_name, system_user
from berth.project_secrets import ProjectSecrets
from berth.secrets import HostSecrets, SecretStore
from berth.service_keys import service_keys
from berth.urls import project_url, project_urls, site_url


class UnknownProject(BerthError):
    """A project that was asked for and that no file declares."""


@dataclass(frozen=True)
class HostProjects:
    """The projects of one host in the form of the variables of the role project."""

    declared: list[str]
    projects: list[dict[str, Any]]
    secrets: dict[str, dict[str, Any]]
    meta_crypto_key: str


def check(inventory_dir: Path, hosts: Collection[str], only: str | None = None, secrets: bool = True) -> int:
    """The number of sound declarations; raise DeclarationError, or UnknownProject when `only` is not among them."""
    projects = load(inventory_dir, hosts)
    if only and only not in projects:
        known = ", ".join(projects) or "none"
        raise UnknownProject(
            f"project: found {only!r}, allowed: a project declared in {projects_directory(inventory_dir)} ({known}); "
            f"correct the name or add the file {only}.yml"
        )
    if secrets:
        require_secrets(inventory_dir, [projects[only]] if only else projects.values())
    return len(projects)


def require_secrets(inventory_dir: Path, projects: Iterable[Project]) -> None:
    """Return when the vault has what the declarations need; raise AuthSecretError with all that is missing."""
    store = SecretStore(inventory_dir, ephemeral=True)
    problems = []
    for project in projects:
        try:
            if needed(project):
                require(project, store.project(project.name).auth)
        except AuthSecretError as error:
            problems.append(str(error))
    if problems:
        raise AuthSecretError("\n".join(problems))


def of_host(
    inventory_dir: Path,
    hosts: Collection[str],
    host: HostVars,
    store: SecretStore | None,
    only: str | None = None,
    proposed: Mapping[Path, str] | None = None,
) -> HostProjects:
    """The projects of a host, or the only one, with what the store has or makes of secrets; raise BerthError.

    `proposed` holds declarations that count as if they stood in files of that path already.
    """
    there = [project for project in load(inventory_dir, hosts, proposed).values() if project.host == host.name]
    mine = [project for project in there if only in (None, project.name)]
    declared, projects = [project.name for project in there], [derived(project, host) for project in mine]
    if store is None or (only and not mine):
        return HostProjects(declared, projects, secrets={}, meta_crypto_key="")
    host_secrets = store.host(host.name)
    now = datetime.now(UTC)
    secrets = {project.name: store.project(project.name).at(now) for project in mine}
    return HostProjects(
        declared=declared,
        projects=projects,
        secrets={name: for_services(name, values, host_secrets) for name, values in secrets.items()},
        meta_crypto_key=host_secrets.meta_crypto_key,
    )


def derived(project: Project, host: HostVars) -> dict[str, Any]:
    """The declaration with all that follows from it, nothing secret."""
    isolated = project.architecture == "isolated"
    cluster, own = cluster_of(project, host), own_cluster(project)
    return {
        **project.model_dump(mode="json"),
        "database": database_name(project.name),
        "cluster": {**asdict(cluster), "dedicated": cluster.dedicated},
        "own_cluster": {"port": own.port, "socket_directory": own.socket_directory},
        "system_user": system_user(project.name),
        "auth_port": auth_port(project.number),
        "slice": slice_name(project.name) if isolated else "berth.slice",
        "bridge": bridge_name(project.number),
        "idle_timeout": "never" if isolated else project.idle_timeout,
        "url": project_url(project, host),
        "urls": project_urls(project, host),
        "site_url": site_url(project, host),
    }


def for_services(name: str, secrets: ProjectSecrets, host: HostSecrets) -> dict[str, Any]:
    """The secrets as the services take them.

    With them comes the address of the database as postgres-meta takes it: over the socket, as the owner.
    """
    owner, database = login_role(name, "owner"), database_name(name)
    address = f"postgresql://{owner}:{secrets.owner_password}@localhost/{database}?host={HOST_SOCKETS}"
    return {
        **service_keys(secrets.key_sets),
        "owner_password": secrets.owner_password,
        "meta_connection": encrypt(address, host.meta_crypto_key),
        "auth": dict(secrets.auth),
    }
