"""Figures and times as people read them."""

from datetime import UTC, datetime

from berth import quantities

_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def size(count: float | None) -> str:
    """Bytes as the commands show them, such as 1.5 GiB; a dash where nothing is known."""
    return "-" if count is None else quantities.size(int(count))


def duration(seconds: float | None) -> str:
    """A time span such as 0.4 s, 12 s, 3 min 5 s or 2 h 10 min; a dash where nothing is known."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago or ahead a moment is, such as 5 minutes ago or in 2 days; never for None."""
    if moment is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for length, word in _SPANS:
        if abs(seconds) >= length:
            number = int(abs(seconds) // length)
            span = f"{number} {word}{'s' if number > 1 else ''}"
            return f"{span} ago" if seconds > 0 else f"in {span}"
    return "just now" if seconds >= 0 else "in a moment"


def utc(moment: datetime) -> str:
    """A moment to the second, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def diff_lines(text: str) -> list[tuple[str, str]]:
    """The lines of a unified diff, each with its kind: add, del, at, or empty."""
    kinds = {"+": "add", "-": "del", "@": "at"}
    return [(kinds.get(line[:1], ""), line) for line in text.splitlines()]


FILTERS = {
    "size": size,
    "duration": duration,
    "ago": ago,
    "utc": utc,
    "diff_lines": diff_lines,
}
