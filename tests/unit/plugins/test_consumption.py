"""Memory and CPU of control groups: by the memory controller where there is one, by the processes elsewhere."""

from pathlib import Path

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible_collections.berth.supabase.plugins.module_utils.consumption import Cgroups

FILES = {
    "cgroup.procs": "11\n12\n",
    "cpu.stat": "usage_usec 2500000\nuser_usec 2000000\n",
    "memory.current": "1000\n",
    "memory.peak": "3000\n",
    "memory.stat": "anon 500\nactive_file 100\ninactive_file 200\nshmem 50\n",
}


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """The directory of a group with two processes of its own and one below it."""
    directory = tmp_path / "cgroup/system.slice/nginx.service"
    (directory / "below").mkdir(parents=True)
    (directory / "below/cgroup.procs").write_text("13\n")
    for name, text in FILES.items():
        (directory / name).write_text(text)
    (tmp_path / "cgroup/cgroup.procs").write_text("1\n")
    for pid, kib in (("11", 10), ("12", 20), ("13", 30)):
        (tmp_path / "proc" / pid).mkdir(parents=True)
        (tmp_path / "proc" / pid / "smaps_rollup").write_text(f"ffff [rollup]\nRss: 99 kB\nPss: {kib} kB\n")
    return directory


def cgroups(tmp_path: Path, controllers: str) -> Cgroups:
    """The groups of a machine with these controllers."""
    (tmp_path / "cgroup/cgroup.controllers").write_text(controllers)
    return Cgroups([tmp_path / "nothing", tmp_path / "cgroup"], tmp_path / "proc")


def test_the_memory_controller_counts_where_there_is_one(tmp_path: Path, group: Path) -> None:
    found = cgroups(tmp_path, "cpu io memory pids\n").usage("/system.slice/nginx.service")
    memory = {"memory_bytes": 1000, "cache_bytes": 300, "peak_bytes": 3000}
    assert found == {**memory, "cpu_seconds": 2.5, "processes": 3}


def test_a_kernel_without_peaks_tells_none(tmp_path: Path, group: Path) -> None:
    (group / "memory.peak").unlink()
    assert cgroups(tmp_path, "memory").usage("/system.slice/nginx.service")["peak_bytes"] is None


def test_the_processes_count_where_there_is_no_controller(tmp_path: Path, group: Path) -> None:
    found = cgroups(tmp_path, "").usage("/system.slice/nginx.service")
    assert found == {"memory_bytes": 60 * 1024, "cpu_seconds": 2.5, "processes": 3}


def test_a_unit_without_a_group_uses_nothing(tmp_path: Path, group: Path) -> None:
    found = cgroups(tmp_path, "memory")
    assert [found.usage(path) for path in ("", "/", "/system.slice/gone.service")] == [{}, {}, {}]


def test_a_process_that_ended_meanwhile_counts_nothing(tmp_path: Path, group: Path) -> None:
    (tmp_path / "proc/12/smaps_rollup").unlink()
    assert cgroups(tmp_path, "").usage("/system.slice/nginx.service")["memory_bytes"] == 40 * 1024
