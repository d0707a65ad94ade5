"""The ASGI app. A bare callable, because a framework's routing costs more than our whole work."""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
import structlog
from cloudevents.core.bindings.http import HTTPMessage, from_binary, to_structured
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from prometheus_client import CONTENT_TYPE_LATEST

from assets.contracts.admission import LARGEST_BODY_BYTES, Receipt, Refusal, Submission
from assets.contracts.signing import (
    SIGNATURE_HEADER,
    SOURCE_HEADER,
    TIMESTAMP_HEADER,
    binary_content,
    is_signed,
    query_content,
)
from assets.errors import ContractViolation
from assets.operations_policy import Limits
from sensors.gateway.group_commit import GroupCommit, Overloaded
from sensors.gateway.limits import RateLimiter
from sensors.gateway.metrics import Metrics
from sensors.gateway.openapi import document
from sensors.gateway.ports import Inquiries, Intake, KeyBook, StoreUnavailable, Translator

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = dict[str, str]

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
CORRELATION_HEADER = "x-correlation-id"

_EVENTS = "/v1/events/"
_UNKNOWN = "unknown"
_STATUS = {"accepted": 202, "duplicate": 202, "conflict": 409, "quarantined": 422}
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
_SOURCE = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_BUSY_SECONDS = 1
_DOWN_SECONDS = 5

_log = structlog.get_logger("gateway")
_encode = msgspec.json.Encoder().encode
_decode_batch = msgspec.json.Decoder(list[msgspec.Raw]).decode


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


class _Refused(Exception):
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
class _Answer:
    status: int
    body: bytes
    content_type: bytes = b"application/json"


@dataclass(slots=True)
class _Request:
    method: str
    path: str
    target: str
    query: str
    headers: Headers
    correlation_id: str
    source: str = _UNKNOWN
    events: int = 0
    event_id: str | None = None
    reason_code: str | None = None


def _wall() -> datetime:
    return datetime.now(UTC)


@dataclass
class Gateway:
    """The gateway of one process.

    Attributes:
        intake: Where events go.
        inquiries: Who answers questions.
        keys: Who may sign.
        limits: How much is too much.
        translators: By source, for partners that send payloads of their own.
        readers: Sources that may ask about channels other than themselves.
        wall: The wall's time, for signatures.
    """

    intake: Intake
    inquiries: Inquiries
    keys: KeyBook
    limits: Limits
    translators: Mapping[str, Translator] = field(default_factory=dict)
    readers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    wall: Callable[[], datetime] = _wall
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self._writer = GroupCommit(self.intake, self.limits, self.metrics)
        self._rates = RateLimiter(self.limits, time.monotonic)
        self._openapi = _encode(document(self.limits))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's lifespan or request."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def start(self) -> None:
        """Begin to write; the lifespan does it where a server runs one."""
        self._writer.start()

    async def stop(self) -> None:
        """Write what is waiting and end."""
        await self._writer.stop()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        given = headers.get(CORRELATION_HEADER, "")
        query = scope["query_string"].decode("latin-1")
        target = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        request = _Request(
            scope["method"],
            scope["path"],
            f"{target}?{query}" if query else target,
            query,
            headers,
            given if _CORRELATION_ID.match(given) else secrets.token_hex(8),
        )
        start = time.perf_counter()
        extra: Sequence[tuple[bytes, bytes]] = ()
        try:
            answer = await self._route(request, receive)
        except _Refused as refused:
            answer, extra = self._problem(request, refused), refused.headers
        except (Overloaded, StoreUnavailable) as error:
            later = (
                _Refused(503, "overloaded", retry_after=_BUSY_SECONDS)
                if isinstance(error, Overloaded)
                else _Refused(503, "store_unavailable", retry_after=_DOWN_SECONDS)
            )
            answer, extra = self._problem(request, later), later.headers
        except Exception as error:  # noqa: BLE001  the edge: a sender sees a status, never a trace
            _log.error("request_failed", error=type(error).__name__, where=_where(error))
            answer = self._problem(request, _Refused(500, "internal_error"))
        self.metrics.seconds.observe(time.perf_counter() - start)
        self.metrics.count_request(request.source, answer.status)
        log = _log.debug if answer.status < 400 else _log.info
        log(
            "request",
            correlation_id=request.correlation_id,
            source=request.source,
            method=request.method,
            status=answer.status,
            events=request.events,
            event_id=request.event_id,
            reason_code=request.reason_code,
        )
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [
                    (b"content-type", answer.content_type),
                    (b"content-length", str(len(answer.body)).encode()),
                    (b"x-correlation-id", request.correlation_id.encode()),
                    *extra,
                ],
            }
        )
        await send(
            {
                "type": "http.response.body",
                "body": b"" if request.method == "HEAD" else answer.body,
            }
        )

    def _problem(self, request: _Request, refused: _Refused) -> _Answer:
        request.reason_code = refused.reason_code
        problem = Problem(
            refused.reason_code.replace("_", " "),
            refused.status,
            refused.reason_code,
            request.correlation_id,
            refused.detail,
        )
        return _Answer(refused.status, _encode(problem), b"application/problem+json")

    async def _route(self, request: _Request, receive: Receive) -> _Answer:
        path = request.path
        if path.startswith(_EVENTS):
            source = path[len(_EVENTS) :]
            if not _SOURCE.match(source):
                raise _Refused(404, "not_found")
            if request.method != "POST":
                raise _Refused(405, "method_not_allowed", allow="POST")
            return await self._post(request, source, receive)
        # Split before decoding: an order number may hold a slash.
        parts = [unquote(part) for part in request.target.partition("?")[0].split("/")]
        is_order = len(parts) == 5 and path.startswith("/v1/orders/")
        is_availability = len(parts) == 4 and path.startswith("/v1/availability/")
        plain = _PLAIN.get(path)
        if not (is_order or is_availability or plain):
            raise _Refused(404, "not_found")
        if request.method not in ("GET", "HEAD"):
            raise _Refused(405, "method_not_allowed", allow="GET, HEAD")
        if plain is not None:
            return await plain(self)
        self._authenticate_query(request, channel=parts[3])
        if is_order:
            return await self._order_status(channel=parts[3], order_number=parts[4])
        return await self._availability(request, channel=parts[3])

    # Events in

    async def _post(self, request: _Request, source: str, receive: Receive) -> _Answer:
        headers = request.headers
        body = await self._read(headers, receive)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_binary = "ce-specversion" in headers and content_type not in (STRUCTURED, BATCH)
        content = binary_content(headers, body) if is_binary else body
        if headers.get(SOURCE_HEADER, source) != source:
            raise _Refused(401, "not_authenticated")
        self._authenticate(request, source, content)
        if "content-encoding" in headers:
            raise _Refused(415, "unsupported_encoding")
        if content_type == STRUCTURED:
            return await self._take_one(request, Submission(source, body, "webhook"))
        if content_type == BATCH:
            return await self._take_batch(request, body)
        if is_binary:
            return await self._take_binary(request, content_type, body)
        translator = self.translators.get(source)
        if translator is not None:
            return await self._take_translated(request, translator, body)
        raise _Refused(415, "unsupported_media_type", f"send {STRUCTURED}, {BATCH} or binary mode")

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        limit = self.limits.request_bytes
        if not headers.get("content-type", "").startswith(BATCH):
            limit = min(limit, LARGEST_BODY_BYTES)
        stated = headers.get("content-length", "0")
        if not stated.isdigit() or int(stated) > limit:
            raise _Refused(413, "body_too_large", f"at most {limit} bytes", closes=True)
        message = await receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body", False):
            parts, size = [body], len(body)
            while message.get("more_body", False):
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Refused(400, "disconnected")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise _Refused(413, "body_too_large", f"at most {limit} bytes", closes=True)
            body = b"".join(parts)
        if len(body) > limit:
            raise _Refused(413, "body_too_large", f"at most {limit} bytes", closes=True)
        return body

    def _authenticate(self, request: _Request, source: str, content: bytes) -> None:
        headers = request.headers
        if not is_signed(
            self.keys.keys(source),
            content,
            headers.get(TIMESTAMP_HEADER, ""),
            headers.get(SIGNATURE_HEADER, ""),
            self.wall(),
        ):
            # One answer for a stranger, a wrong key and an old request: it teaches nothing.
            raise _Refused(401, "not_authenticated")
        request.source = source

    def _allow(self, request: _Request, events: int) -> None:
        request.events = events
        wait = self._rates.take(request.source, events)
        if wait > 0:
            raise _Refused(429, "rate_limited", retry_after=wait)

    async def _take_one(self, request: _Request, submission: Submission) -> _Answer:
        self._allow(request, 1)
        (receipt,) = await self._writer.submit([submission])
        result = self._result(request, receipt)
        request.event_id, request.reason_code = receipt.event_id, receipt.reason_code
        return _Answer(result.status, _encode(result))

    async def _take_batch(self, request: _Request, body: bytes) -> _Answer:
        try:
            events = _decode_batch(body)
        except (ValueError, RecursionError):
            return await self._refuse(request, body, "malformed_json", "it is not a JSON array")
        if len(events) > self.limits.batch_events:
            raise _Refused(413, "too_many_events", f"at most {self.limits.batch_events} a batch")
        return await self._take_many(
            request,
            [
                Submission(request.source, bytes(event), f"batch[{index}]")
                for index, event in enumerate(events)
            ],
        )

    async def _take_many(self, request: _Request, submissions: list[Submission]) -> _Answer:
        self._allow(request, len(submissions))
        receipts = await self._writer.submit(submissions) if submissions else []
        results = [self._result(request, receipt) for receipt in receipts]
        is_plain = all(result.status == 202 for result in results)
        return _Answer(202 if is_plain else 207, _encode(BatchResult(results)))

    async def _take_binary(self, request: _Request, content_type: str, body: bytes) -> _Answer:
        if content_type != JSON:
            raise _Refused(415, "unsupported_media_type", f"the data of an event is {JSON}")
        attributes = {
            name: value for name, value in request.headers.items() if name.startswith("ce-")
        }
        try:
            message = HTTPMessage({**attributes, "content-type": JSON}, body)
            event = from_binary(message, JSONFormat(), CloudEvent)
            structured = to_structured(event, JSONFormat()).body
        except (BaseCloudEventException, ExceptionGroup) as error:
            return await self._refuse(request, body, "not_cloudevents", type(error).__name__)
        except (ValueError, RecursionError):
            return await self._refuse(request, body, "malformed_json", "data or time is not sound")
        return await self._take_one(request, Submission(request.source, structured, "webhook"))

    async def _take_translated(
        self, request: _Request, translator: Translator, body: bytes
    ) -> _Answer:
        try:
            events, not_taken = translator(body, request.headers)
        except ContractViolation as violation:
            return await self._refuse(request, body, violation.reason_code, str(violation))
        if len(events) > self.limits.batch_events:
            raise _Refused(413, "too_many_events", f"at most {self.limits.batch_events} a payload")
        reason = "; ".join(not_taken)
        if not_taken and not events:
            return await self._refuse(request, body, "not_taken", reason)
        if not_taken:
            # The part that is taken goes on; the rest is kept until a contract takes it.
            refusal = Refusal(request.source, body, "webhook", "not_taken", reason)
            await self._writer.submit([], [refusal])
        submissions = [
            Submission(request.source, event, f"translated[{index}]")
            for index, event in enumerate(events)
        ]
        if len(submissions) == 1:
            return await self._take_one(request, submissions[0])
        return await self._take_many(request, submissions)

    async def _refuse(
        self, request: _Request, body: bytes, reason_code: str, reason: str
    ) -> _Answer:
        """Keep and refuse what never became an event."""
        self._allow(request, 1)
        refusal = Refusal(request.source, body, "webhook", reason_code, reason)
        await self._writer.submit([], [refusal])
        request.reason_code = reason_code
        receipt = Receipt("quarantined", None, reason_code, reason, "$")
        return _Answer(422, _encode(self._result(request, receipt)))

    def _result(self, request: _Request, receipt: Receipt) -> EventResult:
        self.metrics.count_event(request.source, receipt.outcome)
        return EventResult(
            receipt.outcome,
            _STATUS[receipt.outcome],
            receipt.event_id,
            receipt.reason_code,
            receipt.reason,
            receipt.pointer,
        )

    # Answers out

    def _authenticate_query(self, request: _Request, channel: str) -> None:
        source = request.headers.get(SOURCE_HEADER, "")
        # A HEAD is signed as the GET that it stands for.
        self._authenticate(request, source, query_content("GET", request.target))
        self._allow(request, 1)
        if channel != source and channel not in self.readers.get(source, frozenset()):
            raise _Refused(403, "not_your_channel")

    async def _order_status(self, channel: str, order_number: str) -> _Answer:
        status = await asyncio.to_thread(self.inquiries.order_status, channel, order_number)
        if status is None:
            raise _Refused(404, "unknown_order")
        return _Answer(200, _encode(status))

    async def _availability(self, request: _Request, channel: str) -> _Answer:
        try:
            asked = parse_qs(request.query, strict_parsing=bool(request.query), errors="strict")
        except ValueError as error:
            raise _Refused(422, "bad_query", "ask with ?sku=A&sku=B") from error
        skus = list(dict.fromkeys(asked.get("sku", ())))
        if not 1 <= len(skus) <= self.limits.query_skus or any("\x00" in sku for sku in skus):
            raise _Refused(422, "bad_query", f"name 1 to {self.limits.query_skus} SKUs")
        items = await asyncio.to_thread(self.inquiries.availability, channel, skus)
        return _Answer(200, _encode(Availability(channel, items)))

    async def _health(self) -> _Answer:
        return _Answer(200, b'{"status":"alive"}')

    async def _readiness(self) -> _Answer:
        if not await asyncio.to_thread(self.intake.is_ready):
            raise _Refused(503, "store_unavailable", retry_after=_DOWN_SECONDS)
        return _Answer(200, b'{"status":"ready"}')

    async def _metrics_text(self) -> _Answer:
        return _Answer(200, self.metrics.text(), CONTENT_TYPE_LATEST.encode())

    async def _interface(self) -> _Answer:
        return _Answer(200, self._openapi)


def _where(error: Exception) -> str:
    """The place of a defect without its message, which may quote what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"


_PLAIN: dict[str, Callable[[Gateway], Awaitable[_Answer]]] = {
    "/healthz": Gateway._health,
    "/readyz": Gateway._readiness,
    "/metrics": Gateway._metrics_text,
    "/openapi.json": Gateway._interface,
}
