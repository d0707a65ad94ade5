"""The CRM: knows customers and sends them the messages that it is told to send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from assets.commerce.identifiers import identify
from assets.contracts.fields import Key
from assets.contracts.master_data import CustomerRegistered
from resources.sandbox.events import Scope
from resources.sandbox.partner import Command, PartnerSystem, Refused, World


class _Message(msgspec.Struct, gc=False):
    order_number: Key
    template: Literal[
        "being_looked_into",
        "order_confirmed",
        "order_backordered",
        "order_reduced",
        "promise_moved",
        "order_shipped",
        "order_cancelled",
        "pickup_ready",
        "pickup_moved",
        "pickup_shipped_instead",
        "pickup_reminder",
        "pickup_collected",
        "pickup_unclaimed",
    ]
    customer_id: str | None = None


class SentMessage(msgspec.Struct, frozen=True, gc=False):
    """One message that a customer was sent."""

    order_number: str
    customer_id: str | None
    template: str
    sent_at: datetime


class Crm(PartnerSystem):
    """Keeps every message, so that a test can ask what a customer was told."""

    def __init__(self, code: str, world: World) -> None:
        super().__init__(code, world)
        self.messages: list[SentMessage] = []
        self._registered: set[str] = set()

    def perform(self, command: Command) -> None:
        """Send one message."""
        if command.command_type != "message.send":
            raise Refused(f"the CRM does not know the command {command.command_type}")
        wanted = msgspec.json.decode(command.payload, type=_Message)
        sent = SentMessage(
            wanted.order_number, wanted.customer_id, wanted.template, command.effective_at
        )
        self.messages.append(sent)

    def register(
        self, customers: Iterable[CustomerRegistered], at: datetime, scope: Scope | None = None
    ) -> None:
        """Announce customers; one that was announced in the same words is not announced again."""
        for customer in customers:
            version = identify("version", msgspec.json.encode(customer)).hex
            if version not in self._registered:
                self._registered.add(version)
                event_type = "retail.customer.registered.v1"
                self.tell(event_type, at, customer, customer.customer_number, scope, version)
