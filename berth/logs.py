"""What the services of a project and the gateway wrote of it, read over SSH; nothing secret in it."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from berth.errors import BerthError

SERVICES = ("rest", "auth", "gateway")
SERVICES_ISOLATED = (*SERVICES, "meta")
HIDDEN = "***"

_SPAN = re.compile(r"([1-9][0-9]{0,5})(s|min|h|d)", re.ASCII)
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_SECRETS = re.compile(
    r"eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"
    r"|\bsb_(?:secret|publishable)_[\w-]+"
    r"|(?<=://)[^\s/@]+:[^\s/@]+(?=@)"
    r"|(?<![\w-])(?:password|passwd|secret|token|token_hash|apikey|api_key|access_token|refresh_token|authorization)"
    r"[\"']?\s*[=:]\s*[\"']?(?:Bearer\s+)?[^\s\"',&}]+",
    re.IGNORECASE,
)


class BadSince(BerthError):
    """A time that says nothing usable, with the remedy."""


def services_of(architecture: str) -> tuple[str, ...]:
    """The services whose logs are those of the project alone."""
    return SERVICES if architecture == "shared" else SERVICES_ISOLATED


def since(text: str, now: datetime) -> datetime:
    """The moment that a person means, such as 1h or 2026-11-25T10:00, without a zone in UTC; raise BadSince."""
    if match := _SPAN.fullmatch(text):
        return now - timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        allowed = "a time such as 30s, 15min, 2h or 3d, or 2026-11-25T10:00"
        raise BadSince(f"--since: found {text!r}, allowed: {allowed}; correct it") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def remote_command(project: str, services: Sequence[str], begin: datetime | None, lines: int, follow: bool) -> str:
    """The shell line that reads the logs on the host; project and services are names that were checked before."""
    parts = []
    units = [unit for name in services if name != "gateway" for unit in _units(project, name)]
    if units:
        named = " ".join(f"-u {unit}" for unit in units)
        when = f" --since=@{int(begin.timestamp())}" if begin else ""
        parts.append(f"journalctl --quiet --no-pager -o short-iso --no-hostname{when} -n {lines} {named}")
    if "gateway" in services:
        path = f"/var/log/nginx/berth/{project}.log"
        parts.append(f"tail -n {lines} {'-F' if follow else ''} {path} 2>/dev/null")
    if not follow:
        return "; ".join([*parts, "true"])
    return " & ".join(f"{part} -f" if part.startswith("journalctl") else part for part in parts) + " & wait"


def shown(line: str, begin: datetime | None = None) -> str | None:
    """A line as people read it, secrets hidden; None for one of before."""
    entry = _gateway_entry(line)
    if entry is None:
        return _SECRETS.sub(HIDDEN, line) if line.strip() else None
    if begin and datetime.fromisoformat(entry["time"]) < begin:
        return None
    took = f"{float(entry.get('seconds') or 0) * 1000:.0f} ms"
    who = entry.get("key") or "no key"
    told = (
        f"{entry['time']} gateway: {entry['method']} {entry['path']} {entry['status']} {took} {who} {entry['client']}"
    )
    return _SECRETS.sub(HIDDEN, told)


def in_order(lines: Iterable[str], begin: datetime | None, most: int) -> list[str]:
    """The last lines of all logs together, by their times; lines that have none stay behind the one before."""
    told = [text for line in lines if (text := shown(line, begin)) is not None]
    stamped: list[tuple[float, int, str]] = []
    last = 0.0
    for place, text in enumerate(told):
        last = _stamp(text, last)
        stamped.append((last, place, text))
    return [text for _time, _place, text in sorted(stamped)][-most:]


def _units(project: str, service: str) -> tuple[str, ...]:
    return f"berth-{service}@{project}.service", f"berth-{service}-wake@{project}.service"


def _gateway_entry(line: str) -> dict[str, str] | None:
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
        return entry if {"time", "method", "path", "status", "client"} <= set(entry) else None
    except (ValueError, TypeError):
        return None


def _stamp(text: str, before: float) -> float:
    try:
        return datetime.fromisoformat(text.split(" ", 1)[0]).timestamp()
    except ValueError:
        return before
