"""What the guidance says and the thresholds of decisions, from guidance.yml."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from berth.quantities import parsed_size
from berth.yaml_files import read_mapping

FILE = Path(__file__).parent / "guidance.yml"


def _bytes(told: str | int) -> int:
    # a capacity that was kept tells the number that the file's text became
    return told if isinstance(told, int) else parsed_size(told)


Size = Annotated[int, BeforeValidator(_bytes)]
Range = tuple[int, int]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mixed(_Part):
    """How many of each kind go together, from and to."""

    isolated: Range
    shared: Range


class HostGuidance(_Part):
    """What a host of this much memory is said to carry, from and to."""

    memory: Size
    shared: Range
    isolated: Range
    mixed: Mixed | None = None


class MemoryRules(_Part):
    """How much memory counts for what."""

    reserve_percent: int
    reserve_least: Size
    postgres_percent: int
    shared_services: dict[str, Size]
    awake: dict[str, Size]
    backend: Size


class ConnectionRules(_Part):
    """How many connections to PostgreSQL count."""

    reserve: int
    auth_pool: int


class DiskRules(_Part):
    """How much disk a new project counts, and how much must stay free, in percent."""

    database: Size
    tight_percent: int
    refused_percent: int


class CpuRules(_Part):
    """From which load per core on a host is busy, and how many isolated projects a core carries."""

    tight_load: float
    isolated_per_core: int


class DoctorRules(_Part):
    """From when on the doctor speaks of something."""

    disk_free_percent: int
    memory_free_percent: int
    connections_percent: int
    wal_factor: int
    slot_retained: Size
    certificate_days: int


class Guidance(_Part):
    """All of guidance.yml."""

    hosts: tuple[HostGuidance, ...]
    memory_tolerance_percent: int
    projects: dict[str, str]
    memory: MemoryRules
    awake_percent: int
    connections: ConnectionRules
    disk: DiskRules
    cpu: CpuRules
    doctor: DoctorRules
    fresh_minutes: int
    mixes: int

    def host(self, memory_bytes: int) -> HostGuidance | None:
        """What the guidance says of a host of this memory: its nearest row downward; None for a smaller host."""
        reaches = memory_bytes * (100 + self.memory_tolerance_percent) // 100
        return max((row for row in self.hosts if row.memory <= reaches), key=lambda row: row.memory, default=None)


@cache
def guidance() -> Guidance:
    """The guidance of this version of Berth."""
    return Guidance.model_validate(read_mapping(FILE))
