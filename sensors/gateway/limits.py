"""How often one sender may ask; how much is too much is said by the platform's policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from assets.operations_policy import Limits


@dataclass
class RateLimiter:
    """A bucket of tokens per source; each event takes one. Only the event loop uses it."""

    limits: Limits
    monotonic: Callable[[], float]
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, source: str, events: int) -> float:
        """Seconds to wait before these events may come; 0 if they may come now."""
        now = self.monotonic()
        tokens, at = self._buckets.get(source, (self.limits.burst_events, now))
        tokens = min(self.limits.burst_events, tokens + (now - at) * self.limits.events_per_second)
        if tokens < events:
            self._buckets[source] = (tokens, now)
            return (events - tokens) / self.limits.events_per_second
        self._buckets[source] = (tokens - events, now)
        return 0.0
