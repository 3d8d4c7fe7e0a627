"""What Berth's modules share to ask systemd about units."""

from __future__ import annotations

import glob
import os
import time

# When a start began, before any file was read; a unit that is about to be active has no other time of this start yet
STARTED = "InactiveExitTimestampMonotonic"


class Systemd:
    """systemctl of this host; commands that change something are remembered and not run in check mode."""

    def __init__(self, module):
        self.module = module
        self.commands = []

    def show(self, names, properties):
        """Returns {unit: {property: value}}; the module fails when systemd does not answer."""
        if not names:
            return {}
        asked = f"--property=Id,{','.join(properties)}"
        code, out, err = self.module.run_command(["systemctl", "show", asked, *names])
        if code != 0:
            self.module.fail_json(msg=f"systemctl show failed: {err.strip()}")
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in out.strip().split("\n\n")]
        return {block["Id"]: block for block in blocks}

    def load_definitions(self, patterns):
        """Has systemd, and with it the generator of Podman, read unit files that are newer than what it knows."""
        asked = "--property=UnitsLoadTimestampMonotonic,UnitsLoadStartTimestampMonotonic"
        code, out, err = self.module.run_command(["systemctl", "show", "--value", asked])
        if code != 0:
            self.module.fail_json(msg=f"systemctl show failed: {err.strip()}")
        if max(map(wall_clock, out.split())) < newest(patterns):
            self.commands.append("systemctl daemon-reload")
            if not self.module.check_mode:
                self.module.run_command(["systemctl", "daemon-reload"], check_rc=True)

    def run(self, verb, names):
        """Runs one command for all units; the module fails with the place of the journal when it does."""
        if not names:
            return
        self.commands.append(f"systemctl {verb} {' '.join(names)}")
        if self.module.check_mode:
            return
        code, _out, err = self.module.run_command(["systemctl", *verb.split(), *names])
        if code != 0:
            words = " | ".join(err.strip().splitlines()[:2])
            self.module.fail_json(msg=f"systemctl {verb} failed: {words}. Look at: journalctl -u {names[0]}")

    def exit(self, **values):
        """Ends the module with the commands as its diff."""
        after = "".join(f"{command}\n" for command in self.commands)
        self.module.exit_json(changed=bool(self.commands), diff={"before": "", "after": after}, **values)


def wall_clock(monotonic_microseconds):
    """Returns the time of day, in seconds since 1970, of a monotonic time stamp of systemd; 0 for never."""
    stamp = int(monotonic_microseconds or 0)
    return time.time() - time.clock_gettime(time.CLOCK_MONOTONIC) + stamp / 1e6 if stamp else 0


def newest(patterns):
    """Returns when the newest of the files, links and directories that match was changed; 0 when there is none."""
    # Path.glob takes no absolute patterns, and its ** finds directories only.
    found = [path for pattern in patterns for path in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    # a pattern below a directory that is missing may match that directory itself
    return max((os.lstat(path).st_mtime for path in found if os.path.lexists(path)), default=0)
