"""What Berth's modules share to wait for something."""

from __future__ import annotations

import math
import time


def comes_true(condition, seconds=math.inf, poll=0.05):
    """Returns whether a condition holds within that time, as soon as it does; it is asked again and again."""
    deadline = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < deadline:
        time.sleep(poll)
    return held
