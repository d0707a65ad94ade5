"""Suppliers that err, and systems that fail between us and them: seen, and lawful all the same."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.approvals.service import decide
from assets.procure_to_stock.rules.demand import history
from resources.operational_store.bulk import fetch
from resources.operational_store.people import put_person, read_people
from resources.operational_store.store import OperationalStore
from resources.replenishment_planning import Demand, plan_for
from tests.flows.faulty_week import MONDAY, NODES, trade

pytestmark = pytest.mark.slow

#: Half of them reached by the ERP, a third by the portal, the others by X12.
CHANNELS = ("erp", "portal", "erp", "portal", "erp", "x12")
CLASSES = (
    "enamel_mug",
    "stoneware_bowl",
    "carafe",
    "tea_towel",
    "apron",
    "oven_glove",
    "spice_tin",
    "candle",
    "vase",
    "photo_frame",
    "lantern",
    "wash_bag",
)
SUPPLIERS = [
    {
        "supplier_id": f"m_{made[:12]}",
        "name": f"Maker of {made}",
        "product_classes": [made],
        "lead_time_days": 3,
        "order_channel": CHANNELS[number % len(CHANNELS)],
    }
    for number, made in enumerate(CLASSES)
]
MISTAKES = {
    "supplier_overcharge": 0.15,
    "supplier_short": 0.2,
    "supplier_broken": 0.25,
    "supplier_over": 0.3,
    "supplier_copy": 0.5,
}
BETWEEN_SYSTEMS = {
    "duplicate_delivery": 0.2,
    "timeout_after_success": 0.05,
    "too_many_requests": 0.05,
    "server_error": 0.05,
}
_STOCKING = [str(node["node_id"]) for node in NODES if node["kind"] != "drop_ship"]


def order_of_everybody(store: OperationalStore) -> None:
    """Plan for a demand of every SKU that somebody sells, everywhere."""
    with store.transaction() as connection:
        skus = [sku for (sku,) in fetch(connection, "select sku from supplier_terms order by 1")]
    last = date(2026, 1, 5)
    days = pd.DataFrame({"demand_date": [last - timedelta(days=back) for back in range(60)]})
    daily = days.merge(pd.DataFrame({"sku": skus}), how="cross").assign(
        region="uk",
        ordered_quantity=4,
        largest_line_quantity=2,
        is_out_of_stock=False,
        is_promoted=False,
    )
    daily["ordered_quantity"] += np.arange(len(daily)) % 3
    known = history(daily, ["region", "sku"], last - timedelta(days=59), last)
    shares = pd.DataFrame({"region": "uk", "node_id": _STOCKING, "share": 1.0 / len(_STOCKING)})
    planned = plan_for(store, Demand(known, shares, last))
    assert planned.requisitions > 10
    with store.unit_of_work() as unit_of_work:
        connection = unit_of_work.connection
        put_person(connection, "pia", ["purchasing_lead"], ["purchasing"])
        pia = read_people(connection)["pia"]
        for (approval_id,) in fetch(
            connection, "select approval_id::text from approval_request where status = 'pending'"
        ):
            decide(approval_id, pia, "approved", "they are needed", unit_of_work)


def test_what_suppliers_do_wrong_is_found_and_the_laws_hold(
    database_url: str, tmp_path: Path
) -> None:
    week = trade(
        database_url,
        tmp_path,
        MISTAKES | BETWEEN_SYSTEMS,
        seed="purchases",
        orders=30,
        days=2,
        until=MONDAY + timedelta(days=12),
        suppliers=SUPPLIERS,
        plans=order_of_everybody,
    )
    score = week.score()
    sent = week.rows(
        "select partner, count(*) from command_outbox where command_type = 'purchase_order.send'"
        " and status = 'delivered' group by 1 order by 1"
    )
    orders, with_goods = week.rows(
        "select count(distinct purchase_order_id), count(distinct purchase_order_id)"
        " filter (where delivered_quantity > 0) from purchase_order_line"
    )[0]
    week.engine.dispose()
    injected = {kind.kind for kind in score.kinds if kind.injected}
    assert injected >= MISTAKES.keys() | {"duplicate_delivery"}
    assert score.misses == []
    assert score.false_alarms == []
    assert [partner for partner, _ in sent] == ["supplier_portal", "supplier_x12"]
    assert orders == with_goods > 10
