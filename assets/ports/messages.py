"""What comes in and what goes out: events, commands, and whose business they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """One accepted event as its consumer sees it; ``data`` is the contract's struct."""

    inbox_id: int
    source: str
    event_id: str
    event_type: str
    subject: str
    legal_entity: str
    brand: str
    region: str
    channel: str
    correlation_id: str
    occurred_at: datetime
    data: Any


class Scope(Protocol):
    """Whose business it is: an event and an order both say so."""

    @property
    def legal_entity(self) -> str: ...
    @property
    def brand(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def correlation_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Command:
    """Something to tell a partner.

    Attributes:
        business_key: Orders it among the commands of its partner.
        caused_at: When what made us say it happened; a sandbox answers relative to it.
        discriminator: Tells apart commands of one type about one business key; part of the
            idempotency key.
    """

    partner: str
    command_type: str
    business_key: str
    scope: Scope
    payload: dict[str, Any]
    owner: str
    caused_at: datetime
    discriminator: str = ""


class Tally(Protocol):
    """What applying events did, in events."""

    applied: int
    waiting: int
    quarantined: int
    cases: int
    batches: int


class Inbox(Protocol):
    """What happened to the events of this batch. An event that is not named was applied."""

    def park(self, event: InboxEvent, reason: str, release_condition: str) -> None: ...
    def quarantine(self, event: InboxEvent, reason_code: str, reason: str) -> None: ...
    def release(self, conditions: Iterable[str]) -> None: ...
