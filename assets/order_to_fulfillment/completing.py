"""Bundles whose components leave: one is handed over, and paid for, when the last of it has left.

Stock and its cost go with each component, whenever it leaves; the customer pays for a whole bundle
or not at all. Where the last node is done and parts of a bundle are out, a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from assets.contracts.shipment import ShippedLine
from assets.order_to_fulfillment.writes import Writes
from assets.ports import About, AllocatedLine, BundleView, CaseType, OrderView, ProductTerms

#: By (order_id, node_id): line number → what was allocated.
Allocated = Mapping[tuple[str, str], dict[int, AllocatedLine]]


def hold_bundles(
    allocated: Allocated, writes: Writes, products: dict[str, ProductTerms] | None = None
) -> None:
    """Have the bundles of these orders at hand, and their terms among the products."""
    orders = {
        order_id
        for (order_id, _), lines in allocated.items()
        if any(line.of_bundle is not None for line in lines.values())
    }
    if not orders:
        return
    unit_of_work = writes.unit_of_work
    writes.bundles.update(unit_of_work.orders.bundles(orders - writes.bundles.keys()))
    if products is not None:
        skus = {bundle.sku for order_id in orders for bundle in writes.bundles[order_id]}
        products |= unit_of_work.master_data.products(skus - products.keys())


def complete(
    order_id: str,
    shipment_id: str,
    lines: Sequence[ShippedLine],
    occurred_at: datetime,
    writes: Writes,
) -> list[tuple[BundleView, int]]:
    """The bundles that these lines complete, and how many of each."""
    left = {line.line_number: line.quantity for line in lines}
    completed = []
    for bundle in writes.bundles.get(order_id, ()):
        before = bundle.complete
        for part in bundle.per_bundle:
            bundle.handed_over[part] += left.get(part, 0)
        units = bundle.complete - before
        if units:
            completed.append((bundle, units))
            writes.rows["bundle_handed_over"].append(
                (shipment_id, bundle.line_number, order_id, bundle.sku, units, occurred_at)
            )
    return completed


def report_incomplete(order: OrderView, writes: Writes) -> None:
    """Nothing more leaves for an order: ask a person about bundles of which only parts did."""
    for bundle in writes.bundles.get(order.order_id, ()):
        surplus = sum(
            bundle.handed_over[part] - each * bundle.complete
            for part, each in bundle.per_bundle.items()
        )
        if surplus:
            writes.open_case(
                CaseType.BUNDLE_INCOMPLETE,
                f"{order.channel}/{order.order_number}/{bundle.line_number}",
                f"{surplus} units of bundle {bundle.sku} left that make up no whole one;"
                " they are not charged",
                About.order(order, value_at_risk=0),
            )
