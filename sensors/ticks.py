"""When a streaming tick ends. Dagster gives a tick 60 seconds and comes back within five.

Two sensors do one work: their ticks end at fixed phases of the wall clock, half a period apart, so
that the one is awake while the other is between two ticks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from sensors.ports import Listener

PERIOD_SECONDS = 50.0
#: A wake-up can be missed between looking and waiting; nobody waits longer than this for the next.
LONGEST_WAIT_SECONDS = 1.0


def seconds_left(phase: float, now: float) -> float:
    """Until the tick that runs at ``now`` ends, between nothing and one period.

    Args:
        phase: Where in the period ticks of this sensor end, 0 to 1.
        now: Seconds since the epoch.
    """
    return PERIOD_SECONDS - (now - phase * PERIOD_SECONDS) % PERIOD_SECONDS


def looks(listener: Listener, phase: float) -> Iterator[None]:
    """Time to look: at once, after every wake-up, and at least once a second, until the phase."""
    ends_at = time.monotonic() + seconds_left(phase, time.time())
    while True:
        yield
        left = ends_at - time.monotonic()
        if left <= 0:
            return
        listener.heard(min(left, LONGEST_WAIT_SECONDS))
