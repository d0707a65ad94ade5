"""The sandbox over HTTP: routes only. One process and one thread, so no two changes overlap."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from resources.edi.interchange import BrokenInterchange
from resources.sandbox import mailbox
from resources.sandbox.events import BadToken
from resources.sandbox.faults import DONE_UNHEARD, Interrupted
from resources.sandbox.partner import Command
from resources.sandbox.push import Gateway
from resources.sandbox.retailer import CommandBatch, Retailer, Until

_PAGE = 500
_LARGEST_PAGE = 10_000
Endpoint = Callable[[Request], Awaitable[Response]]


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def _refusal(_: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, 400)


def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette hands it nothing else
    return _json({"error": error.detail}, error.status_code)


class _LostAnswer(Response):
    """An answer that begins and breaks off: the caller cannot know what was done."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a body and end without it, whereupon the server drops the connection."""
        del scope, receive
        headers = [(b"content-type", b"application/json"), (b"content-length", b"64")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


def _interruption(_: Request, error: Exception) -> Response:
    assert isinstance(error, Interrupted)  # noqa: S101 - Starlette hands it nothing else
    if error.kind == DONE_UNHEARD:
        return _LostAnswer()
    is_busy = error.kind == "too_many_requests"
    return _json({"error": "try again"}, 429 if is_busy else 500)


class _Endpoints:
    """What each route does with one retailer."""

    def __init__(self, retailer: Retailer, gateway: Gateway | None) -> None:
        self._retailer = retailer
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """Every way in."""
        ways: list[tuple[str, str, Endpoint]] = [
            ("GET", "/healthz", self.health),
            ("POST", "/sandbox/v1/configure", self.configure),
            ("POST", "/sandbox/v1/trading", self.trade),
            ("POST", "/sandbox/v1/advance", self.advance),
            ("POST", "/erp/v1/items", self.items),
            ("GET", "/crm/v1/messages", self.messages),
            ("GET", "/{partner}/v1/availability", self.availability),
            ("POST", "/{partner}/v1/commands", self.commands),
            ("POST", "/{partner}/v1/commands/{command_type}", self.command),
            ("GET", "/{partner}/v1/events", self.events),
            ("POST", "/supplier_x12/v1/interchanges", self.interchange),
        ]
        return [Route(path, endpoint, methods=[method]) for method, path, endpoint in ways]

    def _known(self, request: Request) -> str:
        code: str = request.path_params["partner"]
        if code not in self._retailer.systems:
            raise HTTPException(404, f"no partner is called {code}")
        return code

    async def health(self, _: Request) -> Response:
        """Whether it is there, and for whom."""
        return _json({"status": "ok", "partners": list(self._retailer.systems)})

    async def configure(self, request: Request) -> Response:
        """Set the scene, faults included."""
        return _json(self._retailer.configure(await request.body()))

    async def trade(self, request: Request) -> Response:
        """Let customers order."""
        return _json(self._retailer.trade(await request.body()))

    async def advance(self, request: Request) -> Response:
        """Push to the gateway what has happened by an instant."""
        wanted = msgspec.json.decode(await request.body(), type=Until)
        if self._gateway is None:
            raise HTTPException(409, "this sandbox was started without a gateway to push to")
        return _json(await self._gateway.push(self._retailer, wanted.until))

    async def items(self, request: Request) -> Response:
        """Let the ERP know products."""
        return _json(self._retailer.register(await request.body()))

    async def messages(self, request: Request) -> Response:
        """What customers were told, of one order or all."""
        order = request.query_params.get("order_number")
        sent = self._retailer.crm.messages
        if order is not None:
            sent = [message for message in sent if message.order_number == order]
        return _json({"messages": sent})

    async def availability(self, request: Request) -> Response:
        """What a channel shows."""
        channel = self._retailer.channels.get(self._known(request))
        if channel is None:
            raise HTTPException(404, "only channels have availability")
        lines = [{"sku": sku, "quantity": units} for sku, units in channel.availability.items()]
        return _json({"as_of": channel.as_of, "lines": lines})

    async def commands(self, request: Request) -> Response:
        """Take a batch of commands, with an answer to each."""
        results = self._retailer.take(self._known(request), await request.body())
        return _json({"results": results})

    async def command(self, request: Request) -> Response:
        """Take one command."""
        code = self._known(request)
        wanted = msgspec.json.decode(await request.body(), type=Command)
        if request.headers.get("idempotency-key") != wanted.command_id:
            raise HTTPException(400, "the Idempotency-Key must be the command's id")
        if request.path_params["command_type"] != wanted.command_type:
            raise HTTPException(400, "the path names another command type than the body")
        batch = msgspec.json.encode(CommandBatch([wanted]))
        result = self._retailer.take(code, batch)[0]
        return _json(result, 422 if result.status == "rejected" else 200)

    async def interchange(self, request: Request) -> Response:
        """Take an interchange of orders for the portal's suppliers; its 997 says what became."""
        text = (await request.body()).decode("latin-1")
        try:
            posted = mailbox.opened(text, request.headers.get("idempotency-key", ""))
        except BrokenInterchange as broken:
            raise HTTPException(422, f"segment {broken.position}: {broken.reason}") from broken
        batch = msgspec.json.encode(CommandBatch(posted.commands))
        answer = posted.answered(self._retailer.take("supplier_portal", batch))
        return Response(answer, media_type="application/edi-x12")

    async def events(self, request: Request) -> Response:
        """A page of what a partner has to say by an instant."""
        code, asked = self._known(request), request.query_params
        until, limit = _page_asked_for(asked)
        if asked.get("acknowledge"):
            self._retailer.acknowledge(code, asked["acknowledge"])
        page = self._retailer.page(code, until, limit)
        body = b'{"events":[%b],"token":%b,"more":%b}' % (
            b",".join(page.events),
            msgspec.json.encode(page.token),
            b"true" if page.more else b"false",
        )
        return Response(body, media_type="application/json")


def _page_asked_for(asked: QueryParams) -> tuple[datetime, int]:
    """Until when (UTC), and how many at most."""
    try:
        until = datetime.fromisoformat(asked["until"])
        limit = int(asked.get("limit", _PAGE))
    except (KeyError, ValueError) as error:
        raise HTTPException(400, "events need an until (ISO 8601) and a whole limit") from error
    if until.tzinfo is None or not 1 <= limit <= _LARGEST_PAGE:
        raise HTTPException(400, f"until needs a zone, limit 1 to {_LARGEST_PAGE}")
    return until.astimezone(UTC), limit


def build(retailer: Retailer, gateway: Gateway | None) -> Starlette:
    """The application around one retailer; without a gateway nothing can be pushed."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        if gateway is not None:
            await gateway.close()
        retailer.close()

    return Starlette(
        routes=_Endpoints(retailer, gateway).routes(),
        exception_handlers={
            BadToken: _refusal,
            msgspec.DecodeError: _refusal,
            HTTPException: _problem,
            Interrupted: _interruption,
        },
        lifespan=lifespan,
    )


def only_for(home: str, app: ASGIApp) -> ASGIApp:
    """The sandbox below ``/homes/{home}``; whoever wants another home's is told to come later.

    Homes run side by side and a port that one gave up may be another's next: commands and answers
    of one must never reach the other.
    """
    prefix = f"/homes/{home}"

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path == "/healthz":
            await app(scope, receive, send)
        elif path.startswith(f"{prefix}/"):
            await app({**scope, "path": path.removeprefix(prefix)}, receive, send)
        else:
            refusal = JSONResponse({"reason": "this sandbox plays for another home"}, 503)
            await refusal(scope, receive, send)

    return serve
