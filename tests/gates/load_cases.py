"""For every expectation of every suite of bulk loads, events that only it catches."""

from __future__ import annotations

from datetime import UTC, datetime

from assets.bulk_loads.expectations import load_suites
from assets.bulk_loads.policy import BulkLoadPolicy
from tests.gates.suite_cases import CASES, NOON, Cases, Row, node, product

POLICY = BulkLoadPolicy(
    least_events=8,
    least_master_data_events=4,
    oldest_event_days=400,
    jump_factor=10,
    jump_share_percent=10,
    least_known_for_jumps=3,
)
SUITES = load_suites(POLICY)
LAST_YEAR = datetime(2025, 1, 26, 12, tzinfo=UTC)


def event_told(number: int) -> Row:
    return {
        "event_type": "retail.inventory.counted.v1",
        "subject": f"count-{number}",
        "occurred_at": NOON,
        "oldest_at": LAST_YEAR,
        "content": "five mugs",
    }


def product_told(number: int) -> Row:
    return {**product(number), "occurred_at": NOON, "known_standard_cost": None}


def price_told(number: int) -> Row:
    return {
        "sku": f"MUG{number}",
        "channel": "web_shop",
        "unit_price": 25_000,
        "currency_code": "GBP",
        "occurred_at": NOON,
        "sku_is_known": True,
        "currency_agrees": True,
        "known_unit_price": None,
    }


def node_told(number: int) -> Row:
    return {**node(number), "occurred_at": NOON}


def _of_each_row(table: str, load: str) -> dict[str, list[Row]]:
    """What breaks a row in the table breaks it in the load."""
    shared = {expectation.name for expectation in SUITES[load].said}
    return {name: rows for name, rows in CASES[table].breaks.items() if name in shared}


LOAD_CASES = {
    cases.suite.name: cases
    for cases in (
        Cases(
            SUITES["event_load"],
            event_told,
            {
                "event_is_not_ancient": [{"occurred_at": datetime(1970, 1, 1, tzinfo=UTC)}],
                "each_fact_is_told_once": [{"subject": "twice"}, {"subject": "twice"}],
            },
        ),
        Cases(
            SUITES["product_load"],
            product_told,
            {
                **_of_each_row("product", "product_load"),
                "sku_is_told_once": [{"sku": "TWICE"}, {"sku": "TWICE"}],
                "costs_keep_their_size": [
                    {"standard_cost": 123_450, "known_standard_cost": 12_345},
                    {"standard_cost": 123, "known_standard_cost": 12_345},
                    {"standard_cost": 1_234_500, "known_standard_cost": 12_345},
                ],
            },
        ),
        Cases(
            SUITES["price_load"],
            price_told,
            {
                "price_is_possible": [{"unit_price": 0}],
                "currency_agrees_holds": [{"currency_agrees": False}],
                "sku_is_known_holds": [{"sku_is_known": False}],
                "price_is_told_once": [{"sku": "TWICE"}, {"sku": "TWICE"}],
                "prices_keep_their_size": [
                    {"unit_price": 250_000, "known_unit_price": 25_000},
                    {"unit_price": 2_500, "known_unit_price": 25_000},
                    {"unit_price": 300_000, "known_unit_price": 25_000},
                ],
            },
        ),
        Cases(
            SUITES["node_load"],
            node_told,
            {
                **_of_each_row("node", "node_load"),
                "node_is_told_once": [{"node_id": "twice"}, {"node_id": "twice"}],
            },
        ),
    )
}
