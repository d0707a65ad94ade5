"""From forecasts, positions and terms to what is moved and what is ordered, with its evidence.

Tables in, tables out; what a proposal rests on stands in its row. Quantities are in each, money in
ten-thousandths, times in days.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.decisions.typed_policy import amount_in
from assets.procure_to_stock.replenishment_policy import ReplenishmentPolicy
from assets.procure_to_stock.rules import network
from assets.procure_to_stock.rules.demand import DemandClass
from assets.procure_to_stock.rules.order_sizing import size, within_budget
from assets.procure_to_stock.rules.safety_stock import (
    fill_rate,
    lead_time_deviation,
    normal_quantile,
    z_for_fill_rate,
)

Floats = npt.NDArray[np.float64]
#: Where no normal law holds.
_SELDOM = (DemandClass.INTERMITTENT, DemandClass.LUMPY)
#: What nobody buys, sized as if it were sold loose.
_LOOSE = {
    "minimum_quantity": 1,
    "case_quantity": 1,
    "pallet_quantity": 0,
    "maximum_quantity": 0,
    "is_anchored_at_minimum": False,
}


class Outcome(StrEnum):
    """What becomes of a need."""

    PROPOSED = "proposed"
    NO_SUPPLIER = "no_supplier"
    NOT_ORDERABLE = "not_orderable"
    OVER_BUDGET = "over_budget"


class Proposed(NamedTuple):
    """What `propose` gives."""

    levels: pd.DataFrame
    proposals: pd.DataFrame
    transfers: pd.DataFrame


def choose_supplier(terms: pd.DataFrame) -> pd.DataFrame:
    """The terms of each SKU that it is bought by: preferred, then cheapest, then soonest.

    Args:
        terms: One row per (``supplier_id``, ``sku``): ``is_preferred``, ``is_orderable`` (the
            supplier may be ordered from), ``unit_price``, ``lead_time_days`` and the rest.

    Returns:
        One row per ``sku`` with a supplier that may be ordered from, in the same columns.
    """
    usable = terms[terms["is_orderable"].to_numpy(np.bool_)]
    ranked = usable.sort_values(
        ["sku", "is_preferred", "unit_price", "lead_time_days", "supplier_id"],
        ascending=[True, False, True, True, True],
    )
    return ranked.drop_duplicates("sku").reset_index(drop=True)


def at_nodes(demand: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """The demand of regions at the places that serve them.

    Args:
        demand: One row per (``region``, ``sku``): ``demand_class``, ``model``, ``daily_demand``,
            ``daily_deviation`` and ``seen_quantile`` (over the days that stock has to last).
        shares: One row per (``region``, ``node_id``): ``share`` of the region's demand that the
            node serves; the shares of a region add up to one.

    Returns:
        One row per (``sku``, ``node_id``) with the same columns: means and quantiles add up,
        deviations by their squares, since regions err independently. Class and model are those of
        the region that asks for most.
    """
    both = demand.merge(shares, on="region")
    for name in ("daily_demand", "daily_deviation", "seen_quantile"):
        both[name] = both[name] * both["share"]
    both["daily_deviation"] = np.square(both["daily_deviation"])
    both = both.sort_values(
        ["sku", "node_id", "daily_demand", "region"], ascending=[True, True, False, True]
    )
    grouped = both.groupby(["sku", "node_id"], sort=True)
    placed = grouped[["daily_demand", "daily_deviation", "seen_quantile"]].sum()
    placed["daily_deviation"] = np.sqrt(placed["daily_deviation"])
    placed[["demand_class", "model"]] = grouped[["demand_class", "model"]].first()
    return placed.reset_index()


def levels(placed: pd.DataFrame, policy: ReplenishmentPolicy) -> pd.DataFrame:
    """Safety stock, reorder point and target of each place and SKU.

    ``ROP = d·(L + R) + SS``, and stock is brought up to it and the days that an order covers. By a
    normal law SS is ``z·σ_LT``; where demand is seldom it is what the seen quantile is above the
    mean, and the lead time's own deviation on top, both by their squares.

    Args:
        placed: One row per (``sku``, ``node_id``): ``demand_class``, ``daily_demand``,
            ``daily_deviation``, ``seen_quantile``, ``lead_time_days`` and
            ``lead_time_deviation_days``.
        policy: Target, review period, days of cover.

    Returns:
        ``placed`` plus ``safety_stock_quantity``, ``reorder_point_quantity``,
        ``target_quantity`` (each) and ``expected_fill_rate``.
    """
    daily = placed["daily_demand"].to_numpy(np.float64)
    days = placed["lead_time_days"].to_numpy(np.float64) + policy.review_days
    spread = placed["lead_time_deviation_days"].to_numpy(np.float64)
    deviation = lead_time_deviation(
        days, daily, placed["daily_deviation"].to_numpy(np.float64), spread
    )
    quantity = np.maximum(daily * policy.order_covers_days, 1.0)
    if policy.target.kind == "fill_rate":
        z = z_for_fill_rate(policy.target.share, deviation, quantity)
    else:
        z = np.full(len(placed), float(normal_quantile(policy.target.share)))
    above_mean = np.maximum(placed["seen_quantile"].to_numpy(np.float64) - daily * days, 0.0)
    is_seldom = placed["demand_class"].isin([str(one) for one in _SELDOM]).to_numpy()
    safety = np.where(is_seldom, np.hypot(above_mean, z * daily * spread), z * deviation)
    reorder_point = np.ceil(_settled(daily * days + safety)).astype(np.int64)
    cover = np.ceil(_settled(daily * policy.order_covers_days)).astype(np.int64)
    return placed.assign(
        safety_stock_quantity=np.ceil(_settled(safety)).astype(np.int64),
        reorder_point_quantity=reorder_point,
        target_quantity=reorder_point + cover,
        expected_fill_rate=np.clip(fill_rate(deviation, z, quantity), 0.0, 1.0),
    )


def _settled(values: Floats) -> Floats:
    """Without the last digits that differ from machine to machine: 5 units stay 5, not 6."""
    return np.round(values, 6)


def propose(
    demand: pd.DataFrame,
    shares: pd.DataFrame,
    positions: pd.DataFrame,
    terms: pd.DataFrame,
    policy: ReplenishmentPolicy,
) -> Proposed:
    """What is moved between places, and what is ordered of whom.

    A place is looked at when its position is at or below its reorder point, the position being on
    hand + on order + in transit + requested and not yet ordered − reserved − backordered: without
    what is requested, each plan would order again what the last one did.

    Args:
        demand: As for `at_nodes`.
        shares: As there.
        positions: One row per (``sku``, ``node_id``): ``on_hand_quantity``, ``reserved_quantity``
            (allocated included), ``backordered_quantity``, ``on_order_quantity`` (in transit
            included) and ``requested_quantity``.
        terms: What `choose_supplier` gave, with ``supplier_id``, ``unit_price``,
            ``currency_code``, ``lead_time_days``, ``lead_time_deviation_days`` and the columns of
            `assets.procure_to_stock.rules.order_sizing.size`.
        policy: In force; its budget is one of each currency.

    Returns:
        Every place and SKU with its levels; proposals, one row per (``sku``, ``node_id``) that
        lacks something, with what they rest on, ``order_quantity``, ``amount``, ``outcome`` and
        ``problem_code``; and the transfers of `assets.procure_to_stock.rules.network.transfer`.
    """
    table = _with_levels(demand, shares, positions, terms, policy)
    moved = network.transfer(table)
    wanted = network.lacking(table, moved)
    wanted = wanted[wanted["needed_quantity"] > 0].reset_index(drop=True)
    has_supplier = wanted["supplier_id"].notna().to_numpy()
    for name, loose in _LOOSE.items():
        kept = wanted[name].where(has_supplier, loose)
        wanted[name] = kept.astype("bool" if isinstance(loose, bool) else "int64")
    sized = size(wanted, policy.pallet_surplus_basis_points)
    quantity = np.where(has_supplier, sized["order_quantity"].to_numpy(np.int64), 0)
    price = wanted["unit_price"].where(has_supplier, 0).to_numpy(np.int64)
    amount = quantity * price
    wanted["order_quantity"], wanted["amount"] = quantity, amount
    wanted["problem_code"] = sized["problem_code"].to_numpy(object)
    outcome = np.full(len(wanted), str(Outcome.PROPOSED), object)
    outcome[sized["problem_code"].notna().to_numpy()] = str(Outcome.NOT_ORDERABLE)
    outcome[~has_supplier] = str(Outcome.NO_SUPPLIER)
    wanted["outcome"] = outcome
    if policy.budget_by_currency is not None:
        wanted["outcome"] = _within_budgets(wanted, policy.budget_by_currency)
    return Proposed(table, wanted, moved)


def _within_budgets(wanted: pd.DataFrame, budgets: Mapping[str, str]) -> npt.NDArray[np.object_]:
    outcome = wanted["outcome"].to_numpy(object).copy()
    proposed = wanted[outcome == str(Outcome.PROPOSED)]
    for currency, rows in proposed.groupby("currency_code"):
        fits = within_budget(
            rows["amount"].to_numpy(np.int64),
            rows["days_of_cover"].to_numpy(np.float64),
            amount_in(str(currency), budgets),
        )
        outcome[rows.index.to_numpy()[~fits]] = str(Outcome.OVER_BUDGET)
    return outcome


def _with_levels(
    demand: pd.DataFrame,
    shares: pd.DataFrame,
    positions: pd.DataFrame,
    terms: pd.DataFrame,
    policy: ReplenishmentPolicy,
) -> pd.DataFrame:
    """Every place and SKU that has a demand or stock, with position, levels and terms."""
    assumed = policy.forecasting.horizon_days
    placed = at_nodes(demand, shares).merge(terms, on="sku", how="left")
    placed["lead_time_days"] = placed["lead_time_days"].fillna(assumed)
    placed["lead_time_deviation_days"] = placed["lead_time_deviation_days"].fillna(
        assumed * policy.lead_times.assumed_deviation_basis_points / 10_000
    )
    known = levels(placed, policy)
    table = known.merge(positions, on=["sku", "node_id"], how="outer")
    quantities = [
        "on_hand_quantity",
        "reserved_quantity",
        "backordered_quantity",
        "on_order_quantity",
        "requested_quantity",
        "safety_stock_quantity",
        "target_quantity",
    ]
    table[quantities] = table[quantities].fillna(0).astype("int64")
    # What nobody asks for is bought by nobody, and may leave a place down to the last unit.
    table["reorder_point_quantity"] = table["reorder_point_quantity"].fillna(-1).astype("int64")
    table["daily_demand"] = table["daily_demand"].fillna(0.0)
    free = table["on_hand_quantity"] - table["reserved_quantity"]
    position = (
        free
        + table["on_order_quantity"]
        + table["requested_quantity"]
        - table["backordered_quantity"]
    )
    daily = table["daily_demand"].to_numpy(np.float64)
    cover = np.divide(
        position.to_numpy(np.float64), daily, out=np.full(len(table), np.inf), where=daily > 0
    )
    return table.assign(
        free_quantity=free.clip(lower=0), position_quantity=position, days_of_cover=cover
    )
