"""Orders held for suspected fraud, and what a person decides about one: an event like any other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from assets.commerce.identifiers import identify
from assets.contracts.admission import Receipt, Submission
from assets.contracts.order import OrderHoldDecided
from assets.errors import BadInput
from resources.operational_store.door import Door
from resources.operational_store.store import read_clock

#: Who sends what people decide at a terminal.
SOURCE = "order_desk"

_HELD = """
select
    placed.channel, placed.order_number, state.payable_amount, placed.currency_code,
    held.held_at, state.expires_at, held.reason_code,
    placed.order_id, placed.legal_entity, placed.brand, placed.region, placed.correlation_id
from order_state as state
inner join order_placed as placed on state.order_id = placed.order_id
inner join lateral (
    select max(occurred_at) as held_at, max(reason_code) as reason_code
    from payment_screened as screened
    where screened.order_id = state.order_id and screened.outcome = 'held'
) as held on true
where state.status = 'held'
order by state.expires_at, placed.channel, placed.order_number
"""
SHOWN = (
    "channel",
    "order_number",
    "payable_amount",
    "currency_code",
    "held_at",
    "expires_at",
    "reason_code",
)


def held_orders(connection: sa.Connection) -> list[dict[str, Any]]:
    """Orders that wait for somebody's decision, the first to end first."""
    return [
        {name: row[name] for name in SHOWN} for row in connection.execute(sa.text(_HELD)).mappings()
    ]


def decide(
    connection: sa.Connection, decision: OrderHoldDecided, channel: str | None = None
) -> Receipt:
    """Bring a decision through the door; its flow applies it when it next looks.

    Raises:
        BadInput: If no such order is held, or two channels have one of that number.
    """
    found = [
        row
        for row in connection.execute(sa.text(_HELD)).mappings()
        if row["order_number"] == decision.order_number and channel in (None, row["channel"])
    ]
    if not found:
        raise BadInput(f"no order {decision.order_number} is held")
    if len(found) > 1:
        channels = ", ".join(row["channel"] for row in found)
        raise BadInput(f"order {decision.order_number} is held in {channels}; say which")
    (order,) = found
    at = _now(connection)
    event = {
        "specversion": "1.0",
        "id": str(identify("hold_decided", order["order_id"], decision.decision, at.isoformat())),
        "source": SOURCE,
        "type": "retail.order.hold_decided.v1",
        "subject": decision.order_number,
        "time": at,
        "legalentity": order["legal_entity"],
        "brand": order["brand"],
        "region": order["region"],
        "channel": order["channel"],
        "correlationid": order["correlation_id"],
        "data": decision,
    }
    submission = Submission(SOURCE, msgspec.json.encode(event), "command line")
    return Door().admit(connection, [submission])[0]


def _now(connection: sa.Connection) -> datetime:
    """The home's own time: a replay's where it has one."""
    held = read_clock(connection)
    return held[1] if held is not None and held[0] == "simulated" else datetime.now(UTC)
