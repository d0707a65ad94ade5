"""P1: whatever came twice had its effect once."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from assets.commerce.identifiers import identify
from assets.contracts.registry import CONTRACTS
from resources.operational_store.invariants.judging import Invariant, Violation

#: What of an applied event, and of a delivered command, is asked for ever; the rest may go.
ASKED_OF_EVENTS = frozenset(
    {
        "order_number",
        "fulfilment_order_id",
        "node_id",
        "outcome",
        "shipment_number",
        "payment_reference",
    }
)
ASKED_OF_COMMANDS = frozenset(
    {
        "node_id",
        "shipment_number",
        "payment_reference",
        "refund_reference",
        "template",
        "occasion",
        "as_of",
    }
)
#: Events of which every line is asked for, so that nothing of them may go.
ASKED_WHOLE = frozenset({"inventory_received"})


def event_types(name: str) -> list[str]:
    """The versions of an event, by its name after the door."""
    return [kind for kind, contract in CONTRACTS.items() if contract.name == name]


def _event_types(name: str) -> str:
    """SQL list of the versions of an event, by its name after the door."""
    return ", ".join(f"'{version}'" for version in event_types(name))


def _applied(name: str | tuple[str, ...], *keys: str) -> str:
    """The applied events of one name, or of several, with the keys of what they say."""
    if strangers := set(keys) - ASKED_OF_EVENTS:
        raise ValueError(f"retention would remove {sorted(strangers)}")
    columns = ", ".join(f"data ->> '{key}' as {key}" for key in keys)
    names = (name,) if isinstance(name, str) else name
    return f"""
    select source, event_id, channel, {columns}
    from event_inbox
    where status = 'applied' and event_type in ({", ".join(map(_event_types, names))})
    """


def _one_fact_each(name: str | tuple[str, ...], facts: str, *keys: str) -> str:
    """Applied events and facts, counted by business key, where the two differ."""
    joined = " and ".join(f"event.{key} = fact.{key}" for key in keys)
    named = ", ".join(f"coalesce(event.{key}, fact.{key}) as {key}" for key in keys)
    grouped = ", ".join(keys)
    return f"""
    with applied as ({_applied(name, *(key for key in keys if key != "channel"))}),

    event as (
        select {grouped}, count(*) as event_count
        from applied
        group by {grouped}
    ),

    fact as (
        select {grouped}, count(*) as fact_count
        from ({facts}) as stored
        group by {grouped}
    )

    select
        {named},
        coalesce(event.event_count, 0) as event_count,
        coalesce(fact.fact_count, 0) as fact_count
    from event
    full join fact on {joined}
    where coalesce(event.event_count, 0) <> coalesce(fact.fact_count, 0)
    order by {", ".join(str(number) for number in range(1, len(keys) + 1))}
    """


def _payments(kind: str) -> str:
    return f"""
    select placed.channel, placed.order_number, movement.payment_reference
    from payment_movement as movement
    inner join order_placed as placed on movement.order_id = placed.order_id
    where movement.kind = '{kind}'
    """


def _pickups(step: str) -> str:
    return f"""
    select placed.channel, placed.order_number, stepped.node_id
    from pickup_step as stepped
    inner join order_placed as placed on stepped.order_id = placed.order_id
    where stepped.step = '{step}'
    """


class _Claims(msgspec.Struct):
    """What in a payload may tell two commands of one order and type apart."""

    node_id: str | None = None
    shipment_number: str | None = None
    payment_reference: str | None = None
    refund_reference: str | None = None
    template: str | None = None
    occasion: str | None = None


# A capture and a release name what they are for only where no document does: see the flow.
_DISCRIMINATING_WORDS = ("charges", "rest")


def _commands_of_other_names(connection: sa.Connection) -> Iterator[Violation]:
    """Commands whose id is not that of the partner, type and business key that they state.

    The id is the idempotency key and unique, so a command that carries its own cannot be a second
    one for the same thing. Messages of availability are told apart by their instant instead.
    """
    nodes: list[str] = [
        row.node_id for row in connection.execute(sa.text("select node_id from node order by 1"))
    ]
    decode = msgspec.json.Decoder(_Claims).decode
    commands = connection.execute(
        sa.text(
            """
            select command_id, partner, command_type, business_key, payload::text as payload
            from command_outbox
            where command_type <> 'availability.publish'
            order by outbox_sequence
            """
        ),
        execution_options={"stream_results": True, "yield_per": 5_000},
    )
    for row in commands:
        key = ("command", row.partner, row.command_type, row.business_key)
        claims = decode(row.payload)
        stated = (
            claims.refund_reference,
            claims.node_id,
            claims.shipment_number,
            claims.payment_reference,
            f"{claims.template}/{claims.occasion}" if claims.template else claims.occasion,
            claims.template,
        )
        # The likely ones first: most commands are found at the first or second attempt.
        candidates = [word for word in stated if word] + ["", *_DISCRIMINATING_WORDS, *nodes]
        if any(row.command_id == identify(*key, word) for word in candidates):
            continue
        if row.command_id == identify(*key):
            continue
        yield {
            "wrong": "a command's id is not that of its business key",
            "command_id": row.command_id,
            "partner": row.partner,
            "command_type": row.command_type,
            "business_key": row.business_key,
        }


P1 = Invariant(
    "P1",
    "Idempotency: an event that came any number of times has its effect once",
    "select exists (select from event_inbox) or exists (select from command_outbox)",
    {
        "an event is in the inbox more than once": """
            select source, event_id, count(*) as event_count
            from event_inbox
            group by source, event_id
            having count(*) > 1
            order by source, event_id
        """,
        "an event is in the inbox without its identity": """
            select inbox.source, inbox.event_id
            from event_inbox as inbox
            left join event_identity as identity
                on inbox.source = identity.source and inbox.event_id = identity.event_id
            where identity.event_id is null
            order by inbox.source, inbox.event_id
        """,
        "orders placed and order events differ": _one_fact_each(
            "order_placed",
            "select channel, order_number from order_placed",
            "channel",
            "order_number",
        ),
        "an order's lines are not those that were counted": """
            with line as (
                select
                    order_id,
                    count(*) as line_count,
                    sum(ordered_quantity)::bigint as ordered_quantity
                from order_line
                group by order_id
            )

            select
                coalesce(placed.order_id, line.order_id) as order_id,
                placed.line_count,
                coalesce(line.line_count, 0) as stored_line_count,
                placed.ordered_quantity,
                coalesce(line.ordered_quantity, 0) as stored_quantity
            from order_placed as placed
            full join line on placed.order_id = line.order_id
            where
                placed.order_id is null
                or placed.line_count <> coalesce(line.line_count, 0)
                or placed.ordered_quantity <> coalesce(line.ordered_quantity, 0)
            order by 1
        """,
        "handovers and their events differ": _one_fact_each(
            ("shipment_dispatched", "fulfilment_collected"),
            "select fulfilment_order_id::text from shipment_dispatched",
            "fulfilment_order_id",
        ),
        "deliveries and delivery events differ": _one_fact_each(
            "shipment_delivered",
            """
            select placed.channel, placed.order_number, delivered.shipment_number
            from shipment_delivered as delivered
            inner join order_placed as placed on delivered.order_id = placed.order_id
            where not exists (
                select from pickup_step as step
                where step.order_id = delivered.order_id and step.step = 'collected'
            )
            """,
            "channel",
            "order_number",
            "shipment_number",
        ),
        "goods at a counter and what their stores said differ": _one_fact_each(
            "fulfilment_ready_for_pickup", _pickups("ready"), "channel", "order_number", "node_id"
        ),
        "goods collected and what their stores said differ": _one_fact_each(
            "fulfilment_collected", _pickups("collected"), "channel", "order_number", "node_id"
        ),
        "screenings and screening events differ": _one_fact_each(
            "payment_screened",
            """
            select placed.channel, placed.order_number, screened.payment_reference, screened.outcome
            from payment_screened as screened
            inner join order_placed as placed on screened.order_id = placed.order_id
            where screened.outcome in ('cleared', 'held', 'rejected')
            """,
            "channel",
            "order_number",
            "payment_reference",
            "outcome",
        ),
        "refunds and refund events differ": _one_fact_each(
            "payment_refunded",
            _payments("refunded"),
            "channel",
            "order_number",
            "payment_reference",
        ),
        "captures and capture events differ": _one_fact_each(
            "payment_captured",
            _payments("captured"),
            "channel",
            "order_number",
            "payment_reference",
        ),
        "declines and decline events differ": _one_fact_each(
            "payment_declined",
            _payments("declined"),
            "channel",
            "order_number",
            "payment_reference",
        ),
        # A channel may authorise at checkout, so an authorisation needs no event of its own; and
        # one that came too late or twice is given back instead of being booked.
        "an authorisation was neither booked once nor given back": f"""
            with applied as (
                {_applied("payment_authorised", "order_number", "payment_reference")}
            ),

            event as (
                select distinct channel, order_number, payment_reference
                from applied
            ),

            booked as (
                select channel, order_number, payment_reference, count(*) as booked_count
                from ({_payments("authorised")}) as stored
                group by channel, order_number, payment_reference
            ),

            given_back as (
                select distinct payload ->> 'payment_reference' as payment_reference
                from command_outbox
                where command_type = 'payment.void'
            )

            select
                coalesce(event.channel, booked.channel) as channel,
                coalesce(event.order_number, booked.order_number) as order_number,
                coalesce(event.payment_reference, booked.payment_reference) as payment_reference,
                coalesce(booked.booked_count, 0) as booked_count
            from event
            full join booked using (channel, order_number, payment_reference)
            left join given_back on event.payment_reference = given_back.payment_reference
            where
                coalesce(booked.booked_count, 0) > 1
                or (booked.booked_count is null and given_back.payment_reference is null)
            order by 1, 2, 3
        """,
        "a business key was posted to the journal more than once": """
            select entry_kind, business_key, count(distinct entry_id) as entry_count
            from journal_line
            group by entry_kind, business_key
            having count(distinct entry_id) > 1
            order by entry_kind, business_key
        """,
        "purchasing documents and what was booked of them differ": f"""
            with told as (
                select event_type, count(*) as event_count
                from event_inbox
                where status = 'applied'
                group by event_type
            ), booked (event_type, fact_count) as (
                select {_event_types("goods_received")}, count(distinct receipt_id)
                from goods_received
                union all
                select {_event_types("goods_inspected")}, count(distinct inspection_id)
                from goods_inspected
                union all
                select {_event_types("goods_put_away")}, count(distinct put_away_id)
                from goods_put_away
                union all
                select {_event_types("supplier_invoice_received")}, count(*)
                from supplier_invoice_received
            )

            select booked.event_type, coalesce(told.event_count, 0) as event_count,
                booked.fact_count
            from booked
            left join told using (event_type)
            where coalesce(told.event_count, 0) <> booked.fact_count
            order by booked.event_type
        """,
        "units received and units in receipts differ": f"""
            with document as materialized (
                -- Taken out once: a document has thousands of lines, and is read anew for each.
                select data ->> 'node_id' as node_id, data -> 'lines' as lines
                from event_inbox
                where status = 'applied' and event_type in ({_event_types("inventory_received")})
            ),

            line as (
                select document.node_id, line.sku, line.quantity
                from document
                cross join lateral json_to_recordset(document.lines) as line (
                    sku text, quantity bigint
                )
            ),

            told as (
                select node_id, sku, sum(quantity)::bigint as told_quantity
                from line
                group by node_id, sku
            ),

            booked as (
                -- What came against a purchase order is counted by its receipts and inspections.
                select node_id, sku, sum(quantity)::bigint as booked_quantity
                from stock_movement
                where kind = 'received'
                    and reference_id not in (
                        select receipt_id from goods_received
                        union all select inspection_id from goods_inspected
                    )
                group by node_id, sku
            )

            select
                node_id, sku,
                coalesce(told_quantity, 0) as told_quantity,
                coalesce(booked_quantity, 0) as booked_quantity
            from told
            full join booked using (node_id, sku)
            where coalesce(told_quantity, 0) <> coalesce(booked_quantity, 0)
            order by node_id, sku
        """,
        "the same availability was told more than once": """
            select partner, business_key, payload ->> 'as_of' as as_of, count(*) as command_count
            from command_outbox
            where command_type = 'availability.publish'
            group by
                partner, business_key, payload ->> 'as_of',
                coalesce(removed_payload_md5, md5(payload::text))
            having count(*) > 1
            order by 1, 2, 3
        """,
    },
    _commands_of_other_names,
)
