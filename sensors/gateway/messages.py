"""What travels: a request as it is read, an answer as it is sent, and the refusal that ends one."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = dict[str, str]

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"

#: When to come again: what is busy is free soon, what is down takes longer.
BUSY_SECONDS = 1
DOWN_SECONDS = 5

#: The source of a request before somebody has signed it.
UNKNOWN = "unknown"

encode = msgspec.json.Encoder().encode


class EventResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one event, as its sender is told."""

    outcome: str
    status: int
    id: str | None = None
    reason_code: str | None = None
    reason: str | None = None
    pointer: str | None = None


class BatchResult(msgspec.Struct, frozen=True):
    """What became of each event of a batch, in its order."""

    results: list[EventResult]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A refusal, after RFC 9457, with a reason that programs can read."""

    title: str
    status: int
    reason_code: str
    correlation_id: str
    detail: str | None = None


class Availability(msgspec.Struct, frozen=True):
    """What a channel may sell."""

    channel: str
    items: list[Any]


class Refused(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        status: int,
        reason_code: str,
        detail: str | None = None,
        *,
        retry_after: float | None = None,
        allow: str | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(reason_code)
        self.status = status
        self.reason_code = reason_code
        self.detail = detail
        self.headers: list[tuple[bytes, bytes]] = []
        if retry_after is not None:
            self.headers.append((b"retry-after", str(max(1, math.ceil(retry_after))).encode()))
        if allow is not None:
            self.headers.append((b"allow", allow.encode()))
        if closes:
            # The rest of the body is not worth reading.
            self.headers.append((b"connection", b"close"))


@dataclass(slots=True)
class Answer:
    """A status and a body; the headers that every answer has are added when it is sent."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"


@dataclass(slots=True)
class Request:
    """A request, and what the log and the metrics are told about it on its way."""

    method: str
    path: str
    target: str
    query: str
    headers: Headers
    correlation_id: str
    source: str = UNKNOWN
    events: int = 0
    event_id: str | None = None
    reason_code: str | None = None
