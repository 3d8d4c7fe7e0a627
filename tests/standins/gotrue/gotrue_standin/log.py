"""One JSON line per event on stderr, as GoTrue logs."""

import json
import sys
from datetime import UTC, datetime


def log(level: str, message: str, **fields: object) -> None:
    """Write one line; callers never pass bodies, queries, tokens or passwords."""
    line = {"level": level, "msg": message, "time": datetime.now(UTC).isoformat(timespec="seconds"), **fields}
    print(json.dumps(line, default=str), file=sys.stderr, flush=True)
