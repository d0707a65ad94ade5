"""A mailbox for X12 before the suppliers' portal: orders come as 850s, and a 997 goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from resources.edi import x12
from resources.edi.interchange import BrokenInterchange, Interchange, Message
from resources.sandbox.partner import Command, Result


@dataclass(frozen=True)
class Posted:
    """An interchange that came, and a command for each of its orders."""

    interchange: Interchange
    sent_at: datetime
    commands: list[Command]

    def answered(self, results: Sequence[Result]) -> str:
        """The 997: which orders were taken."""
        taken = [
            message
            for message, result in zip(self.interchange.messages, results, strict=True)
            if result.status != "rejected"
        ]
        control = int(self.interchange.control_number)
        us = self.interchange.receiver
        return x12.acknowledgement(self.interchange, us, taken, control, self.sent_at)


def opened(text: str, idempotency_key: str) -> Posted:
    """Read what was posted.

    Raises:
        BrokenInterchange: If its envelope is wrong, or it holds something that is no order.
    """
    interchange = x12.read(text)
    header = text.split(text[3])
    sent_at = datetime.strptime(header[9] + header[10], "%y%m%d%H%M").replace(tzinfo=UTC)
    commands = [
        Command(
            # Under the key of the request, as any command; only a second order has one of its own.
            command_id=f"{idempotency_key}/{message.reference}" if number else idempotency_key,
            command_type="purchase_order.send",
            business_key=message.one("BEG").needed(3),
            effective_at=sent_at,
            payload=msgspec.Raw(msgspec.json.encode(_order(interchange, message))),
        )
        for number, message in enumerate(interchange.messages)
    ]
    return Posted(interchange, sent_at, commands)


def _order(interchange: Interchange, message: Message) -> dict[str, Any]:
    if message.kind != "850":
        first = message.segments[0]
        raise BrokenInterchange(first.position, first.tag, f"a {message.kind} is no order")
    lines: list[dict[str, Any]] = []
    for segment in message.segments:
        if segment.tag == "PO1":
            lines.append(
                {
                    "purchase_order_line_id": segment.needed(1),
                    "quantity": segment.whole_number(2),
                    "unit_price": segment.needed(4),
                    "sku": segment.needed(7),
                }
            )
        elif segment.tag == "DTM" and lines and segment.text(1) == "002":
            due = datetime.strptime(segment.needed(2), "%Y%m%d").replace(hour=12, tzinfo=UTC)
            lines[-1]["due_at"] = due.isoformat()
    return {
        "purchase_order_id": message.one("BEG").needed(3),
        "version": 1,
        "status": "closed" if message.one("BEG").needed(1) == "01" else "open",
        "supplier_id": interchange.receiver,
        "node_id": message.one("N1", "ST").needed(4),
        "currency": message.one("CUR").needed(2),
        "lines": lines,
    }
