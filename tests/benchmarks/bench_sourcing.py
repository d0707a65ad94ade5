"""Sourcing by itself: 10,000 open orders over 50 nodes and 5,000 SKUs: ``make bench-sourcing``.

No database: the rule with its tables in, its units out. Five warehouses hold four fifths of the
range each, forty stores a third of it with few units and protect their last ones, five drop-ship
nodes a tenth; every order has one to five lines of a skewed range. Both modes are measured. The
same again with stock *scattered*: each SKU at twelve nodes of any kind, so that most orders cannot
come from one node, which is the worst that sourcing can be asked. Twice as many orders show whether
memory follows.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pandas as pd

from assets.order_to_fulfillment.sourcing.deciding import Method, Sourced, source
from assets.order_to_fulfillment.sourcing.policy import SourcingPolicy
from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.tables import NO_EXCLUSIONS, NO_USAGE, Tables
from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result, Spent

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
BATCH = 2_000
WORKING_DAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "16:00")


def policy(mode: str, nodes: int) -> SourcingPolicy:
    """Warehouses ship cheaper than stores; every node lies somewhere."""
    lanes = {}
    for node in range(nodes):
        is_store = node >= nodes // 2
        parcel = f"{3 + (node * 7 % 13) / 10 + (1.5 if is_store else 0):.2f}"
        lanes[name(node)] = {
            "*": {
                "*": {
                    "carrier": "carrier",
                    "transit_working_days": 1 + node % 3,
                    "cost_per_parcel": parcel,
                    "cost_per_unit": "0.1",
                    "distance_km": 20 * node,
                }
            }
        }
    stores = {
        name(node): {"protected_quantity_each": 2, "capacity_per_day": 400}
        for node in range(nodes // 2, nodes)
    }
    values = {
        "mode": mode,
        "maximum_splits": 2,
        "minimum_shipment_value": "5",
        "may_ship_late": True,
        "preference_step_cost": "0",
        "weights": {"extra_shipment": "1.5", "late_unit": "4", "unmet_unit": "50"},
        "exact_limits": {"node_sets": 25_000, "sku_node_pairs": 400, "solver_effort": 5},
        "nodes": {
            "*": {
                "cut_off_by_weekday": WORKING_DAYS,
                "handling_hours": 2,
                "blackout_dates": ["2026-03-17"],
                "capacity_per_day": None,
                "capacity_unit": "orders",
                "protected_quantity_each": 0,
                "opportunity_basis_points": 2_500,
            },
            **stores,
        },
        "lanes": lanes,
    }
    return msgspec.convert(values, SourcingPolicy)


def name(node: int) -> str:
    return f"node_{node:02d}"


def usual(
    wanted: np.ndarray, nodes: int, random: np.random.Generator
) -> list[tuple[str, str, int]]:
    """Warehouses have most of it, stores and drop-ship nodes a little of some."""
    warehouses, drop_ship = max(1, nodes // 10), max(1, nodes // 10)
    rows = []
    for item, units in enumerate(wanted):
        for node in range(nodes):
            is_warehouse, is_drop_ship = node < warehouses, warehouses <= node < 2 * drop_ship
            held = 0.8 if is_warehouse else 0.1 if is_drop_ship else 0.33
            if random.random() >= held:
                continue
            share = 0.5 * units if is_warehouse else 0.02 * units
            rows.append((name(node), f"sku_{item:05d}", int(random.poisson(share + 3))))
    return rows


def scattered(
    wanted: np.ndarray, nodes: int, random: np.random.Generator
) -> list[tuple[str, str, int]]:
    """Twice what is wanted, over a dozen nodes of which a few have most of it."""
    rows = []
    for item, units in enumerate(wanted):
        holders = random.choice(nodes, min(12, nodes), replace=False)
        shares = random.dirichlet(np.full(len(holders), 0.6))
        held = np.ceil(shares * (2 * units + 8)).astype(int)
        rows += [
            (name(node), f"sku_{item:05d}", int(n)) for node, n in zip(holders, held, strict=True)
        ]
    return rows


def tables(
    orders: int, nodes: int, skus: int, *, is_scattered: bool = False, seed: int = 1
) -> Tables:
    random = np.random.default_rng(seed)
    lines_of = random.integers(1, 6, orders)
    of_order = np.repeat(np.arange(orders), lines_of)
    lines = len(of_order)
    popularity = 1 / (np.arange(skus) + 20) ** 0.8
    sku = random.choice(skus, lines, p=popularity / popularity.sum())
    quantity = random.integers(1, 4, lines)
    decided = [MONDAY + timedelta(seconds=int(4 * position)) for position in range(orders)]
    days = random.integers(2, 8, orders)
    wanted = np.bincount(sku, quantity, skus)
    rows = scattered(wanted, nodes, random) if is_scattered else usual(wanted, nodes, random)
    made = pd.DataFrame(
        {
            "order_id": [f"order-{position:06d}" for position in range(orders)],
            "profile": np.zeros(orders, np.int64),
            "country_code": "GB",
            "service_level": "standard",
            "decided_at": decided,
            "promised_at": [
                at + timedelta(days=int(n)) for at, n in zip(decided, days, strict=True)
            ],
        }
    )
    return Tables(
        orders=made,
        order_lines=pd.DataFrame(
            {
                "order": of_order,
                "line_number": np.arange(lines) + 1,
                "sku": [f"sku_{item:05d}" for item in sku],
                "quantity": quantity,
                "unit_price": random.integers(20_000, 400_000, lines),
            }
        ),
        stock=pd.DataFrame(rows, columns=["node_id", "sku", "unpromised_quantity"]),
        nodes=pd.DataFrame(
            {
                "node_id": [name(node) for node in range(nodes)],
                "kind": "warehouse",
                "zone": "Europe/London",
            }
        ),
        usage=NO_USAGE,
        exclusions=NO_EXCLUSIONS,
    )


def profiles(mode: str, nodes: int) -> list[Profile]:
    return [Profile(policy(mode, nodes), "uk", "Europe/London", (), {"*": 0})]


def measured(made: Tables, given: list[Profile]) -> tuple[Sourced, Spent, float]:
    """The result, what it took, and the memory beyond what was there before."""
    measuring.forget_peak()
    before = measuring.peak_megabytes()
    spent = Spent()
    with measuring.spending(spent):
        sourced = source(made, given)
    return sourced, spent, measuring.peak_megabytes() - before


def main() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = measuring.parser(__doc__).parse_args()
    orders, nodes, skus = (200, 10, 100) if arguments.tiny else (10_000, 50, 5_000)
    runs = 1 if arguments.tiny else 3
    result = Result(
        "sourcing",
        "Sourcing",
        f"{orders:,} orders of one to five lines, {nodes} nodes, {skus:,} SKUs, {runs} runs each",
    )
    table = result.table(
        "The rule alone, tables in and units out, medians",
        "mode",
        "stock",
        "orders",
        "seconds",
        "CPU s",
        "orders/s",
        "memory beyond the input, MB",
        "one node, all at once",
        "sets enumerated",
        "solver",
        "beyond exact",
        "units filled",
        "split orders",
    )
    source(tables(50, nodes, skus), profiles("lexicographic", nodes))
    for mode in ("lexicographic", "weighted"):
        for factor, is_scattered in ((1, False), (2, False), (1, True)):
            made = tables(orders * factor, nodes, skus, is_scattered=is_scattered)
            found = [measured(made, profiles(mode, nodes)) for _ in range(runs)]
            sourced = found[0][0]
            counts = np.bincount(sourced.method, minlength=len(Method))
            shares = counts / counts.sum()
            split = (
                sourced.units.assign(
                    order=made.order_lines["order"].to_numpy()[sourced.units["line"]]
                )
                .groupby("order")["node_id"]
                .nunique()
            )
            row = {
                "seconds": measuring.median([spent.wall for _, spent, _ in found]),
                "cpu_seconds": measuring.median([spent.client for _, spent, _ in found]),
                "memory_mb": max(memory for _, _, memory in found),
                "exact_share": float(shares[:3].sum()),
                "common_share": float(shares[0]),
                "filled_share": float(
                    sourced.units["quantity"].sum() / made.order_lines["quantity"].sum()
                ),
                "split_orders": int((split > 1).sum()),
            }
            stock = "scattered" if is_scattered else "usual"
            result.data[f"{mode}, {orders * factor} orders, {stock} stock"] = row
            table.add(
                mode,
                stock,
                orders * factor,
                row["seconds"],
                row["cpu_seconds"],
                orders * factor / row["seconds"],
                row["memory_mb"],
                *(f"{share:.1%}" for share in shares[:3]),
                f"{shares[3:].sum():.1%}",
                f"{row['filled_share']:.1%}",
                row["split_orders"],
            )
    slowest = max(
        result.data[f"{mode}, {orders} orders, usual stock"]["seconds"]
        for mode in ("lexicographic", "weighted")
    )
    exact = min(row["exact_share"] for row in result.data.values())
    result.figure(
        "Sourcing: 10,000 open orders, 50 nodes, 5,000 SKUs",
        "≤ 5 s",
        f"{slowest:.1f} s, {exact:.1%} solved exactly",
        slowest <= 5,
    )
    result.notes.append(
        "The figure is the slower of the two modes with the usual stock, and the smallest share."
    )
    measuring.keep(result, arguments)


if __name__ == "__main__":
    sys.exit(main())
