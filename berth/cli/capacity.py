"""What the commands tell of the capacity of hosts, from the last measurement of each."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from berth.cli.common import Place

if TYPE_CHECKING:
    from berth.capacity import Capacity
    from berth.models import Project

CAPACITY_HEADINGS = ["Memory used", "Guidance (advice)", "Still fit (measured)", "Measured"]


def last_accounts(here: Place, projects: Collection["Project"], hosts: Iterable[str] = ()) -> dict[str, "Capacity"]:
    """The account of each host by its last measurement; without those that were never measured; raise BerthError."""
    from berth.samples import Samples

    samples = Samples(here.environment.directory)
    found = {host: samples.latest(host) for host in hosts or here.environment.hosts}
    return {host: samples.account(status, projects) for host, status in found.items() if status}


def capacity_cells(found: "Capacity | None") -> list[str]:
    """The cells of a host below CAPACITY_HEADINGS."""
    from berth.quantities import ago, size

    if found is None:
        return ["", "", "not measured: berth status", ""]
    used = sum(amount.used_bytes for amount in found.account)
    return [
        f"{size(used)} of {size(found.room.memory_bytes)}",
        guidance_words(found),
        fit_words(found),
        ago(found.measured_at, datetime.now(UTC)),
    ]


def guidance_words(found: "Capacity") -> str:
    """What the guidance says of a host of that size."""
    row = found.guidance
    if row is None:
        return "none for less than 4 GB"
    said = f"{_range(row.shared)} shared or {_range(row.isolated)} isolated"
    if row.mixed:
        said += f" or {_range(row.mixed.isolated)} + {_range(row.mixed.shared)}"
    return said


def fit_words(found: "Capacity") -> str:
    """How many more projects fit."""
    if found.now.room == "refused":
        return f"none: {found.now.words}"
    tight = f" ({found.shared_most} tight)" if found.shared_most > found.shared_more else ""
    return f"{found.shared_more} shared{tight} or {found.isolated_more} isolated"


def _range(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}-{pair[1]}"
