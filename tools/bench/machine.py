"""The machine and the versions that figures belong to."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.host import HOST, NAME, BenchHost

BUSY_SHARE = 0.25


def load_before() -> float:
    """Return the average load of the last minute, to be read before anything is measured."""
    return os.getloadavg()[0]


def describe(host: BenchHost, load: float) -> dict[str, str]:
    """Return what a reader must know to compare the figures, by name; load is that of the machine before the run."""
    cores = len(os.sched_getaffinity(0))
    installed = {service: Path(host.shell(f"readlink -f /opt/berth/{service}/current")).name for service in SERVICES}
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Machine": f"{cores} cores ({_processor()}), {_memory_gib():.0f} GiB, Linux {platform.release()}",
        "Controller": f"Python {platform.python_version()}, ansible-core {version('ansible-core')}, same machine",
        "Host": f"{host.shell('. /etc/os-release; echo $PRETTY_NAME')}, systemd-nspawn, all cores, shown as 8192 MB",
        "Versions": ", ".join(
            [
                f"PostgreSQL {_number(host.shell('psql --version'))}",
                f"nginx {_number(host.shell('nginx -v 2>&1'))}",
                *(f"{SERVICES[service]} {found}" for service, found in installed.items()),
            ]
        ),
        "Other work": f"load {load:.2f} before the run" + (PROVISIONAL if load > BUSY_SHARE * cores else ""),
        "Other local hosts": ", ".join(other_hosts()) or "none",
    }


SERVICES = {"rest": "PostgREST", "auth": "GoTrue"}
PROVISIONAL = ": the machine was not idle, so these figures are provisional"


def other_hosts() -> list[str]:
    """Return the names of the local hosts that were there beside the one measured."""
    machines = Path(HOST["local_host_directory"], "machines")
    return sorted(path.name for path in machines.glob("[!.]*/") if path.name != NAME)


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def _number(printed: str) -> str:
    found = re.search(r"\d+(\.\d+)+", printed)
    return found[0] if found else printed
