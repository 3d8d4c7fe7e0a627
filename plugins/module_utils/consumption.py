"""What Berth's modules share to measure memory and CPU of units and of a host."""

from __future__ import annotations

import os
from pathlib import Path

ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
PROC = "/proc"
KIB = 1024


class Cgroups:
    """The control groups of systemd; `counts_memory` says whether a memory controller counts for them."""

    def __init__(self, roots=ROOTS, proc=PROC):
        mounted = [Path(root) for root in roots if (Path(root) / "cgroup.procs").exists()]
        self.root = mounted[0] if mounted else None
        self.proc = Path(proc)
        controllers = read(self.root / "cgroup.controllers") if self.root else ""
        self.counts_memory = "memory" in controllers.split()

    def usage(self, path):
        """Returns memory in bytes, CPU in seconds and the number of processes of a group and those below it."""
        directory = self.root / path.lstrip("/") if self.root and path.strip("/") else None
        if directory is None or not directory.is_dir():
            return {}
        pids = self.pids(directory)
        cpu = int(pairs(read(directory / "cpu.stat")).get("usage_usec", 0)) / 1e6
        memory = self.counted(directory) if self.counts_memory else {"memory_bytes": sum(map(self.pss, pids))}
        return {**memory, "cpu_seconds": round(cpu, 3), "processes": len(pids)}

    def counted(self, directory):
        """Returns what the memory controller counts; the cache is what the kernel can give back."""
        files = pairs(read(directory / "memory.stat"))
        peak = read(directory / "memory.peak").strip()
        current = int(read(directory / "memory.current") or 0)
        cache = int(files.get("inactive_file", 0)) + int(files.get("active_file", 0))
        return {
            "memory_bytes": current,
            "cache_bytes": min(cache, current),
            "peak_bytes": int(peak) if peak.isdigit() else None,
        }

    def pids(self, directory):
        """Returns the processes of a group and of the groups below it."""
        found = []
        for folder, _folders, _files in os.walk(directory):
            found += read(Path(folder) / "cgroup.procs").split()
        return found

    def pss(self, pid):
        """Returns the proportional set size of a process: shared pages are divided among those who share them."""
        fields = pairs(read(self.proc / str(pid) / "smaps_rollup"))
        return int(fields.get("Pss:", 0)) * KIB

    def pss_of_all(self):
        """Returns the proportional set size of all processes of the host."""
        return sum(self.pss(entry.name) for entry in self.proc.iterdir() if entry.name.isdigit())


def read(path):
    """Returns the text of a file, nothing when it is gone meanwhile."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def pairs(text):
    """Returns {first word: second word} of the lines of a file of the kernel."""
    return {words[0]: words[1] for words in map(str.split, text.splitlines()) if len(words) > 1}
