"""The command that measures: status."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth.cli import completing
from berth.cli.common import (
    RUN_FAILED,
    Inventory,
    Json,
    Place,
    ShowPlaybook,
    place,
    print_json,
    print_table,
    tell,
    told_in_one_line,
)
from berth.cli.converge import show_line
from berth.cli.run import progress_of_reading

if TYPE_CHECKING:
    from berth.status import HostStatus, Measurement, ProjectStatus

HostOrName = Annotated[
    str | None,
    typer.Argument(
        metavar="HOST or NAME",
        help="Host, or name of a project; without it all.",
        show_default=False,
        autocompletion=completing.hosts_and_projects,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("status")(status)


def status(
    ctx: typer.Context,
    subject: HostOrName = None,
    inventory: Inventory = None,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Measure hosts and projects, and show what they use and how they are; wakes nobody."""
    from berth.playbooks import measure_hosts

    with told_in_one_line():
        here = place(inventory)
        hosts, name = resolve(here, subject)
        if show_playbook:
            show_line(measure_hosts(here.inventory, hosts), as_json)
            return
        found = measured(ctx, here, hosts)
    if as_json:
        print_json(_as_json(found, name))
    elif name:
        for host in found.hosts:
            _print_project(host, name)
    else:
        _print_hosts(found)
        _print_projects(found)
    for host, reason in found.down.items():
        tell(f"host {host} did not answer: {reason}")
    if found.down:
        raise typer.Exit(RUN_FAILED)


def resolve(here: Place, subject: str | None) -> tuple[tuple[str, ...], str | None]:
    """The hosts to ask, none for all, and the project where one was named; raise BerthError."""
    from berth.cli.questions import BadInput

    projects, hosts = here.store.load(), here.environment.hosts
    if subject is None:
        return (), None
    if subject in hosts:
        return (subject,), None
    if subject in projects:
        return (projects[subject].host,), subject
    known = f"hosts {', '.join(hosts)}; projects {', '.join(projects) or 'none yet'}"
    raise BadInput(f"found {subject!r}, allowed: a host or a project ({known}); correct the name")


def measured(ctx: typer.Context, here: Place, hosts: tuple[str, ...]) -> "Measurement":
    """Measure hosts and keep the samples; end with code 1 when that is interrupted.

    A sample that cannot be kept is told of and no error.
    """
    from berth.measure import measure
    from berth.samples import Samples, SamplesError

    declared = here.store.load().values()
    with progress_of_reading() as on_step:
        found = measure(ctx.obj, here.inventory, declared, hosts, on_step)
    samples = Samples(here.environment.directory)
    try:
        samples.keep(found, declared)
    except SamplesError as error:
        tell(f"{error} (this measurement is not kept)")
    return found


def _as_json(found: "Measurement", name: str | None) -> dict[str, Any]:
    told = found.model_dump(mode="json")
    if name:
        for host in told["hosts"]:
            host["projects"] = [project for project in host["projects"] if project["name"] == name]
    return told


def _print_hosts(found: "Measurement") -> None:
    from berth.quantities import size, span

    rows = []
    for host in found.hosts:
        disk = min(host.disks, key=lambda disk: disk.free_bytes / max(disk.total_bytes, 1), default=None)
        services = {service.name: service for service in host.services}
        shared = [service for name, service in services.items() if name not in ("postgres", "nginx")]
        rows.append(
            [
                host.name,
                f"{size(host.memory_used_bytes)} of {size(host.memory_total_bytes)}",
                size(host.system_bytes),
                *(size(services[name].held_bytes) if name in services else "" for name in ("postgres", "nginx")),
                size(sum(service.held_bytes for service in shared)),
                size(sum(project.held_bytes for project in host.projects)),
                f"{host.load[0]:.2f} of {host.cpus}",
                f"{size(disk.free_bytes)} of {size(disk.total_bytes)}" if disk else "",
                f"{host.postgres.connections} of {host.postgres.max_connections}" if host.postgres else "no answer",
                span(host.uptime_seconds),
            ]
        )
    rows += [[host, "no answer", *[""] * 9] for host in found.down]
    headings = ["Host", "Memory used", "System", "PostgreSQL", "nginx", "Shared", "Projects", "Load", "Disk free"]
    print_table([*headings, "Connections", "Up"], rows)


def _print_projects(found: "Measurement") -> None:
    rows = [_row(host, project) for host in found.hosts for project in host.projects]
    if rows:
        typer.echo()
        headings = ["Project", "Host", "Architecture", "State", "Memory", "Peak", "CPU", "Connections", "Database"]
        print_table([*headings, "Requests", "Last request"], rows)
    _print_methods(found.hosts)


def _row(host: "HostStatus", project: "ProjectStatus") -> list[str]:
    from berth.quantities import ago, size

    return [
        project.name,
        host.name,
        project.architecture,
        project.state,
        size(project.memory_bytes),
        size(project.peak_bytes),
        f"{project.cpu_seconds:.1f} s",
        f"{project.connections} of {project.connection_limit}",
        size(project.database_bytes),
        f"{project.traffic.requests_per_minute:g}/min",
        ago(project.traffic.last_request, host.measured_at),
    ]


def _print_project(host: "HostStatus", name: str) -> None:
    from berth.quantities import size

    project = host.project(name)
    headings = ["Project", "Host", "Architecture", "State", "Memory", "Peak", "CPU", "Connections", "Database"]
    print_table([*headings, "Requests", "Last request"], [_row(host, project)])
    typer.echo()
    rows = [
        [
            service.name,
            service.state,
            size(service.memory_bytes),
            size(service.peak_bytes),
            f"{service.cpu_seconds:.1f} s",
            str(service.processes),
        ]
        for service in project.services
    ]
    print_table(["Service", "State", "Memory", "Peak", "CPU", "Processes"], rows)
    _print_methods([host])


def _print_methods(hosts: "list[HostStatus] | tuple[HostStatus, ...]") -> None:
    from berth.status import METHODS

    for method in sorted({host.method for host in hosts}):
        names = ", ".join(host.name for host in hosts if host.method == method)
        typer.echo(f"Memory of {names}: {METHODS[method]}.")
