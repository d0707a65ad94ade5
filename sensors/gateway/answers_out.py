"""Answers out: what the governed interfaces say to a channel that asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs

from assets.operations_policy import Limits
from sensors.gateway.access import Access
from sensors.gateway.messages import Answer, Availability, Refused, Request, encode
from sensors.gateway.ports import Inquiries


@dataclass
class AnswersOut:
    """The part of the gateway that answers questions.

    Attributes:
        inquiries: Who knows.
        access: Who may ask.
        limits: How much is too much.
    """

    inquiries: Inquiries
    access: Access
    limits: Limits

    async def order_status(self, request: Request, channel: str, order_number: str) -> Answer:
        """Where an order of the channel stands."""
        self.access.authenticate_query(request, channel)
        status = await asyncio.to_thread(self.inquiries.order_status, channel, order_number)
        if status is None:
            raise Refused(404, "unknown_order")
        return Answer(200, encode(status))

    async def availability(self, request: Request, channel: str) -> Answer:
        """What the channel may sell of the SKUs that it names."""
        self.access.authenticate_query(request, channel)
        try:
            asked = parse_qs(request.query, strict_parsing=bool(request.query), errors="strict")
        except ValueError as error:
            raise Refused(422, "bad_query", "ask with ?sku=A&sku=B") from error
        skus = list(dict.fromkeys(asked.get("sku", ())))
        if not 1 <= len(skus) <= self.limits.query_skus or any("\x00" in sku for sku in skus):
            raise Refused(422, "bad_query", f"name 1 to {self.limits.query_skus} SKUs")
        items = await asyncio.to_thread(self.inquiries.availability, channel, skus)
        return Answer(200, encode(Availability(channel, items)))
