"""On which host a new project goes: the named one where it has room, else the one with the most."""

from datetime import UTC, datetime

from berth.names import validate_name
from berth.placement import NoRoom
from webui.services.fleet import Fleet
from webui.services.rooms import Rooms
from webui.services.suggest import candidates


def placed(
    fleet: Fleet,
    rooms: Rooms,
    name: str,
    architecture: str,
    host: str | None,
    force: bool,
    database: str | None = None,
) -> tuple[str, str | None]:
    """The host, and what the declaration says of one that was overruled; raise InvalidName or NoRoom."""
    validate_name(name)
    known = candidates(fleet, rooms, architecture, database)
    if host is None:
        best = known[0]
        if best.verdict not in ("fits", "tight"):
            reasons = "; ".join(f"{each.host}: {each.verdict}: {each.reason}" for each in known)
            raise NoRoom(f"no host takes {name}: {reasons}; name one, or add a host")
        return best.host, None
    told = next((each for each in known if each.host == host), None)
    if told is None or told.verdict != "refused":
        return host, None
    if not force:
        raise NoRoom(f"{name} on {host}: refused: {told.reason}; name another host, or overrule with force")
    return host, f"Added with force on {datetime.now(UTC):%Y-%m-%d}; refused: {told.reason}"
