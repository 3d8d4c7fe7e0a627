"""What Berth's modules share to restart services of projects while requests for them wait instead of failing."""

from __future__ import annotations

import fcntl
import time
from contextlib import ExitStack
from pathlib import Path

from ansible_collections.berth.supabase.plugins.module_utils.waiting import comes_true

RUN = Path("/run/berth")
SOCKETS = Path("/proc/net/unix")
CONNECTING, CONNECTED = "02", "03"
LISTENING = 0x10000
# Longer than most statements, shorter than nginx waits for an answer.
PATIENCE = 30.0


class Door:
    """The way of requests to one service of a project: a link that leads to its socket, or to one that holds them."""

    def __init__(self, service, project):
        name = f"{project}-{service}.sock"
        self.gate, self.open, self.held = (RUN / place / name for place in ("gate", "wake", "hold"))
        self.lock = self.held.with_suffix(".lock")
        self.holding = [f"berth-{service}-hold@{project}.{kind}" for kind in ("socket", "service")]

    def leads_to(self, path):
        return self.gate.is_symlink() and self.gate.readlink() == path

    def is_disturbed(self):
        """Returns whether a run that was killed left the door held."""
        return not self.leads_to(self.open) or self.held.exists()

    def lead_to(self, path):
        """Turns the link in one step, so that every request finds the one socket or the other."""
        self.gate.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = self.gate.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(path)
        fresh.replace(self.gate)


def restart_held(systemd, services, moved=(), clusters=(), switch=None):
    """Restarts services, after the clusters of theirs, and those that move to another slice with their proxies.

    What is under way ends first, what comes meanwhile waits; one kind of service after the other, so that none waits
    for another unless a cluster restarts. `switch` is called when nothing is under way; where it raises, nothing is
    restarted and requests go on. Returns for how many seconds at most.
    """
    together = bool(clusters or switch)
    kinds = [[one.name for one in (*services, *moved)]] if together else [[one.name] for one in (*services, *moved)]
    batches = {frozenset(names): None for names in kinds}
    return max((_restart_kinds(systemd, names, services, moved, clusters, switch) for names in batches), default=0.0)


def _restart_kinds(systemd, names, services, moved, clusters, switch):
    staying, moving = ([one for one in many if one.name in names] for many in (services, moved))
    doors = [service.door for service in (*staying, *moving)]
    if systemd.module.check_mode or not doors:
        if switch:
            switch()
        _restart(systemd, staying, moving, clusters)
        return 0.0
    _release_running(systemd, [*staying, *moving])
    began = time.monotonic()
    try:
        with ExitStack() as locks:
            _hold(systemd, doors, locks)
            if switch:
                switch()
            _restart(systemd, staying, moving, clusters)
    except BaseException:
        if switch:  # no run brings back what has moved: the next request tries to start what did not start
            release(systemd, doors)
        raise
    held = time.monotonic() - began
    release(systemd, doors)
    return held


def _hold(systemd, doors, locks):
    """Has requests wait until the locks are given back, and returns when none is under way."""
    for door in doors:
        door.lock.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fcntl.flock(locks.enter_context(door.lock.open("w")), fcntl.LOCK_EX)
    systemd.run("start", [door.holding[0] for door in doors])
    for door in doors:
        door.lead_to(door.held)
    drain(systemd, [door.open for door in doors])


def _release_running(systemd, services):
    """Opens doors that a killed run left held: with a running service what waited there is under way by now."""
    states = systemd.show([service.worker for service in services], ("ActiveState",))
    running = [service.door for service in services if states[service.worker]["ActiveState"] == "active"]
    release(systemd, [door for door in running if door.is_disturbed()])


def _restart(systemd, staying, moving, clusters):
    systemd.run("restart", list(clusters))
    # Never stopped alone: what holds requests would start the service again and so cancel the stop.
    systemd.run("try-restart", [service.worker for service in (*staying, *moving)])
    systemd.run("start", [service.proxy for service in moving])


def release(systemd, doors):
    """Opens doors for good: requests that were held are answered, and then nothing of the hold is left."""
    for door in doors if not systemd.module.check_mode else []:
        door.lead_to(door.open)
    if systemd.module.check_mode or not any(door.held.exists() for door in doors):
        return
    comes_true(lambda: not connections([door.held for door in doors], {CONNECTING}), PATIENCE)
    drain(systemd, [door.held for door in doors])
    systemd.run("stop", [unit for door in doors for unit in door.holding])
    for door in doors:
        door.lock.unlink(missing_ok=True)


def drain(systemd, paths):
    """Lets nginx finish on these sockets; new processes of it follow the links anew."""
    systemd.run("try-reload-or-restart", ["nginx.service"])
    finish(paths)


def finish(paths):
    """Returns when nothing is under way on these sockets any more, or when patience ends."""
    comes_true(lambda: not connections(paths, {CONNECTING, CONNECTED}), PATIENCE)


def connections(paths, states):
    """Returns how many connections that came in at the sockets of these paths are in one of the states."""
    wanted = {str(path) for path in paths}
    rows = [line.split() for line in SOCKETS.read_text().splitlines()[1:]]
    return sum(
        row[7] in wanted and row[5] in states and not int(row[3], 16) & LISTENING for row in rows if len(row) > 7
    )
