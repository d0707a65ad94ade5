"""Typed identifiers. Ours are UUIDv5 of their business key, so that a retry makes the same one."""

from __future__ import annotations

import uuid
from typing import NewType

OrderId = NewType("OrderId", uuid.UUID)
FulfilmentOrderId = NewType("FulfilmentOrderId", uuid.UUID)
ShipmentId = NewType("ShipmentId", uuid.UUID)
PaymentId = NewType("PaymentId", uuid.UUID)
DecisionId = NewType("DecisionId", uuid.UUID)
CommandId = NewType("CommandId", uuid.UUID)
JournalEntryId = NewType("JournalEntryId", uuid.UUID)
ProcessEventId = NewType("ProcessEventId", uuid.UUID)
CaseId = NewType("CaseId", uuid.UUID)
Sku = NewType("Sku", str)
NodeId = NewType("NodeId", str)

_NAMESPACE = uuid.UUID("6f0c1d52-6f3e-5a0e-9d0b-0d1a4c9f7e21")


def identify(kind: str, *business_key: object) -> uuid.UUID:
    """The UUIDv5 of a business key: the same key of the same kind always gives the same id."""
    return uuid.uuid5(_NAMESPACE, "\x1f".join((kind, *map(str, business_key))))


def order_id(channel: str, order_number: str) -> OrderId:
    """An order is known by the number that its channel gave it."""
    return OrderId(identify("order", channel, order_number))


def fulfilment_order_id(order: uuid.UUID, node_id: str) -> FulfilmentOrderId:
    """The part of one order that one node ships."""
    return FulfilmentOrderId(identify("fulfilment_order", order, node_id))


def command_id(partner: str, command_type: str, *business_key: object) -> CommandId:
    """The idempotency key of a command, fixed before the first attempt."""
    return CommandId(identify("command", partner, command_type, *business_key))


def decision_id(kind: str, *business_key: object) -> DecisionId:
    """One decision of one kind about one business key."""
    return DecisionId(identify("decision", kind, *business_key))
