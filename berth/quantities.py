"""Quantities as people read and write them."""

from datetime import datetime

_MIB = 1024**2
_WRITTEN = {"M": _MIB, "G": 1024 * _MIB}


def size(count: int | None) -> str:
    """A number of bytes with the unit that fits it, such as 312 MiB; "" for None."""
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(amount) < 1024:
            return f"{amount:.0f} {unit}" if amount >= 10 or amount == int(amount) else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.0f} PiB"


def parsed_size(text: str) -> int:
    """The bytes of a size in a declaration, such as 512M or 1G."""
    return int(text[:-1]) * _WRITTEN[text[-1]]


def span(seconds: float) -> str:
    """A time in its largest unit, such as 3 h."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long before now a moment was, such as 3 h ago; "" for None."""
    return "" if moment is None else f"{span((now - moment).total_seconds())} ago"
