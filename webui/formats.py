"""Figures and times as people read them."""

from datetime import UTC, datetime

_SIZES = ("B", "KB", "MB", "GB", "TB")
_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def size(count: float | None) -> str:
    """Bytes in the unit that leaves few digits, such as 1.5 GB; a dash where nothing is known."""
    if count is None:
        return "-"
    value = float(count)
    for unit in _SIZES:
        if abs(value) < 1000 or unit == _SIZES[-1]:
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}".replace(".0 ", " ")


def megabytes(count: float | None) -> str:
    """Megabytes as `size` shows them."""
    return size(None if count is None else count * 1024 * 1024)


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


def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long ago or ahead a moment is, such as 5 minutes ago or in 2 days."""
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
    "megabytes": megabytes,
    "duration": duration,
    "ago": ago,
    "utc": utc,
    "diff_lines": diff_lines,
}
