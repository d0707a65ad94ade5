"""From forecasts, positions and terms to what is moved and what is ordered."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd
import pytest

from assets.commerce.money import to_text
from assets.procure_to_stock.replenishment_policy import (
    ReplenishmentPolicy,
    ServiceTarget,
    replenishment_policy,
)
from assets.procure_to_stock.rules.network import lacking, transfer
from assets.procure_to_stock.rules.replenishment import at_nodes, choose_supplier, levels, propose
from resources.policy_book import SHIPPED, read_document

POLICY = replenishment_policy(read_document(Path(SHIPPED / "replenishment.yaml")).values)


def place(node: str, position: int, reorder_point: int, target: int) -> dict[str, object]:
    return {
        "sku": "MUG",
        "node_id": node,
        "position_quantity": position,
        "free_quantity": max(position, 0),
        "reorder_point_quantity": reorder_point,
        "target_quantity": target,
    }


def moved(positions: pd.DataFrame) -> dict[tuple[str, str], int]:
    rows = transfer(positions)
    keys = zip(rows["from_node_id"], rows["to_node_id"], strict=True)
    return dict(zip(keys, rows["quantity"].tolist(), strict=True))


def needed(positions: pd.DataFrame) -> list[int]:
    return lacking(positions, transfer(positions))["needed_quantity"].tolist()


def test_one_place_serves_another_before_anything_is_bought() -> None:
    positions = pd.DataFrame(
        [place("WH1", 100, 10, 20), place("WH2", 0, 10, 20), place("WH3", 20, 10, 20)]
    )
    assert moved(positions) == {("WH1", "WH2"): 20}
    assert needed(positions) == [0, 0, 0]


def test_nothing_is_bought_until_all_places_together_are_low() -> None:
    enough = pd.DataFrame(
        [place("WH1", 11, 10, 20), place("WH2", 0, 10, 20), place("WH3", 20, 10, 20)]
    )
    assert needed(enough) == [0, 0, 0]
    low = pd.DataFrame(
        [place("WH1", 11, 10, 20), place("WH2", 0, 10, 20), place("WH3", 19, 10, 20)]
    )
    # What WH3 can spare goes to WH2 first.
    assert moved(low) == {("WH3", "WH2"): 8}
    assert needed(low) == [0, 12, 0]


def test_a_position_at_the_reorder_point_orders_and_one_above_does_not() -> None:
    assert needed(pd.DataFrame([place("WH1", 10, 10, 25)])) == [15]
    assert needed(pd.DataFrame([place("WH1", 11, 10, 25)])) == [0]


def test_a_place_gives_no_more_than_it_can_spare() -> None:
    giver = {**place("WH1", 30, 10, 20), "free_quantity": 5}
    assert moved(pd.DataFrame([giver, place("WH2", 0, 10, 20)])) == {("WH1", "WH2"): 5}


def placed(**changed: object) -> pd.DataFrame:
    row = {
        "sku": "MUG",
        "node_id": "WH1",
        "demand_class": "smooth",
        "model": "theta",
        "daily_demand": 20.0,
        "daily_deviation": 5.0,
        "seen_quantile": 0.0,
        "lead_time_days": 8.0,
        "lead_time_deviation_days": 2.0,
    }
    return pd.DataFrame([{**row, **changed}])


def test_the_review_period_is_part_of_what_stock_has_to_last() -> None:
    # Eight days and one of review are the nine of the worked example.
    found = levels(placed(), POLICY).iloc[0]
    assert found["safety_stock_quantity"] == 71
    assert found["reorder_point_quantity"] == 251
    assert found["target_quantity"] == 251 + 20 * POLICY.order_covers_days


def test_seldom_demand_is_held_for_by_what_was_seen() -> None:
    row = placed(
        demand_class="lumpy", daily_demand=1.0, seen_quantile=30.0, lead_time_deviation_days=0.0
    )
    found = levels(row, POLICY).iloc[0]
    assert (found["safety_stock_quantity"], found["reorder_point_quantity"]) == (21, 30)


def test_a_fill_rate_needs_less_stock_than_a_cycle_service_of_the_same_number() -> None:
    target = ServiceTarget(kind="fill_rate", basis_points=9500)
    policy = msgspec.structs.replace(POLICY, target=target)
    by_fill_rate = levels(placed(), policy).iloc[0]
    assert by_fill_rate["safety_stock_quantity"] < 71
    assert by_fill_rate["expected_fill_rate"] >= 0.95


def test_regions_add_up_at_the_place_that_serves_them() -> None:
    demand = pd.DataFrame(
        {
            "region": ["uk", "eu"],
            "sku": ["MUG", "MUG"],
            "demand_class": ["smooth", "lumpy"],
            "model": ["theta", "tsb"],
            "daily_demand": [8.0, 2.0],
            "daily_deviation": [3.0, 4.0],
            "seen_quantile": [10.0, 6.0],
        }
    )
    shares = pd.DataFrame({"region": ["uk", "eu"], "node_id": ["WH1", "WH1"], "share": [1.0, 1.0]})
    row = at_nodes(demand, shares).iloc[0]
    assert row["daily_demand"] == pytest.approx(10.0)
    assert row["daily_deviation"] == pytest.approx(5.0)
    assert row["seen_quantile"] == pytest.approx(16.0)
    assert (row["demand_class"], row["model"]) == ("smooth", "theta")


def terms(**changed: object) -> pd.DataFrame:
    row = {
        "supplier_id": "north",
        "sku": "MUG",
        "is_preferred": True,
        "is_orderable": True,
        "unit_price": 25_000,
        "currency_code": "GBP",
        "lead_time_days": 8.0,
        "lead_time_deviation_days": 2.0,
        "minimum_quantity": 10,
        "case_quantity": 12,
        "is_anchored_at_minimum": False,
        "pallet_quantity": 0,
        "maximum_quantity": 0,
    }
    return pd.DataFrame([{**row, **changed}])


def test_a_supplier_that_may_not_be_ordered_from_is_passed_over() -> None:
    both = pd.concat([terms(is_orderable=False), terms(supplier_id="south", is_preferred=False)])
    assert choose_supplier(both)["supplier_id"].tolist() == ["south"]


def test_the_preferred_supplier_comes_before_the_cheaper_one() -> None:
    cheap = terms(supplier_id="south", is_preferred=False, unit_price=1)
    assert choose_supplier(pd.concat([cheap, terms()]))["supplier_id"].tolist() == ["north"]


def position(**changed: int) -> pd.DataFrame:
    row = {
        "sku": "MUG",
        "node_id": "WH1",
        "on_hand_quantity": 100,
        "reserved_quantity": 20,
        "backordered_quantity": 0,
        "on_order_quantity": 0,
        "requested_quantity": 0,
    }
    return pd.DataFrame([{**row, **changed}])


def proposed(
    positions: pd.DataFrame,
    offered: pd.DataFrame,
    policy: ReplenishmentPolicy = POLICY,
    budget: int | None = None,
) -> list[dict[str, object]]:
    demand = pd.DataFrame(
        {
            "region": ["uk"],
            "sku": ["MUG"],
            "demand_class": ["smooth"],
            "model": ["theta"],
            "daily_demand": [20.0],
            "daily_deviation": [5.0],
            "seen_quantile": [0.0],
        }
    )
    shares = pd.DataFrame({"region": ["uk"], "node_id": ["WH1"], "share": [1.0]})
    budgets = None if budget is None else {"*": to_text(budget)}
    policy = msgspec.structs.replace(policy, budget_by_currency=budgets)
    return propose(demand, shares, positions, offered, policy).proposals.to_dict("records")


def test_a_proposal_carries_what_it_rests_on() -> None:
    [row] = proposed(position(), terms())
    assert (row["position_quantity"], row["reorder_point_quantity"]) == (80, 251)
    assert row["needed_quantity"] == 251 + 280 - 80
    assert (row["order_quantity"], row["amount"]) == (456, 456 * 25_000)
    assert (row["outcome"], row["supplier_id"]) == ("proposed", "north")
    assert row["days_of_cover"] == pytest.approx(4.0)


def test_what_was_requested_and_is_not_ordered_yet_is_not_proposed_again() -> None:
    [row] = proposed(position(), terms())
    again = proposed(position(requested_quantity=int(str(row["order_quantity"]))), terms())
    assert again == []


def test_backorders_count_against_the_position() -> None:
    [row] = proposed(position(backordered_quantity=50), terms())
    assert row["position_quantity"] == 30


def test_what_nobody_sells_or_no_budget_covers_is_told() -> None:
    [nobody] = proposed(position(), terms(sku="PLATE"))
    assert (nobody["outcome"], nobody["order_quantity"]) == ("no_supplier", 0)
    [dear] = proposed(position(), terms(), budget=456 * 25_000 - 1)
    assert dear["outcome"] == "over_budget"
    [exact] = proposed(position(), terms(), budget=456 * 25_000)
    assert exact["outcome"] == "proposed"
    [odd] = proposed(position(), terms(maximum_quantity=5))
    assert (odd["outcome"], odd["problem_code"]) == ("not_orderable", "maximum_breaks_minimum")
