"""R138: a new brand is lines of YAML; one decision changes and everything else stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from assets.commerce.identifiers import order_id
from assets.order_to_fulfillment import decision
from resources.operational_store.digests import table_digests
from resources.policy_book import SHIPPED, FilePolicyBook
from tests.builders import (
    BRISTOL,
    LEEDS,
    WAREHOUSE,
    WEB,
    Shop,
    assert_all_invariants_hold,
    count,
    order_placed,
    product,
)

ACME = """
  - scope: {brand: acme}
    values:
      # Acme's boutique ships first, to the last unit, and two days sooner.
      node_ranking_by_channel: {"*": [store_leeds]}
      brokering_safety_quantity_each_by_node: {store_leeds: 0}
      promise_working_days_by_region: {uk: 1}
      sourcing:
        lanes:
          store_leeds:
            uk:
              "*":
                carrier: courier
                transit_working_days: 1
                cost_per_parcel: "5"
                cost_per_unit: "0"
"""

ORDERS = [
    order_placed("A1", ("MUG", 2, "2.40"), at=1, brand="acme"),
    order_placed("B1", ("MUG", 2, "2.40"), at=2),
    order_placed("B2", ("HAT", 7, "9.00"), at=3, region="eu"),
]


@pytest.fixture
def with_acme(tmp_path: Path) -> FilePolicyBook:
    shipped = (SHIPPED / "order_to_fulfillment.yaml").read_text()
    assert "overlays: []" in shipped
    path = tmp_path / "order_to_fulfillment.yaml"
    path.write_text(shipped.replace("overlays: []", f"overlays:{ACME}"))
    assert yaml.safe_load(path.read_text())["overlays"][0]["scope"] == {"brand": "acme"}
    return FilePolicyBook(tmp_path)


@contextmanager
def trading(url: str, policies: FilePolicyBook | None = None) -> Iterator[Shop]:
    shop = Shop(url, policies)
    shop.tell(product("MUG"), product("HAT"))
    shop.tell(count(WAREHOUSE, MUG=9, HAT=5), count(LEEDS, MUG=2, HAT=4), count(BRISTOL, HAT=1))
    shop.tell(*ORDERS)
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def sourcing(shop: Shop) -> dict[str, list[tuple[str, int]]]:
    """Node and units of each order."""
    result: dict[str, list[tuple[str, int]]] = {}
    for number, node_id, quantity in shop.rows(
        "select o.order_number, r.node_id, r.quantity from reservation_movement r"
        " join order_placed o on o.order_id = r.order_id where r.is_start order by 1, 2"
    ):
        result.setdefault(number, []).append((node_id, quantity))
    return result


def promises(shop: Shop) -> dict[str, date]:
    return dict(shop.rows("select order_number, promised_date from order_placed"))


@pytest.fixture
def second_database_url(database_url: str) -> Iterator[str]:
    url = sa.make_url(database_url)
    name = f"{url.database}_second"
    admin = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name} template migrated_template"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"drop database {name} with (force)"))
    admin.dispose()


def test_a_brand_by_yaml_alone_changes_its_own_decision_and_no_other(
    database_url: str, second_database_url: str, with_acme: FilePolicyBook
) -> None:
    with trading(database_url) as before, trading(second_database_url, with_acme) as after:
        assert sourcing(before)["A1"] == [(WAREHOUSE, 2)]
        assert sourcing(after)["A1"] == [(LEEDS, 2)]
        assert promises(before)["A1"] == date(2026, 3, 5)
        assert promises(after)["A1"] == date(2026, 3, 3)
        for number in ("B1", "B2"):
            assert sourcing(after)[number] == sourcing(before)[number]
            assert promises(after)[number] == promises(before)[number]
        digests = []
        for shop in (before, after):
            with shop.engine.connect() as connection:
                digests.append(table_digests(connection))
        changed = {table for table in digests[0] if digests[0][table] != digests[1][table]}
        assert changed == {
            "order_placed",  # the promise
            "order_promise",
            "order_state",
            "reservation_movement",
            "stock_position",
            "process_event",  # which node was chosen
            "policy_version",
        }


def test_a_stored_decision_is_taken_again_to_the_same_result(
    database_url: str, with_acme: FilePolicyBook
) -> None:
    with trading(database_url, with_acme) as shop:
        ((inputs, outcome, document, other),) = shop.rows(
            "select b.inputs, b.outcome_hash, p.document,"
            " jsonb_set(p.document, '{overlays}', '[]')"
            " from decision_batch b join policy_version p on p.policy_hash = b.policy_hash"
        )
        assert decision.recompute(bytes(inputs), document) == bytes(outcome)
        assert decision.recompute(bytes(inputs), other) != bytes(outcome)


def test_each_order_has_its_decision_with_outcome_and_reasons(database_url: str) -> None:
    with trading(database_url) as shop:
        shop.tell(order_placed("C1", charges=[{"code": "repair", "amount": "1.00"}], at=4))
        shop.tell(order_placed("D1", ("HAT", 3, "9.00"), at=5))
        found = {
            business_key: (outcome, reasons)
            for business_key, outcome, reasons in shop.rows(
                "select business_key, outcome, reason_codes from decision_record"
            )
        }
        keys = {number: str(order_id(WEB, number)) for number in ("A1", "B2", "C1", "D1")}
        assert {number: found[key] for number, key in keys.items()} == {
            "A1": ("filled", []),
            "B2": ("filled", ["split_over_nodes"]),
            "C1": ("charges_only", []),
            "D1": ("unfilled", ["protected_store_stock"]),
        }
