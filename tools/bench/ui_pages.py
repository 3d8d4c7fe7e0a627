"""How fast the pages of the web UI are with many hosts and projects."""

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import yaml
from background_ui import BackgroundUi, free_port
from measured import report, shared, unit

from bench.errors import NotMeasured
from bench.figures import Figure, percentile
from bench.ui_client import logged_in, memory_mib
from berth.models import Project
from berth.samples import Samples
from berth.status import Measurement, host_status

HOSTS, PROJECTS, SAMPLES = 50, 2000, 24
LOADS, MEASUREMENTS = 40, 10
PAGES = {
    "hosts": "/",
    "projects": "/projects",
    "a search in projects": "/projects?q=p19",
    "a host": "/hosts/h07",
    "a project": "/projects/p0007",
    "add a project": "/projects/new",
    "runs": "/runs",
}
TARGET_MS = 200.0


def figures(directory: Path) -> list[Figure]:
    """Return the 95th percentile of each page in ms, and the memory of the web server afterwards."""
    shutil.rmtree(directory, ignore_errors=True)
    inventory = make(directory / "inventory")
    ui = BackgroundUi(directory / "ui", inventory, free_port(), pages_only=True)
    method = f"{HOSTS} measured hosts, {PROJECTS:,} projects: {LOADS} loads over loopback, one after the other"
    found = []
    try:
        ui.start()
        client = logged_in(ui)
        for name, path in PAGES.items():
            times = [load(client, path) for _ in range(LOADS + 1)][1:]
            target = TARGET_MS if name == "hosts" else None
            found.append(Figure(f"Page of the UI, {name}, 95 %", percentile(times, 95), "ms", method, target))
        times = [_first_after(client, inventory, number) for number in range(MEASUREMENTS)]
        how = f"{HOSTS} hosts, {PROJECTS:,} projects: {MEASUREMENTS} loads, each after a new measurement of all hosts"
        name = "Page of the UI, hosts, first after a measurement, 95 %"
        found.append(Figure(name, percentile(times, 95), "ms", how, TARGET_MS))
        memory = memory_mib(ui, "web")
    finally:
        ui.remove()
    return [*found, Figure("Memory of the UI's web server", memory, "MiB", f"PSS after these loads; {method}")]


def load(client: httpx.Client, path: str) -> float:
    """Return the ms of one page; NotMeasured when it is not there."""
    began = time.perf_counter()
    answer = client.get(path)
    taken = (time.perf_counter() - began) * 1000
    if answer.status_code != httpx.codes.OK:
        raise NotMeasured(f"{path}: answered {answer.status_code}")
    return taken


def _first_after(client: httpx.Client, inventory: Path, shift: int) -> float:
    at, projects = datetime.now(UTC), declared()
    found = tuple(host_status(host, told(mine, at, shift), mine) for host, mine in projects.items())
    everything = [project for mine in projects.values() for project in mine]
    Samples(inventory).keep(Measurement(hosts=found, down={}), everything)
    return load(client, "/")


def declared() -> dict[str, list[Project]]:
    """Return the projects by host."""
    found: dict[str, list[Project]] = {f"h{number:02}": [] for number in range(HOSTS)}
    names = list(found)
    for number in range(1, PROJECTS + 1):
        host = names[number % HOSTS]
        found[host].append(Project(name=f"p{number:04}", number=number, host=host, architecture="shared"))
    return found


def make(inventory: Path) -> Path:
    """Return an inventory of many hosts that were measured for a day, and many projects."""
    (inventory / "projects").mkdir(parents=True)
    hosts = declared()
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"berth_hosts": {"hosts": {name: {} for name in hosts}}}))
    for project in (project for mine in hosts.values() for project in mine):
        values = {"name": project.name, "number": project.number, "host": project.host, "architecture": "shared"}
        (inventory / "projects" / f"{project.name}.yml").write_text(yaml.safe_dump(values, sort_keys=False))
    samples, now = Samples(inventory), datetime.now(UTC)
    for host, mine in hosts.items():
        for back in range(SAMPLES):
            samples.add(host_status(host, told(mine, now - timedelta(minutes=2 + 15 * back), back), mine))
    return inventory


def told(projects: list[Project], at: datetime, shift: int) -> dict:
    """Return what a host tells, with a quarter of its projects awake."""
    units = [unit("postgresql@17-main.service", mib=600, slice="x"), unit("nginx.service", mib=20)]
    for place, project in enumerate(projects):
        awake = (place + shift) % 4 == 0
        units += shared(project.name, 20 if awake else 0, 12 if awake else 0)
    return report(*units, total_mib=16384, used_mib=2000) | {"measured_at": at.isoformat()}
