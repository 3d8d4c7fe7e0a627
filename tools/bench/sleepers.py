"""What projects cost that nobody uses."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.figures import Figure
from bench.host import BenchHost

# KiB by program, PostgreSQL's without its shared memory: PSS knows of a buffer only while a process lives that touched
# it. So the buffers in use are asked for and stand apart.
SUM_OF_PSS = r"""
for process in /proc/[0-9]*; do
  [ -r "$process/smaps_rollup" ] && name=$(cat "$process/comm" 2>/dev/null) || continue
  awk -v name="$name" '/^Pss:/ { all = $2 } /^Pss_Shmem:/ { shared = $2 }
    END { print name, (name == "postgres") ? all - shared : all + 0 }' \
    "$process/smaps_rollup" 2>/dev/null
done
psql -qAt -U supabase_admin -d postgres -c 'CREATE EXTENSION IF NOT EXISTS pg_buffercache' \
  -c "SELECT 'buffers ' || buffers_used * 8 FROM pg_buffercache_summary()" || exit
df --output=used -t tmpfs 2>/dev/null | awk 'NR > 1 { used += $1 } END { print "tmpfs", used + 0 }'
"""
GROUPS = {"systemd": "systemd", "nginx": "nginx", "postgres": "PostgreSQL", "tmpfs": "tmpfs"}
BUFFERS = "buffers"


@dataclass(frozen=True)
class Memory:
    """KiB by program or "tmpfs", PostgreSQL's shared buffers in use under "buffers"."""

    kib: Mapping[str, int]

    @property
    def total(self) -> int:
        """All but PostgreSQL's shared buffers."""
        return sum(value for name, value in self.kib.items() if name != BUFFERS)


def measure(host: BenchHost) -> Memory:
    """Put all projects to sleep and add up what the processes and the tmpfs of the host hold."""
    host.put_to_sleep()
    return parse(host.shell(SUM_OF_PSS))


def parse(listing: str) -> Memory:
    """Return the sums by name of lines "name KiB"; a name may hold blanks."""
    kib: dict[str, int] = {}
    for line in listing.splitlines():
        name, _, value = line.rpartition(" ")
        kib[name] = kib.get(name, 0) + int(value)
    return Memory(kib)


def figures(before: Memory, after: Memory, added: int, processes: int) -> list[Figure]:
    """Return the rows of the table for so many projects added between the two, all asleep."""
    each = (after.total - before.total) / 1024 / added
    buffers = (after.kib[BUFFERS] - before.kib[BUFFERS]) / 1024 / added
    parts = ", ".join(f"{name} {kib:.0f} KiB" for name, kib in _growth(before, after, added).items())
    method = f"PSS of all processes of the host (PID 1, nginx, PostgreSQL ...) and its tmpfs, by {added} more: {parts}"
    cache = "pg_buffercache: a cache of fixed size (20 % of the host's memory) filled by creating databases"
    return [
        Figure("Processes of 100 sleeping projects", processes, "", "ps on the host, users berth-b*", target=0),
        Figure("Memory of a sleeping project", each, "MiB", method, target=1),
        Figure("Shared buffers of PostgreSQL filled by adding one", buffers, "MiB", cache),
    ]


def _growth(before: Memory, after: Memory, added: int) -> dict[str, float]:
    parts: dict[str, float] = dict.fromkeys([*GROUPS.values(), "others"], 0.0)
    for name in before.kib.keys() | after.kib.keys():
        if name != BUFFERS:
            parts[GROUPS.get(name, "others")] += (after.kib.get(name, 0) - before.kib.get(name, 0)) / added
    return parts
