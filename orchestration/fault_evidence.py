"""What a home holds of the things that faults struck, read as anybody could read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from assets.commerce.identifiers import identify_text
from resources.operational_store.bulk import fetch
from resources.sandbox.answer_key import Fault
from resources.sandbox.faults import INTERRUPTIONS

# An event counts once in the ledger of its kind: an order by its lines, goods by the units that
# left, money by the movement that only this event makes. What leaves no row is right as it is.
_EVENTS = """
    select
        i.source, i.event_id, i.status,
        case i.event_type
            when 'retail.order.placed.v1' then (
                select count(*) = coalesce(json_array_length(i.data -> 'lines'), 0)
                from order_placed o join order_line l on l.order_id = o.order_id
                where o.channel = i.channel and o.order_number = i.data ->> 'order_number'
            )
            when 'retail.shipment.dispatched.v1' then (
                select coalesce(sum(-m.quantity), 0) = (
                    select sum((line ->> 'quantity')::bigint)
                    from json_array_elements(i.data -> 'lines') as line
                )
                from shipment_dispatched s
                join stock_movement m on m.reference_id = s.shipment_id and m.kind = 'shipped'
                where s.fulfilment_order_id = (i.data ->> 'fulfilment_order_id')::uuid
            )
            when 'retail.shipment.delivered.v1' then (
                select count(*) = 1
                from shipment_delivered d join order_placed o on o.order_id = d.order_id
                where o.channel = i.channel and o.order_number = i.data ->> 'order_number'
                and d.shipment_number = i.data ->> 'shipment_number'
            )
            when 'retail.payment.captured.v1' then (
                select count(*) = 1 from payment_movement p
                where p.payment_movement_id = asked.movement_id
            )
            else true
        end
    from unnest(%s::text[], %s::text[], %s::uuid[]) as asked (source, event_id, movement_id)
    join event_inbox i on i.source = asked.source and i.event_id = asked.event_id
"""

_ORDERS = """
    select o.channel || '/' || o.order_number, s.status, coalesce(sum(r.quantity), 0)::bigint
    from order_placed o
    join order_state s on s.order_id = o.order_id
    left join reservation_movement r on r.order_id = o.order_id
    where o.channel || '/' || o.order_number = any(%s)
    group by 1, 2
"""

_DELIVERED = """
    select o.channel || '/' || o.order_number || '/' || d.shipment_number
    from shipment_delivered d join order_placed o on o.order_id = d.order_id
    where d.shipment_number = any(%s)
"""

_COMMANDS = """
    select command_id::text, status from command_outbox
    where command_id::text = any(%s)
"""


# What each line of a snapshot that was not ours was put down to, as it was last coded.
_DRIFT = """
    select s.system || '/' || coalesce(s.node_id, s.channel) || '/' || s.sku, s.occurred_at,
        d.reason_code, d.quantity
    from inventory_snapshot s
    join inventory_drift_reason d on d.snapshot_id = s.snapshot_id and d.sku = s.sku
    where d.revision = (
        select max(last.revision) from inventory_drift_reason last
        where last.snapshot_id = d.snapshot_id and last.sku = d.sku
    )
"""


@dataclass(frozen=True)
class Settled:
    """How far an event came, and whether its ledger shows it exactly once."""

    status: str
    is_booked_once: bool


@dataclass(frozen=True)
class Case:
    """One exception case."""

    case_type: str
    business_key: str
    is_open: bool


@dataclass(frozen=True)
class Quarantined:
    """One row of the quarantine."""

    source: str
    event_id: str | None
    reason_code: str


@dataclass(frozen=True)
class Evidence:
    """Everything that a judge looks at.

    Attributes:
        now: The home's time; what was to strike later has not.
        orders: How many there are.
        events: By (source, event id).
        commands: Status by command id.
        order_states: (status, units still reserved) by channel and number.
        delivered: Keys of parcels that have arrived.
        cases: All of them.
        quarantine: All of it.
        drift: By system/place/SKU and snapshot time, the units that differed by reason.
    """

    now: datetime
    orders: int = 0
    events: dict[tuple[str, str], Settled] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    order_states: dict[str, tuple[str, int]] = field(default_factory=dict)
    delivered: frozenset[str] = frozenset()
    cases: Sequence[Case] = ()
    quarantine: Sequence[Quarantined] = ()
    drift: Mapping[str, Mapping[datetime, Mapping[str, int]]] = field(default_factory=dict)


def gather(connection: sa.Connection, faults: Iterable[Fault]) -> Evidence:
    """Read what became of everything that was struck, and all cases and quarantined events."""
    struck = list(faults)
    events = list(dict.fromkeys((fault.partner, fault.reference) for fault in struck))
    return Evidence(
        now=fetch(connection, "select effective_at from home_clock")[0][0],
        orders=fetch(connection, "select count(*) from order_placed")[0][0],
        events={
            (source, event_id): Settled(status, is_booked_once)
            for source, event_id, status, is_booked_once in fetch(
                connection,
                _EVENTS,
                [source for source, _ in events],
                [event_id for _, event_id in events],
                [identify_text("payment_captured", *event) for event in events],
            )
        },
        commands=dict(
            fetch(
                connection,
                _COMMANDS,
                [fault.reference for fault in struck if fault.kind in INTERRUPTIONS],
            )
        ),
        order_states={
            key: (status, held)
            for key, status, held in fetch(
                connection, _ORDERS, [fault.business_key for fault in struck]
            )
        },
        delivered=frozenset(
            key for (key,) in fetch(connection, _DELIVERED, [fault.reference for fault in struck])
        ),
        cases=[
            Case(*row)
            for row in fetch(
                connection, "select case_type, business_key, status = 'open' from exception_case"
            )
        ],
        quarantine=[
            Quarantined(*row)
            for row in fetch(
                connection, "select source, event_id, reason_code from quarantined_event"
            )
        ],
        drift=_drift(connection),
    )


def _drift(connection: sa.Connection) -> dict[str, dict[datetime, dict[str, int]]]:
    drift: dict[str, dict[datetime, dict[str, int]]] = {}
    for key, as_of, reason, units in fetch(connection, _DRIFT):
        drift.setdefault(key, {}).setdefault(as_of, {})[reason] = units
    return drift
