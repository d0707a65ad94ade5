"""A gateway with fakes around it, and a client that signs as a partner would."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import msgspec

from assets.contracts.admission import Receipt, Refusal, Submission, check
from assets.contracts.answers import OrderStatus, SkuAvailability
from assets.contracts.signing import query_content, sign
from assets.errors import ContractViolation
from assets.operations_policy import Limits
from resources.policy_book import read_operations
from sensors.gateway.app import Gateway
from sensors.gateway.messages import BATCH, STRUCTURED
from sensors.gateway.ports import StoreUnavailable
from tests.contracts.events import WEB, body

KEY = "current-key"
OLD_KEY = "previous-key"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass
class FakeKeys:
    known: dict[str, list[str]] = field(
        default_factory=lambda: {WEB: [KEY, OLD_KEY], "market": ["market-key"]}
    )

    def keys(self, source: str) -> Sequence[str]:
        return self.known.get(source, [])


@dataclass
class FakeStore:
    """A door in memory. `open` can be cleared to hold the writer back."""

    stored: dict[tuple[str, str], bytes] = field(default_factory=dict)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    is_away: bool = False
    breaks_on: str | None = None
    open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open.set()

    def take(self, submissions: Sequence[Submission], refusals: Sequence[Refusal]) -> list[Receipt]:
        self.open.wait(10)
        if self.is_away:
            raise StoreUnavailable("the database cannot be reached: secret-host")
        if self.breaks_on is not None and any(
            self.breaks_on.encode() in submission.body for submission in submissions
        ):
            raise ArithmeticError("customer Jane Doe")
        self.groups.append(len(submissions) + len(refusals))
        self.quarantined += [(refusal.source, refusal.reason_code) for refusal in refusals]
        return [self._take(submission) for submission in submissions]

    def _take(self, submission: Submission) -> Receipt:
        try:
            admitted = check(submission.source, submission.body, NOW)
        except ContractViolation as violation:
            self.quarantined.append((submission.source, violation.reason_code))
            return Receipt(
                "quarantined", None, violation.reason_code, str(violation), violation.pointer
            )
        key = (submission.source, admitted.envelope.id)
        was_known = key in self.stored
        known = self.stored.setdefault(key, admitted.body_hash)
        if known == admitted.body_hash:
            return Receipt("duplicate" if was_known else "accepted", key[1])
        self.quarantined.append((submission.source, "id_conflict"))
        return Receipt("conflict", key[1], "id_conflict", "came with another body", "$.id")

    def is_ready(self) -> bool:
        return not self.is_away

    def order_status(self, channel: str, order_number: str) -> OrderStatus | None:
        if self.is_away:
            raise StoreUnavailable("away")
        if order_number == "unknown":
            return None
        return OrderStatus(
            channel, order_number, "allocated", NOW, date(2026, 3, 4), "GBP", "2.5500", [], []
        )

    def availability(self, channel: str, skus: Sequence[str]) -> list[SkuAvailability]:
        return [SkuAvailability(sku, 4 if channel == WEB else 0, NOW) for sku in skus]


@dataclass
class Caller:
    """What a partner does, over an in-process transport."""

    client: httpx.AsyncClient
    at: datetime = NOW

    async def post(
        self,
        content: bytes,
        content_type: str = STRUCTURED,
        source: str = WEB,
        key: str = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        return await self.client.post(
            f"/v1/events/{source}",
            content=content,
            headers={
                "content-type": content_type,
                **sign(key, content, self.at, source),
                **(headers or {}),
            },
        )

    async def send(self, event: Any, **options: Any) -> httpx.Response:
        return await self.post(body(event), **options)

    async def send_batch(self, *events: Any) -> httpx.Response:
        return await self.post(json.dumps(events).encode(), BATCH)

    async def ask(self, target: str, source: str = WEB, key: str = KEY) -> httpx.Response:
        headers = sign(key, query_content("GET", target), self.at, source)
        return await self.client.get(target, headers=headers)


def calling(gateway: Gateway, story: Callable[[Caller], Awaitable[None]]) -> None:
    """Run a story against a started gateway."""

    async def run() -> None:
        transport = httpx.ASGITransport(app=gateway, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            await gateway.start()
            try:
                await story(Caller(client))
            finally:
                await gateway.stop()

    asyncio.run(run())


def limits(**differing: float) -> Limits:
    """The shipped limits, but for these."""
    return msgspec.structs.replace(read_operations().gateway, **differing)


def gateway_over(store: FakeStore, **options: Any) -> Gateway:
    options.setdefault("keys", FakeKeys())
    options.setdefault("limits", limits())
    return Gateway(intake=store, inquiries=store, wall=lambda: NOW, **options)
