"""Conversions of projects: what may be asked for now, what that will do, and whether the host has room for it."""

from dataclasses import dataclass, replace

from berth.capacity import Capacity, propose
from berth.conversion_words import Intent
from berth.conversions import ARCHITECTURES, COMMIT, ROLLBACK, Conversion, ConversionError, Conversions, Side, moment
from berth.host_projects import require_secrets
from berth.models import Project
from berth.placement import Candidate, NoRoom, told
from webui.services.fleet import Fleet
from webui.services.rooms import Rooms

CONVERT = "convert"
STEPS = (CONVERT, ROLLBACK, COMMIT)
SIDES = (Side("shared"), Side("isolated"), Side("isolated", "dedicated"))


@dataclass(frozen=True)
class Offer:
    """Something that may be asked for: what it will do, and what the host says; completes: it began already."""

    intent: Intent
    host: Candidate | None = None
    completes: bool = False


@dataclass(frozen=True)
class Outlook:
    """The conversion of a project that is open, or None, and what may be asked for now."""

    conversion: Conversion | None
    offers: list[Offer]


def opened(fleet: Fleet, project: Project) -> Conversion | None:
    """The conversion that is neither rolled back nor committed; raise BerthError."""
    return Conversions(fleet.store).open(project.name, moment(), project)


def outlook(fleet: Fleet, rooms: Rooms, project: Project) -> Outlook:
    """What may be asked for now; raise BerthError."""
    conversion, now = opened(fleet, project), Side.of(project)
    if conversion is None:
        sides = [side for side in SIDES if side != now]
        return Outlook(None, [_offer(fleet, rooms, project, side.architecture, side) for side in sides])
    back = _offer(fleet, rooms, project, ROLLBACK, conversion.origin, of=conversion.target)
    if conversion.done:
        return Outlook(conversion, [back, _offer(fleet, rooms, project, COMMIT, conversion.target)])
    target = conversion.target
    completing = _offer(fleet, rooms, project, target.architecture, target, of=conversion.origin)
    return Outlook(conversion, [replace(completing, completes=True), back])


def word_of(step: str, to: str | None, database: str | None) -> str:
    """What the playbook is told; raise ConversionError where the parts do not belong together."""
    if step not in STEPS:
        raise ConversionError(f"step: found {step!r}, allowed: {', '.join(STEPS)}; correct it")
    if step == CONVERT:
        if to not in ARCHITECTURES:
            raise ConversionError(f"to: found {to!r}, allowed: {' or '.join(ARCHITECTURES)}; say what to convert to")
        return to
    if to is not None or database is not None:
        raise ConversionError(f"to, database: found beside step {step}, allowed: beside {CONVERT}; leave them out")
    return step


def converted(fleet: Fleet, name: str, word: str, database: str | None) -> Project:
    """The project as it would be; raise BerthError where that may not be."""
    store = fleet.store
    aim = Conversions(store).aim(name, word, moment(), database)
    project = store.draft_side(name, aim.architecture, aim.database).project
    require_secrets(fleet.environment.directory, [project])
    return project


def require_room(fleet: Fleet, rooms: Rooms, project: Project) -> None:
    """Return when the host has room for an isolated project by its last measurement; raise NoRoom."""
    found = _judged(project, _without(fleet, rooms, project))
    if found.verdict == "refused":
        raise NoRoom(
            f"{project.name} on {project.host}: refused: {found.reason}; give it less limits.memory, "
            f"or overrule with force"
        )


def _offer(fleet: Fleet, rooms: Rooms, project: Project, word: str, aim: Side, of: Side | None = None) -> Offer:
    before = of or Side.of(project)
    intent = Intent(project.name, word, aim, moves=before.database != aim.database)
    if word != "isolated":
        return Offer(intent)
    after = project.model_copy(update={"architecture": aim.architecture, "database": aim.database})
    return Offer(intent, _judged(after, _without(fleet, rooms, project)))


def _without(fleet: Fleet, rooms: Rooms, project: Project) -> Capacity | None:
    """The account of the host as it would be without the project; None where it was never measured."""
    status = rooms.samples.latest(project.host)
    others = [other for other in fleet.projects().values() if other.name != project.name]
    return rooms.samples.account(status, others) if status else None


def _judged(project: Project, found: Capacity | None) -> Candidate:
    if found is None:
        return Candidate(host=project.host, verdict="unknown", reason="not measured yet")
    judgement = propose(found, project)
    return Candidate(host=project.host, verdict=judgement.verdict, reason=told(found, project, judgement))
