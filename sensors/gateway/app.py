"""The ASGI app. A bare callable, because a framework's routing costs more than our whole work."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import structlog
from prometheus_client import CONTENT_TYPE_LATEST

from assets.operations_policy import Limits
from sensors.gateway.access import Access
from sensors.gateway.answers_out import AnswersOut
from sensors.gateway.events_in import EventsIn
from sensors.gateway.group_commit import GroupCommit, Overloaded
from sensors.gateway.limits import RateLimiter
from sensors.gateway.messages import (
    BUSY_SECONDS,
    DOWN_SECONDS,
    Answer,
    Problem,
    Receive,
    Refused,
    Request,
    Scope,
    Send,
    encode,
)
from sensors.gateway.metrics import Metrics
from sensors.gateway.openapi import document
from sensors.gateway.ports import Inquiries, Intake, KeyBook, StoreUnavailable, Translator

CORRELATION_HEADER = "x-correlation-id"

_EVENTS = "/v1/events/"
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
_SOURCE = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")

_log = structlog.get_logger("gateway")

ExtraHeaders = Sequence[tuple[bytes, bytes]]


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
        rates = RateLimiter(self.limits, time.monotonic)
        access = Access(self.keys, self.readers, rates, self.wall)
        self._events = EventsIn(self._writer, access, self.translators, self.limits, self.metrics)
        self._answers = AnswersOut(self.inquiries, access, self.limits)
        self._openapi = encode(document(self.limits))

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
        request = _request(scope)
        start = time.perf_counter()
        answer, extra = await self._answer(request, receive)
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

    async def _answer(self, request: Request, receive: Receive) -> tuple[Answer, ExtraHeaders]:
        """The answer to a request, whatever happens on its way."""
        try:
            return await self._route(request, receive), ()
        except Refused as refused:
            return _problem(request, refused), refused.headers
        except (Overloaded, StoreUnavailable) as error:
            later = (
                Refused(503, "overloaded", retry_after=BUSY_SECONDS)
                if isinstance(error, Overloaded)
                else Refused(503, "store_unavailable", retry_after=DOWN_SECONDS)
            )
            return _problem(request, later), later.headers
        except Exception as error:  # noqa: BLE001  the edge: a sender sees a status, never a trace
            _log.error("request_failed", error=type(error).__name__, where=_where(error))
            return _problem(request, Refused(500, "internal_error")), ()

    async def _route(self, request: Request, receive: Receive) -> Answer:
        path = request.path
        if path.startswith(_EVENTS):
            source = path[len(_EVENTS) :]
            if not _SOURCE.match(source):
                raise Refused(404, "not_found")
            if request.method != "POST":
                raise Refused(405, "method_not_allowed", allow="POST")
            return await self._events.post(request, source, receive)
        # Split before decoding: an order number may hold a slash.
        parts = [unquote(part) for part in request.target.partition("?")[0].split("/")]
        is_order = len(parts) == 5 and path.startswith("/v1/orders/")
        is_availability = len(parts) == 4 and path.startswith("/v1/availability/")
        plain = _PLAIN.get(path)
        if not (is_order or is_availability or plain):
            raise Refused(404, "not_found")
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "method_not_allowed", allow="GET, HEAD")
        if plain is not None:
            return await plain(self)
        if is_order:
            return await self._answers.order_status(
                request, channel=parts[3], order_number=parts[4]
            )
        return await self._answers.availability(request, channel=parts[3])

    async def _health(self) -> Answer:
        return Answer(200, b'{"status":"alive"}')

    async def _readiness(self) -> Answer:
        if not await asyncio.to_thread(self.intake.is_ready):
            raise Refused(503, "store_unavailable", retry_after=DOWN_SECONDS)
        return Answer(200, b'{"status":"ready"}')

    async def _metrics_text(self) -> Answer:
        return Answer(200, self.metrics.text(), CONTENT_TYPE_LATEST.encode())

    async def _interface(self) -> Answer:
        return Answer(200, self._openapi)


def _request(scope: Scope) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    given = headers.get(CORRELATION_HEADER, "")
    query = scope["query_string"].decode("latin-1")
    target = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    return Request(
        scope["method"],
        scope["path"],
        f"{target}?{query}" if query else target,
        query,
        headers,
        given if _CORRELATION_ID.match(given) else secrets.token_hex(8),
    )


def _problem(request: Request, refused: Refused) -> Answer:
    request.reason_code = refused.reason_code
    problem = Problem(
        refused.reason_code.replace("_", " "),
        refused.status,
        refused.reason_code,
        request.correlation_id,
        refused.detail,
    )
    return Answer(refused.status, encode(problem), b"application/problem+json")


def _where(error: Exception) -> str:
    """The place of a defect without its message, which may quote what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"


_PLAIN: dict[str, Callable[[Gateway], Awaitable[Answer]]] = {
    "/healthz": Gateway._health,
    "/readyz": Gateway._readiness,
    "/metrics": Gateway._metrics_text,
    "/openapi.json": Gateway._interface,
}
