"""Orders that their customers collect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(slots=True)
class PickupView:
    """What the next step of an order that is picked up needs to know of it.

    Attributes:
        node_id: The store that works on it; ``None`` once the goods travel instead.
        attempt: How many stores were asked, this one included.
        expires_at: When the goods are no longer held: the time to collect and its grace are over.
        due_at: When time alone changes something: a store's silence, a reminder, the end.
        ready_at: When the goods were at the counter.
    """

    order_id: str
    node_id: str | None
    attempt: int
    promised_ready_at: datetime
    expires_at: datetime
    due_at: datetime | None
    ready_at: datetime | None
    reminders_sent: int
    accepts_other_store: bool
    accepts_shipping: bool


class Pickups(Protocol):
    """Orders that are picked up; their order's lock is theirs."""

    def of_orders(self, order_ids: Iterable[str]) -> dict[str, PickupView]:
        """Those of these orders that are picked up, by order id."""
        ...

    def lock_due(self, instant: datetime, limit: int) -> dict[str, PickupView]:
        """Those at which time alone changes something, their orders locked.

        Not those of which something lies unread: it may be the news that time would tell.
        """
        ...

    def put(self, pickups: Iterable[PickupView]) -> None: ...
    def have_ordered_before(self, customer_ids: Iterable[str]) -> set[str]:
        """Those of these customers whose first order came before this instant."""
        ...
