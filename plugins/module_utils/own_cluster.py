"""What Berth's modules share to find and drop the PostgreSQL cluster of a project."""

from __future__ import annotations

import shutil
from pathlib import Path

PLACES = (Path("/etc/postgresql"), Path("/var/lib/postgresql"))


def unit_of(version, name):
    """Returns the unit of a cluster."""
    return f"postgresql@{version}-{name}.service"


def versions(name):
    """Returns the versions that have settings or data of the cluster, whole or what is left of them."""
    return sorted({path.parent.name for place in PLACES for path in place.glob(f"[0-9]*/{name}")})


def drop(systemd, version, name):
    """Stops the cluster and removes all of it; what a run that was killed has left goes too."""
    unit = unit_of(version, name)
    if systemd.show([unit], ("ActiveState",))[unit]["ActiveState"] != "inactive":
        systemd.run("stop", [unit])
    systemd.commands.append(f"pg_dropcluster {version} {name}")
    if systemd.module.check_mode:
        return
    settings, data = (place / version / name for place in PLACES)
    for own in settings.glob("conf.d/*"):
        own.unlink()
    if (settings / "postgresql.conf").exists():
        systemd.module.run_command(["pg_dropcluster", version, name])
    for directory in (data, settings):
        if directory.exists():
            shutil.rmtree(directory)
