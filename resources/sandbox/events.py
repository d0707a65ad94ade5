"""Events on their way out: made once, kept until the other side says that it has them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encode = msgspec.json.Encoder().encode


class BadToken(ValueError):
    """A page token that no page of ours has had."""


class Scope(msgspec.Struct, frozen=True):
    """The part of an envelope that says for whom of the retailer something happened."""

    legal_entity: str
    brand: str
    region: str
    channel: str


class _CloudEvent(msgspec.Struct):
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    legalentity: str
    brand: str
    region: str
    channel: str
    correlationid: str
    data: Any


def cloud_event(
    event_id: str,
    source: str,
    event_type: str,
    subject: str,
    time: datetime,
    scope: Scope,
    correlation_id: str,
    data: msgspec.Struct | msgspec.Raw,
) -> bytes:
    """One event as it goes over the wire, structured mode."""
    return _encode(
        _CloudEvent(
            "1.0",
            event_id,
            source,
            event_type,
            subject,
            time.astimezone(UTC),
            "application/json",
            scope.legal_entity,
            scope.brand,
            scope.region,
            scope.channel,
            correlation_id,
            data,
        )
    )


@dataclass(frozen=True)
class Page:
    """Some of the due events, oldest first; the token stands for exactly these."""

    events: list[bytes]
    token: str
    more: bool


class EventQueue:
    """Events of one partner that nobody has acknowledged yet.

    A token names the last event of its page and how many events had been made by then. What was
    made later and sorts earlier is therefore never acknowledged unseen, and a token still means
    the same after a restart.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, str, int, bytes]] = []
        self._is_sorted = True
        self._made = 0

    def add(self, due: datetime, event_id: str, body: bytes) -> None:
        """Queue one event for its time."""
        self._made += 1
        self._waiting.append(((due - _EPOCH) // _MICROSECOND, event_id, self._made, body))
        self._is_sorted = False

    def page(self, until: datetime, limit: int) -> Page:
        """The oldest events that are due; asking again gives the same ones."""
        self._sort()
        due = self.due(until)
        chosen = self._waiting[: min(due, limit)]
        if not chosen:
            return Page([], "", more=False)
        instant, event_id, made, _ = chosen[-1]
        token = f"{self._made}.{instant}.{made}.{event_id}"
        return Page([body for _, _, _, body in chosen], token, more=due > len(chosen))

    def due(self, until: datetime) -> int:
        """How many events are due."""
        self._sort()
        return bisect_left(self._waiting, ((until - _EPOCH) // _MICROSECOND + 1,))

    def acknowledge(self, token: str) -> int:
        """Forget the events of a page; doing so twice changes nothing.

        Raises:
            BadToken: If the text is not a token.
        """
        try:
            known, instant, made, event_id = token.split(".", 3)
            last = (int(instant), event_id, int(made))
            watermark = int(known)
        except ValueError as error:
            raise BadToken(token) from error
        self._sort()
        cut = bisect_right(self._waiting, last, key=lambda event: event[:3])
        kept = [event for event in self._waiting[:cut] if event[2] > watermark]
        self._waiting[:cut] = kept
        return cut - len(kept)

    def _sort(self) -> None:
        if not self._is_sorted:
            self._waiting.sort()
            self._is_sorted = True
