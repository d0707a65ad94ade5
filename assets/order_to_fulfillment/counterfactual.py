"""What sourcing would have done under another policy: the stored decisions, taken again in order.

What the other policy takes from a node or leaves there is carried to the decisions after it: stock
by node and SKU, never below nothing, and what a node took on in a day. What became of an order is
not carried: where it was cancelled, declined or sent back, its units returned to where history had
taken them from. So long periods under very different policies say less than short ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date

import numpy as np
import pandas as pd

from assets.decisions.policy_document import PolicyDocument
from assets.order_to_fulfillment.decision import SourcingInputs
from assets.order_to_fulfillment.sourcing.calendars import local_days
from assets.order_to_fulfillment.sourcing.deciding import Sourced, source
from assets.order_to_fulfillment.sourcing.tables import NO_USAGE, Tables


@dataclass
class Totals:
    """What decisions came to; units each, amounts in ten-thousandths."""

    filled_quantity: int = 0
    shipments: int = 0
    split_orders: int = 0
    transport_amount: int = 0
    orders_in_time: int = 0
    late_quantity: int = 0

    def add(self, sourced: Sourced) -> None:
        """Count one batch."""
        self.filled_quantity += int(sourced.units["quantity"].sum())
        self.shipments += int(sourced.shipments.sum())
        self.split_orders += int((sourced.shipments > 1).sum())
        self.transport_amount += int(sourced.transport.sum())
        self.orders_in_time += int(((sourced.shipments > 0) & (sourced.late_units == 0)).sum())
        self.late_quantity += int(sourced.late_units.sum())


@dataclass
class Comparison:
    """History beside what the other policy would have made of it."""

    batches: int = 0
    orders: int = 0
    order_lines: int = 0
    ordered_quantity: int = 0
    differing_orders: int = 0
    stored: Totals = field(default_factory=Totals)
    counterfactual: Totals = field(default_factory=Totals)

    def changes(self) -> dict[str, int]:
        """Counterfactual less stored, by name of the total."""
        names = [total.name for total in fields(Totals)]
        return {
            name: getattr(self.counterfactual, name) - getattr(self.stored, name) for name in names
        }


def compare(batches: Iterable[tuple[bytes, PolicyDocument]], policy: PolicyDocument) -> Comparison:
    """Take stored decisions again under another policy.

    Args:
        batches: Stored inputs and the policy that held, in the order of deciding.
        policy: The other policy.
    """
    comparison = Comparison()
    stock: Counter[tuple[str, str]] = Counter()
    history = _TakenOn()
    other = _TakenOn()
    for encoded, document in batches:
        inputs = SourcingInputs.decode(encoded)
        profiles = inputs.profiles_under(document)
        tables = inputs.tables
        stored = source(tables, profiles)
        knew_usage = any(profile.policy.limits_capacity for profile in profiles)
        changed = replace(
            tables,
            stock=_carried(tables.stock, stock),
            usage=other.beside(history, tables.usage if knew_usage else None),
        )
        again = source(changed, inputs.profiles_under(policy))
        for key, units in _taken(tables, stored).items():
            stock[key] += units
        for key, units in _taken(tables, again).items():
            stock[key] -= units
        history.add(tables, stored)
        other.add(tables, again)
        _count(comparison, tables, stored, again)
    return comparison


def _carried(stock: pd.DataFrame, difference: Counter[tuple[str, str]]) -> pd.DataFrame:
    if not any(difference.values()):
        return stock
    keys = zip(stock["node_id"].tolist(), stock["sku"].tolist(), strict=True)
    moved = np.array([difference[key] for key in keys], np.int64)
    # Nothing is made of what history took below what the other policy had left.
    units = np.maximum(stock["unpromised_quantity"].to_numpy(np.int64) + moved, 0)
    return stock.assign(unpromised_quantity=units)


def _taken(tables: Tables, sourced: Sourced) -> Counter[tuple[str, str]]:
    skus = tables.order_lines["sku"].to_numpy(object)[sourced.units["line"].to_numpy()]
    found: Counter[tuple[str, str]] = Counter()
    rows = zip(sourced.units["node_id"], skus, sourced.units["quantity"].tolist(), strict=True)
    for node, sku, units in rows:
        found[node, sku] += units
    return found


class _TakenOn:
    """Orders and units that nodes took on, by node and local day."""

    def __init__(self) -> None:
        self._orders: Counter[tuple[str, date]] = Counter()
        self._units: Counter[tuple[str, date]] = Counter()

    def add(self, tables: Tables, sourced: Sourced) -> None:
        """Count one batch."""
        order = tables.order_lines["order"].to_numpy()[sourced.units["line"].to_numpy()]
        decided = tables.orders["decided_at"].dt.tz_convert("UTC").dt.tz_localize(None)
        instants = decided.to_numpy("datetime64[us]")
        frame = sourced.units.assign(order=order)
        zones = dict(zip(tables.nodes["node_id"], tables.nodes["zone"], strict=True))
        for name, given in frame.groupby("node_id"):
            node = str(name)
            days = local_days(instants[given["order"].to_numpy()], zones[node]).astype(object)
            for day, units in zip(days, given["quantity"].tolist(), strict=True):
                self._units[node, day] += units
            distinct = given["order"].drop_duplicates().index
            for position in given.index.get_indexer(distinct):
                self._orders[node, days[position]] += 1

    def beside(self, history: _TakenOn, stored: pd.DataFrame | None) -> pd.DataFrame:
        """The usage that a decision of this course of things sees.

        Args:
            history: The course that was.
            stored: What the decision saw in it, unless nothing had a capacity then.
        """
        seen: dict[tuple[str, date], tuple[int, int]] = {}
        if stored is not None:
            columns = (stored[name].tolist() for name in NO_USAGE.columns)
            for node, day, orders, units in zip(*columns, strict=True):
                key = (node, day.date())
                seen[key] = (orders - history._orders[key], units - history._units[key])
        keys = sorted({*seen, *self._units})
        rows = [
            (
                node,
                pd.Timestamp(day),
                max(0, seen.get((node, day), (0, 0))[0] + self._orders[node, day]),
                max(0, seen.get((node, day), (0, 0))[1] + self._units[node, day]),
            )
            for node, day in keys
        ]
        frame = pd.DataFrame(rows, columns=list(NO_USAGE.columns))
        return frame.astype(NO_USAGE.dtypes.to_dict())


def _count(comparison: Comparison, tables: Tables, stored: Sourced, again: Sourced) -> None:
    comparison.batches += 1
    comparison.orders += len(tables.orders)
    comparison.order_lines += len(tables.order_lines)
    comparison.ordered_quantity += int(tables.order_lines["quantity"].sum())
    comparison.stored.add(stored)
    comparison.counterfactual.add(again)
    order_of = tables.order_lines["order"].to_numpy()
    rows = [
        set(zip(*(sourced.units[name].tolist() for name in sourced.units.columns), strict=True))
        for sourced in (stored, again)
    ]
    comparison.differing_orders += len({int(order_of[row[0]]) for row in rows[0] ^ rows[1]})
