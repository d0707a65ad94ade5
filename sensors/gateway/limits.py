"""How much one sender may ask, and all of them together: each number in this one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from assets.contracts.admission import LARGEST_BODY_BYTES


@dataclass(frozen=True)
class Limits:
    """The gateway's limits.

    Attributes:
        event_bytes: What one event may hold, the same as at the door.
        request_bytes: A batch of a thousand ordinary orders; more does not fit a group commit.
        batch_events: So that one answer stays within a second.
        events_per_second: What one source may send in the long run; three times the busiest hour
            of a retailer with ten million orders a year.
        burst_events: What one source may send at once, such as after an outage of its own.
        waiting_events: What may wait for the database; at 5,000 events a second two seconds.
        transaction_events: What one group commit takes; larger ones delay the first of them.
        query_skus: What one availability query may ask for.
    """

    event_bytes: int = LARGEST_BODY_BYTES
    request_bytes: int = 8 * 1024 * 1024
    batch_events: int = 1_000
    events_per_second: float = 2_000.0
    burst_events: float = 20_000.0
    waiting_events: int = 10_000
    transaction_events: int = 2_000
    query_skus: int = 200


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
