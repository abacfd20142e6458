"""How long a worker outlives its trainer."""

import re
import time
from collections.abc import Callable

_DURATION = re.compile(r"(?:PT)?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


class Lease:
    """Every call renews it."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic):
        self.seconds = seconds
        self._clock = clock
        self._renewed = clock()

    def renew(self) -> None:
        self._renewed = self._clock()

    def is_over(self) -> bool:
        return self._clock() - self._renewed > self.seconds


def seconds_of(text: str) -> float:
    """Seconds of ``60s``, ``5m``, ``1h30m`` or an ISO duration such as ``PT5M``; ValueError for anything else."""
    match = _DURATION.fullmatch(text.upper())
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is no duration; write 60s, 5m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds
