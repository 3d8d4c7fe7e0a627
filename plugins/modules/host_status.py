#!/usr/bin/python
"""Ansible module: what a host and all that runs on it use now."""

DOCUMENTATION = r"""
module: host_status
short_description: Measures a host
description:
  - Measures in one pass memory, CPU, disk, units, databases, connections and traffic of a host of Berth.
  - Changes nothing and wakes no project that sleeps. What cannot be asked, such as a cluster that is down, is told in
    the report and is no failure.
options:
  memory_mb:
    description:
      - Memory of the host in MiB, where it is not what the machine says. What is available is then this less the
        proportional set size of all processes of the host.
    type: int
  port:
    description: Port of the host's cluster, which names its unix socket.
    type: int
    default: 5432
author: The Berth maintainers (@berth)
attributes:
  check_mode:
    support: full
    description: Can run in check mode.
"""

EXAMPLES = r"""
- name: Read what the host has and uses
  berth.supabase.host_status:
  register: measured
"""

RETURN = r"""
report:
  description: The measurements in the form of C(Report) in C(berth/status.py); sizes in bytes.
  type: dict
  returned: always
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.berth.supabase.plugins.module_utils import postgres
from ansible_collections.berth.supabase.plugins.module_utils.consumption import KIB, Cgroups, pairs, read
from ansible_collections.berth.supabase.plugins.module_utils.gateway_log import traffic
from ansible_collections.berth.supabase.plugins.module_utils.units import Systemd

PLACES = [Path(place) for place in ("/", "/var/lib/postgresql", "/var/log", "/opt/berth")]
LOGS = Path("/var/log/nginx/berth")
UNIT_FILES = Path("/etc/systemd/system")
OWN_CLUSTERS = Path("/run/berth/postgres")
OF_NO_PROJECT = ("unknown",)
PROPERTIES = ("LoadState", "ActiveState", "SubState", "Slice", "ControlGroup")


def is_ours(name, unit):
    """Returns whether a unit belongs to Berth: by its name, or by the slice that it runs in."""
    return name.startswith(("berth-", "postgresql@", "nginx.")) or unit.get("Slice", "").startswith("berth")


def unit_status(name, unit, cgroups):
    """Returns how a unit is and what it uses."""
    states = {"name": name, "active": unit["ActiveState"], "sub": unit["SubState"], "slice": unit.get("Slice", "")}
    return states | cgroups.usage(unit.get("ControlGroup", ""))


def memory(cgroups, memory_mb):
    """Returns the total memory of the host and what of it is available."""
    fields = pairs(read(Path("/proc/meminfo")))
    if memory_mb is None:
        total, available = int(fields["MemTotal:"]) * KIB, int(fields["MemAvailable:"]) * KIB
    else:
        total = memory_mb * KIB * KIB
        available = max(total - cgroups.pss_of_all(), 0)
    return {"memory_total_bytes": total, "memory_available_bytes": available}


def disks():
    """Returns the file systems that Berth has files on, each once."""
    found = {}
    for place in PLACES:
        if place.is_dir():
            space = os.statvfs(place)
            sizes = {"total_bytes": space.f_blocks * space.f_frsize, "free_bytes": space.f_bavail * space.f_frsize}
            found.setdefault(place.stat().st_dev, {"path": str(place), **sizes})
    return list(found.values())


def offered():
    """Returns the services that the host has for projects."""
    sockets = [path.name.removeprefix("berth-") for path in UNIT_FILES.glob("berth-*-wake@.socket")]
    return sorted(name.removesuffix("-wake@.socket") for name in sockets)


def cluster(module, place):
    """Returns the state of a cluster of PostgreSQL, or None and the reason."""
    if postgres.psycopg is None:
        return None, "python3-psycopg is not installed on the host"
    try:
        return read_cluster(postgres.Cluster(module, place)), ""
    except postgres.psycopg.Error as error:
        return None, " ".join(str(error).split())


def dedicated(module):
    """Returns the state of each cluster that belongs to one project and answers, by project."""
    found = {}
    for path in sorted(OWN_CLUSTERS.glob("*/.s.PGSQL.*")):
        port = path.suffix.removeprefix(".")
        if port.isdigit():
            state, _reason = cluster(module, {"socket_directory": str(path.parent), "port": int(port)})
            found |= {path.parent.name: state} if state else {}
    return found


def certificate(module, path):
    """Returns the certificate that a cluster shows to clients, None where it has none that can be read."""
    if not path:
        return None
    asked = ["openssl", "x509", "-in", path, "-noout", "-enddate", "-dateopt", "iso_8601"]
    code, out, _err = module.run_command(asked)
    return {"path": path, "expires": out.strip().partition("=")[2].replace(" ", "T", 1)} if code == 0 else None


def read_cluster(found):
    """Returns the state of a cluster that answers."""
    [server] = found.rows(
        "SELECT current_setting('server_version') AS version, current_setting('max_connections')::int AS most,"
        " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,"
        " (SELECT coalesce(sum(size), 0)::bigint FROM pg_ls_waldir()) AS wal,"
        " pg_size_bytes(current_setting('max_wal_size')) AS wal_max,"
        " CASE WHEN current_setting('ssl')::boolean AND current_setting('listen_addresses') <> ''"
        " THEN current_setting('ssl_cert_file') END AS certificate"
    )
    slots = found.rows(
        "SELECT slot_name, active, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint AS retained"
        " FROM pg_replication_slots ORDER BY slot_name"
    )
    databases = found.rows(
        "SELECT d.datname, pg_database_size(d.oid) AS size, d.datconnlimit,"
        " (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND a.backend_type = 'client backend'"
        " AND a.pid <> pg_backend_pid()) AS connections FROM pg_database d ORDER BY d.datname"
    )
    return {
        "version": server.version.split()[0],
        "connections": server.connections - 1,
        "max_connections": server.most,
        "wal_bytes": server.wal,
        "wal_max_bytes": server.wal_max,
        "certificate": certificate(found.module, server.certificate),
        "slots": [{"name": s.slot_name, "active": s.active, "retained_bytes": s.retained} for s in slots],
        "databases": [
            {"name": d.datname, "size_bytes": d.size, "connections": d.connections, "connection_limit": d.datconnlimit}
            for d in databases
        ],
    }


def main():
    module = AnsibleModule(
        argument_spec={"memory_mb": {"type": "int"}, "port": {"type": "int", "default": 5432}},
        supports_check_mode=True,
    )
    now = datetime.now(UTC)
    cgroups = Cgroups()
    # without --all systemctl leaves out what does not run, so what sleeps too
    listed = Systemd(module).show(["--all", "--type=service,socket", "*"], PROPERTIES)
    units = {name: unit for name, unit in listed.items() if unit["LoadState"] != "not-found"}
    state, reason = cluster(module, {"socket_directory": postgres.SOCKET_DIRECTORY, "port": module.params["port"]})
    report = {
        "measured_at": now.isoformat(),
        "method": "cgroup" if cgroups.counts_memory else "pss",
        **memory(cgroups, module.params["memory_mb"]),
        "cpus": os.cpu_count(),
        "load": list(os.getloadavg()),
        "uptime_seconds": float(read(Path("/proc/uptime")).split()[0]),
        "disks": disks(),
        "units": [unit_status(name, unit, cgroups) for name, unit in sorted(units.items()) if is_ours(name, unit)],
        "offered": offered(),
        "failed_units": sorted(name for name, unit in units.items() if unit["ActiveState"] == "failed"),
        "postgres": state,
        "postgres_error": reason,
        "dedicated": dedicated(module),
        "traffic": {path.stem: traffic(path, now) for path in LOGS.glob("*.log") if path.stem not in OF_NO_PROJECT},
    }
    module.exit_json(changed=False, report=report)


if __name__ == "__main__":
    main()
