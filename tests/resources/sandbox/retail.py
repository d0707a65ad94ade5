"""What the sandbox tests tell their stories with: one retailer in this process, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from assets.contracts.envelope import Envelope
from assets.contracts.registry import CONTRACTS
from resources.sandbox.journal import Journal
from resources.sandbox.retailer import Retailer

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
FAR = datetime(2026, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """One event, checked against its contract."""

    envelope: Envelope
    data: Any

    @property
    def name(self) -> str:
        return CONTRACTS[self.envelope.type].name

    @property
    def at(self) -> str:
        return self.envelope.time.isoformat()


def open_retailer(folder: Path, **settings: Any) -> Retailer:
    retailer = Retailer(Journal(folder))
    configure(retailer, **settings)
    return retailer


def configure(retailer: Retailer, **settings: Any) -> None:
    retailer.configure(json.dumps(settings).encode())


def command(
    command_type: str, key: str, payload: dict[str, Any], at: str = "2026-03-02T10:00:00Z"
) -> dict[str, Any]:
    return {
        "command_id": f"{command_type}/{key}",
        "command_type": command_type,
        "business_key": key,
        "effective_at": at,
        "legal_entity": "retailer_eu",
        "brand": "house",
        "region": "eu",
        "channel": "b2b",
        "correlation_id": f"journey-{key}",
        "payload": payload,
    }


def send(retailer: Retailer, code: str, *commands: dict[str, Any]) -> list[str]:
    body = json.dumps({"commands": commands}).encode()
    return [result.status for result in retailer.take(code, body)]


def told(retailer: Retailer, code: str, until: datetime = FAR, limit: int = 10_000) -> list[Told]:
    """Everything that is due of one partner; nothing of it is acknowledged."""
    events = []
    for body in retailer.page(code, until, limit).events:
        envelope = msgspec.json.decode(body, type=Envelope)
        assert envelope.source == code
        struct = CONTRACTS[envelope.type].struct
        events.append(Told(envelope, msgspec.json.decode(envelope.data, type=struct)))
    return events


def list_items(retailer: Retailer, *items: tuple[str, str], at: datetime = MONDAY) -> None:
    body = {
        "items": [
            {
                "sku": sku,
                "description": sku.title(),
                "list_price": price,
                "currency": "GBP",
                "first_seen_at": at.isoformat(),
            }
            for sku, price in items
        ]
    }
    retailer.register(json.dumps(body).encode())


def stock_told(events: Iterable[Told]) -> dict[tuple[str, str], int]:
    """Units counted or received by node and SKU."""
    units: dict[tuple[str, str], int] = {}
    for event in events:
        if event.name in {"inventory_counted", "inventory_received"}:
            for line in event.data.lines:
                key = (event.data.node_id, line.sku)
                units[key] = units.get(key, 0) + line.quantity
    return units
