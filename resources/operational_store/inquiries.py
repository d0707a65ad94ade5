"""What partners may ask: where an order stands, what a channel may sell. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from assets.contracts.answers import (
    FulfilmentStatus,
    LaterAvailability,
    OrderLineStatus,
    OrderStatus,
    SkuAvailability,
)
from resources.operational_store.schema import (
    availability_outlook,
    channel_availability,
    fulfilment_order,
    order_line,
    order_placed,
    order_promise,
    order_state,
)

_LAST_PROMISE = (
    sa.select(order_promise.c.promised_date)
    .where(order_promise.c.order_id == order_placed.c.order_id)
    .order_by(order_promise.c.promise_number.desc())
    .limit(1)
    .scalar_subquery()
    .label("last_promised_date")
)


def order_status(connection: sa.Connection, channel: str, order_number: str) -> OrderStatus | None:
    """Where an order stands; ``None`` for one that was never applied."""
    order = connection.execute(
        sa.select(order_placed, order_state.c.status, _LAST_PROMISE)
        .join(order_state, order_state.c.order_id == order_placed.c.order_id)
        .where(order_placed.c.channel == channel, order_placed.c.order_number == order_number)
    ).one_or_none()
    if order is None:
        return None
    lines = connection.execute(
        sa.select(
            order_line.c.line_number,
            order_line.c.sku,
            order_line.c.ordered_quantity,
            order_line.c.reserved_quantity,
            order_line.c.unfilled_quantity,
            order_line.c.unfilled_reason_code,
            order_line.c.backordered_quantity,
        )
        .where(order_line.c.order_id == order.order_id)
        .order_by(order_line.c.line_number)
    ).all()
    parts = connection.execute(
        sa.select(
            fulfilment_order.c.fulfilment_order_id,
            fulfilment_order.c.status,
            fulfilment_order.c.quantity,
            fulfilment_order.c.shipment_number,
        )
        .where(fulfilment_order.c.order_id == order.order_id)
        .order_by(fulfilment_order.c.fulfilment_order_id)
    ).all()
    return OrderStatus(
        channel=order.channel,
        order_number=order.order_number,
        status=order.status,
        ordered_at=order.occurred_at,
        promised_date=order.last_promised_date or order.promised_date,
        currency_code=order.currency_code,
        total_amount=str(order.total_amount),
        lines=[
            OrderLineStatus(
                line.line_number,
                line.sku,
                line.ordered_quantity,
                line.reserved_quantity,
                line.unfilled_quantity,
                line.unfilled_reason_code,
                line.backordered_quantity,
            )
            for line in lines
        ],
        fulfilment=[
            FulfilmentStatus(
                str(part.fulfilment_order_id), part.status, part.quantity, part.shipment_number
            )
            for part in parts
        ],
    )


def availability(
    connection: sa.Connection, channel: str, skus: Sequence[str]
) -> list[SkuAvailability]:
    """What the channel was last told, in the order of the question; zero where it was not told."""
    later: dict[str, list[LaterAvailability]] = defaultdict(list)
    for row in connection.execute(
        sa.select(availability_outlook)
        .where(
            availability_outlook.c.channel == channel,
            availability_outlook.c.sku == sa.any_(sa.literal(list(skus), sa.ARRAY(sa.String))),
        )
        .order_by(availability_outlook.c.expected_at)
    ):
        later[row.sku].append(LaterAvailability(row.expected_at, row.available_quantity))
    told = {
        row.sku: SkuAvailability(
            row.sku, row.published_quantity, row.effective_at, later.get(row.sku, [])
        )
        for row in connection.execute(
            sa.select(
                channel_availability.c.sku,
                channel_availability.c.published_quantity,
                channel_availability.c.effective_at,
            ).where(
                channel_availability.c.channel == channel,
                channel_availability.c.sku == sa.any_(sa.literal(list(skus), sa.ARRAY(sa.String))),
            )
        )
    }
    return [told.get(sku) or SkuAvailability(sku, 0, None) for sku in skus]
