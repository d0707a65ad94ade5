from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from assets.contracts.answers import (
    FulfilmentStatus,
    OrderLineStatus,
    OrderStatus,
    SkuAvailability,
)
from resources.operational_store import inquiries, schema

ORDERED_AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
TOLD_AT = datetime(2026, 3, 1, 11, tzinfo=UTC)
ORDER, PART = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield connection


def place_order(connection: sa.Connection) -> None:
    times = {"effective_at": ORDERED_AT}
    connection.execute(
        schema.order_placed.insert().values(
            order_id=ORDER,
            order_number="A1",
            source="web",
            legal_entity="uk_ltd",
            brand="main",
            region="uk",
            channel="web",
            correlation_id="A1",
            customer_id=uuid.UUID(int=3),
            country_code="GB",
            service_level="standard",
            currency_code="GBP",
            line_count=2,
            ordered_quantity=5,
            goods_amount=Decimal("12.75"),
            charge_amount=Decimal(0),
            total_amount=Decimal("12.75"),
            trading_date=date(2026, 3, 1),
            promised_date=date(2026, 3, 4),
            occurred_at=ORDERED_AT,
            **times,
        )
    )
    for number, reserved in ((1, 3), (2, 1)):
        ordered = 3 if number == 1 else 2
        connection.execute(
            schema.order_line.insert().values(
                order_id=ORDER,
                line_number=number,
                sku=f"SKU-{number}",
                ordered_quantity=ordered,
                reserved_quantity=reserved,
                unfilled_quantity=ordered - reserved,
                unfilled_reason_code=None if ordered == reserved else "no_stock",
                unit_price=Decimal("2.55"),
                line_amount=Decimal("2.55") * ordered,
                tax_amount=Decimal(0),
                **times,
            )
        )
    connection.execute(
        schema.order_state.insert().values(
            order_id=ORDER, status="allocated", payable_amount=Decimal("10.20"), **times
        )
    )
    connection.execute(
        schema.fulfilment_order.insert().values(
            fulfilment_order_id=PART,
            order_id=ORDER,
            node_id="dc",
            status="requested",
            quantity=4,
            **times,
        )
    )


def test_an_order_is_shown_with_its_lines_and_parts_and_without_its_customer(
    connection: sa.Connection,
) -> None:
    place_order(connection)
    assert inquiries.order_status(connection, "web", "A1") == OrderStatus(
        channel="web",
        order_number="A1",
        status="allocated",
        ordered_at=ORDERED_AT,
        promised_date=date(2026, 3, 4),
        currency_code="GBP",
        total_amount="12.7500",
        lines=[
            OrderLineStatus(1, "SKU-1", 3, 3, 0, None),
            OrderLineStatus(2, "SKU-2", 2, 1, 1, "no_stock"),
        ],
        fulfilment=[FulfilmentStatus(str(PART), "requested", 4, None)],
    )


def test_another_channels_order_is_not_found(connection: sa.Connection) -> None:
    place_order(connection)
    assert inquiries.order_status(connection, "market", "A1") is None


def test_availability_is_what_the_channel_was_told_and_nothing_where_it_was_not(
    connection: sa.Connection,
) -> None:
    connection.execute(
        schema.channel_availability.insert().values(
            channel="web",
            sku="MUG",
            published_quantity=4,
            available_quantity=6,
            policy_hash="p",
            ledger_watermark=1,
            effective_at=TOLD_AT,
        )
    )
    assert inquiries.availability(connection, "web", ["CUP", "MUG"]) == [
        SkuAvailability("CUP", 0, None),
        SkuAvailability("MUG", 4, TOLD_AT),
    ]
    assert inquiries.availability(connection, "market", ["MUG"]) == [
        SkuAvailability("MUG", 0, None)
    ]
