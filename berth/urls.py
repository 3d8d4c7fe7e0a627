"""Addresses under which people reach a project."""

from urllib.parse import quote, urlsplit

from berth.clusters import cluster_of
from berth.inventory import HostVars
from berth.models import Project
from berth.names import database_name, login_role
from berth.project_secrets import ProjectSecrets


def project_urls(project: Project, host: HostVars) -> list[str]:
    """The API addresses: one for each domain, last the one by path, which always works."""
    base = urlsplit(host.public_url)
    port = f":{base.port}" if base.port else ""
    by_domain = [f"{base.scheme}://{domain}{port}" for domain in project.domains]
    return [*by_domain, f"{host.public_url}/projects/{project.name}"]


def project_url(project: Project, host: HostVars) -> str:
    """The first and best of the project's API addresses."""
    return project_urls(project, host)[0]


def site_url(project: Project, host: HostVars) -> str:
    """Where GoTrue sends people after a link in a mail: the declared site_url, else the project's address."""
    return project.auth.site_url or project_url(project, host)


def database_url(project: Project, host: HostVars, secrets: ProjectSecrets) -> str:
    """The address of the project's database for its owner, password included; a dedicated one has its own port."""
    login = f"{login_role(project.name, 'owner')}:{quote(secrets.owner_password, safe='')}"
    cluster, address = cluster_of(project, host), host.database_address
    if cluster.dedicated:
        address = f"{address.rpartition(':')[0]}:{cluster.port}"
    return f"postgresql://{login}@{address}/{database_name(project.name)}"
