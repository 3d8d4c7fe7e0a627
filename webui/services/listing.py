"""The list of projects: what is declared of each beside what was measured, filtered and in an order."""

from dataclasses import dataclass
from typing import Literal, get_args

from berth.models import Project
from webui.roles import Access
from webui.services.fleet import Fleet
from webui.services.rooms import Proven, Rooms, Seen, SeenState

Sort = Literal["name", "number", "host", "architecture", "status", "measured_state", "isolation_proof"]
SORTS: tuple[Sort, ...] = get_args(Sort)
# what wants somebody's attention comes first
MEASURED_STATES: tuple[SeenState, ...] = ("failed", "stopped", "unknown", "awake", "asleep", "paused")
PROOFS: tuple[Proven, ...] = ("failed", "unproven", "never", "partial", "passed")
FILTERS = ("q", "host", "architecture", "status", "measured_state", "isolation_proof")


@dataclass(frozen=True)
class Row:
    """One project of the list."""

    project: Project
    seen: Seen

    @property
    def values(self) -> dict[str, str]:
        """What it can be filtered by, in the words of the HTTP API."""
        return {
            "host": self.project.host,
            "architecture": self.project.architecture,
            "status": self.project.state,
            "measured_state": self.seen.state,
            "isolation_proof": self.seen.proof,
        }

    def place(self, sort: str) -> tuple[str, str]:
        """Where it stands in an order; no two rows have the same place."""
        match sort:
            case "name":
                return "", self.project.name
            case "number":
                return f"{self.project.number:09}", self.project.name
            case "measured_state":
                return str(MEASURED_STATES.index(self.seen.state)), self.project.name
            case "isolation_proof":
                return str(PROOFS.index(self.seen.proof)), self.project.name
        return self.values[sort], self.project.name

    def cursor(self, sort: str) -> str:
        """Its place as one text, for the request of what follows it."""
        return ":".join(part for part in self.place(sort) if part)


def listed(fleet: Fleet, rooms: Rooms, access: Access, wanted: dict[str, str], sort: str = "name") -> list[Row]:
    """The projects that somebody may see and that are as wanted (by FILTERS), in order; raise BerthError."""
    declared = fleet.projects()
    states = rooms.states(declared)
    rows = [Row(declared[name], states[name]) for name in access.sees(declared)]
    return sorted((row for row in rows if _is_wanted(row, wanted)), key=lambda row: row.place(sort))


def following(rows: list[Row], cursor: str, sort: str) -> list[Row]:
    """The rows after the place of a cursor, of all of them when it is empty."""
    if not cursor:
        return rows
    value, _, name = cursor.rpartition(":")
    return [row for row in rows if row.place(sort) > (value, name)]


def _is_wanted(row: Row, wanted: dict[str, str]) -> bool:
    text = " ".join([row.project.name, *row.project.domains])
    if wanted.get("q", "").lower() not in text:
        return False
    values = row.values
    return all(wanted.get(key, "") in ("", value) for key, value in values.items())
