"""How many things may happen in an hour, counted by this process alone."""

import threading
import time
from collections import deque

HOUR = 3600


class HourlyLimit:
    """Lets so many happen in each hour."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Whether one more may happen now, which then counts."""
        now = time.monotonic()
        with self._lock:
            while self._times and self._times[0] <= now - HOUR:
                self._times.popleft()
            if len(self._times) >= self._most:
                return False
            self._times.append(now)
            return True
