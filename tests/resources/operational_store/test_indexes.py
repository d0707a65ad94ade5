"""What is asked again and again is answered from an index, however long a home has been running.

The plans are of a home that is nearly empty, where reading a whole table would be cheapest; so that
is forbidden, and what is left shows which index a statement can use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from resources.operational_store import orders, synchronisation
from resources.operational_store.bulk import execute, fetch
from resources.operational_store.orders import SqlOrders
from resources.operational_store.synchronisation import SqlSynchronisation
from tests.builders import (
    LEEDS,
    OPENING,
    WAREHOUSE,
    WEB,
    Shop,
    count,
    minutes,
    order_placed,
    payment_authorised,
    product,
    receipt,
)
from tests.inventory.stock_story import snapshot, stocked

AT = datetime(2026, 3, 2, 22, tzinfo=UTC)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = stocked(Shop(database_url), MUG=100, HAT=50)
    yield shop
    shop.close()


@pytest.mark.parametrize(
    ("statement", "arguments", "indexes"),
    [
        (
            synchronisation._MOVED,
            ("wms", WAREHOUSE, ["MUG"], AT, AT, AT, "wms", WAREHOUSE, ["MUG"], AT, AT),
            {
                "ix_stock_movement_occurred_at",
                "ix_stock_correction_reference_id",
                "ix_inventory_snapshot_node",
            },
        ),
        (
            synchronisation._CROSSED,
            (WAREHOUSE, ["MUG"], AT, AT, AT, AT),
            {"ix_stock_movement_occurred_at"},
        ),
        (
            synchronisation._AWAITED,
            (WAREHOUSE, ["MUG"], AT),
            {"ix_fulfilment_order_awaited", "pk_reservation_movement"},
        ),
        (synchronisation._LEVELS, (["MUG"], WEB, AT), {"ix_availability_published_level"}),
        (
            synchronisation._FORMER_LEVELS,
            (["MUG"], WEB, AT, AT, WEB, AT),
            {"ix_availability_published_level"},
        ),
        (
            synchronisation._NEWEST,
            (["wms"], [WAREHOUSE]),
            {"ix_inventory_snapshot_node", "ix_inventory_snapshot_channel"},
        ),
        (
            synchronisation._ARRIVED,
            ([WAREHOUSE], [AT]),
            {"ix_inventory_snapshot_differing", "pk_stock_movement"},
        ),
        (
            synchronisation._LAST_CODING,
            ([WAREHOUSE], [AT], ["MUG"]),
            {"ix_inventory_snapshot_differing", "pk_inventory_drift_reason", "pk_stock_correction"},
        ),
        (
            orders._TAKEN_ON,
            (AT, AT),
            {"ix_order_placed_occurred_at", "pk_reservation_movement"},
        ),
    ],
)
def test_a_question_about_a_few_rows_needs_no_whole_table(
    shop: Shop, statement: str, arguments: tuple[Any, ...], indexes: set[str]
) -> None:
    with shop.store.transaction() as connection:
        for way in ("enable_seqscan", "enable_indexscan", "enable_indexonlyscan"):
            # So that it is read by those blocks only that an index of the condition names.
            execute(connection, f"set local {way} = off")
        ((plan,),) = fetch(connection, f"explain (format json) {statement}", *arguments)
    used: set[str] = set()

    def walk(node: dict[str, Any]) -> None:
        used.add(node.get("Index Name", ""))
        for child in node.get("Plans", []):
            walk(child)

    walk((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"])
    assert indexes <= used


def test_a_newest_snapshot_is_asked_for_by_system_and_place(shop: Shop) -> None:
    shop.tell(count(LEEDS, MUG=9))
    shop.tell(
        snapshot("wms", 60, MUG=100, HAT=50),
        snapshot("wms", 90, MUG=100, HAT=50),
        snapshot("erp", 30, node_id=LEEDS, MUG=9),
        snapshot("web", 40, channel=WEB, MUG=0),
    )
    shop.wait_until(240)
    asked = [("wms", WAREHOUSE), ("erp", LEEDS), ("web", WEB), ("erp", WAREHOUSE), ("wms", LEEDS)]
    with shop.store.transaction() as connection:
        found = SqlSynchronisation(connection).newest(asked)
    assert found == {
        ("wms", WAREHOUSE): minutes(90),
        ("erp", LEEDS): minutes(30),
        ("web", WEB): minutes(40),
    }


def test_a_node_has_taken_on_what_was_not_given_up_again(shop: Shop) -> None:
    shop.tell(order_placed("paid", ("MUG", 3, "6.00")), payment_authorised("paid", "18.00"))
    shop.tell(order_placed("waiting", ("MUG", 2, "6.00"), ("HAT", 4, "6.00")))

    def taken_on() -> list[tuple[Any, ...]]:
        with shop.store.transaction() as connection:
            return SqlOrders(connection, OPENING).taken_on(minutes(-60), minutes(60))

    today = OPENING.date()
    assert taken_on() == [(WAREHOUSE, today, 2, 9)]
    # Nobody pays for the second; its six units are free again, and so is the node's time.
    shop.wait_until(60)
    assert shop.status("waiting") == "expired"
    assert taken_on() == [(WAREHOUSE, today, 1, 3)]


def test_what_lies_further_back_than_evidence_crosses_no_count(shop: Shop) -> None:
    shop.tell(product("VASE"))
    shop.tell(count(WAREHOUSE, at=600, MUG=90))
    # Both are told after the count of minute 600 and happened before it.
    shop.tell(receipt("old", at=10, MUG=2), receipt("new", at=500, MUG=3))
    facts = []
    for since in (0, 100):
        with shop.store.transaction() as connection:
            found = SqlSynchronisation(connection).facts_of_node(
                "wms", WAREHOUSE, ["MUG"], minutes(since), minutes(700)
            )
        facts.append([(units, at) for _, what, units, at in found if what == "crossed"])
    assert facts[0][0] == (5, minutes(500))
    assert facts[1][0] == (3, minutes(500))
