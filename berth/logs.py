"""What the services of a project and the gateway wrote of it, read over SSH; nothing secret in it."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from berth.errors import BerthError
from berth.names import database_name

SERVICES = ("rest", "auth", "gateway", "postgres")
SERVICES_ISOLATED = (*SERVICES, "meta")
HIDDEN = "***"
HOST_CLUSTER = "berth"

_POSTGRES = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d) (?P<time>\d\d:\d\d:\d\d\.\d{3}) (?:UTC|GMT) \[(?P<pid>\d+)\] "
    r"(?:(?P<user>[^\s@]*)@(?P<database>\S*) )?(?P<text>[A-Z][A-Z0-9]+: .*)",
    re.ASCII,
)
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


def remote_command(
    project: str, services: Sequence[str], begin: datetime | None, lines: int, follow: bool, cluster: str = HOST_CLUSTER
) -> str:
    """The shell line that reads the logs on the host; project, services and cluster are names checked before."""
    parts = []
    units = [unit for name in services if name not in ("gateway", "postgres") for unit in _units(project, name)]
    if units:
        named = " ".join(f"-u {unit}" for unit in units)
        when = f" --since=@{int(begin.timestamp())}" if begin else ""
        parts.append(f"journalctl --quiet --no-pager -o short-iso --no-hostname{when} -n {lines} {named}")
    if "gateway" in services:
        path = f"/var/log/nginx/berth/{project}.log"
        parts.append(f"tail -n {lines} {'-F' if follow else ''} {path} 2>/dev/null")
    if "postgres" in services:
        parts.append(_of_postgres(project, cluster, lines, follow))
    if not follow:
        return "; ".join([*parts, "true"])
    return " & ".join(f"{part} -f" if part.startswith("journalctl") else part for part in parts) + " & wait"


def _of_postgres(project: str, cluster: str, lines: int, follow: bool) -> str:
    """What reads the log of a cluster, of one that projects share only what sessions in the project's database did."""
    log = f'"$(ls -t /var/log/postgresql/postgresql-[0-9]*-{cluster}.log | head -n 1)"'
    if cluster != HOST_CLUSTER:
        return f"tail -n {lines} {'-F' if follow else ''} {log} 2>/dev/null"
    # a message's further lines begin with a tab, so none can pass for the first of another
    head = rf"/^[0-9-]+ [0-9:.]+ [^ ]+ \[[0-9]+\] [^ @]+@{database_name(project)} [A-Z0-9]+: /"
    # the head stays in the hold space, each line is printed with it
    only = rf"sed -nE '/^\t/!h; x; {head}{{x;p;x}}; x'"
    past = f"{only} | tail -n {lines}"
    if not follow:
        return f"{only} {log} 2>/dev/null | tail -n {lines}"
    # what is written meanwhile must come neither twice nor never
    size = 'size=$(stat -c %s "$log")'
    coming = f'tail -c "+$((size + 1))" -F "$log" 2>/dev/null | {only.replace("-nE", "-nuE")}'
    return f'{{ log={log}; {size}; head -c "$size" "$log" | {past}; {coming}; }} 2>/dev/null'


def readable(lines: Iterable[str], begin: datetime | None) -> Iterator[str]:
    """Lines as people read them, without those of before and what belongs to one of these."""
    was_left_out = False
    for line in lines:
        if was_left_out and line.startswith("\t"):
            continue
        text = shown(line, begin)
        was_left_out = text is None
        if text is not None:
            yield text


def shown(line: str, begin: datetime | None = None) -> str | None:
    """A line as people read it, secrets hidden; None for one of before."""
    if match := _POSTGRES.fullmatch(line):
        return _shown_of_postgres(match, begin)
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
    stamped: list[tuple[float, int, str]] = []
    last = 0.0
    for place, text in enumerate(readable(lines, begin)):
        last = _stamp(text, last)
        stamped.append((last, place, text))
    return [text for _time, _place, text in sorted(stamped)][-most:]


def _shown_of_postgres(match: re.Match[str], begin: datetime | None) -> str | None:
    stamp = f"{match['day']}T{match['time']}+00:00"
    if begin and datetime.fromisoformat(stamp) < begin:
        return None
    who = f"{match['user']} " if match["user"] else ""
    return _SECRETS.sub(HIDDEN, f"{stamp} postgres[{match['pid']}]: {who}{match['text']}")


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
    first = text.split(" ", 1)[0]
    try:
        return datetime.fromisoformat(first).timestamp() if "T" in first else before
    except ValueError:
        return before
