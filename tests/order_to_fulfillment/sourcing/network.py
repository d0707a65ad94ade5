"""A network of nodes and orders to source from it, in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pandas as pd

from assets.order_to_fulfillment.sourcing.deciding import Sourced, source
from assets.order_to_fulfillment.sourcing.policy import SourcingPolicy
from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.tables import NO_EXCLUSIONS, NO_USAGE, Tables

#: A Monday, 09:00 in London.
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVERY_DAY = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "17:00")
WORKING_DAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "17:00")
ANY_NODE: dict[str, Any] = {
    "cut_off_by_weekday": EVERY_DAY,
    "handling_hours": 1,
    "blackout_dates": [],
    "capacity_per_day": None,
    "capacity_unit": "orders",
    "protected_quantity_each": 0,
    "opportunity_basis_points": 0,
}


def lane(parcel: str = "3", unit: str = "0", days: int = 1, km: int = 0) -> dict[str, Any]:
    return {
        "carrier": "carrier",
        "transit_working_days": days,
        "cost_per_parcel": parcel,
        "cost_per_unit": unit,
        "distance_km": km,
    }


def anywhere(terms: dict[str, Any]) -> dict[str, Any]:
    return {"*": {"*": terms}}


def policy(**changes: Any) -> SourcingPolicy:
    values: dict[str, Any] = {
        "mode": "lexicographic",
        "maximum_splits": 9,
        "minimum_shipment_value": "0",
        "may_ship_late": True,
        "preference_step_cost": "0",
        "weights": {"extra_shipment": "2", "late_unit": "4", "unmet_unit": "50"},
        "exact_limits": {"node_sets": 25_000, "sku_node_pairs": 2_000, "solver_effort": 10},
        "nodes": {"*": ANY_NODE},
        "lanes": {"*": anywhere(lane())},
        **changes,
    }
    return msgspec.convert(values, SourcingPolicy)


def profile(sourcing: SourcingPolicy | None = None, **changes: Any) -> Profile:
    values: dict[str, Any] = {
        "policy": sourcing or policy(),
        "region": "uk",
        "zone": "Europe/London",
        "ranking": (),
        "kept_back": {"*": 0},
        **changes,
    }
    return Profile(**values)


@dataclass(frozen=True)
class Wanted:
    """An order: (SKU, units, unit price in pounds), promised so many days after its own."""

    lines: Sequence[tuple[str, int, int]]
    profile: int = 0
    country: str = "GB"
    service_level: str = "standard"
    decided_at: datetime = MONDAY
    promised_days: int = 5
    rejected_by: Sequence[str] = ()


def order(*lines: tuple[str, int] | tuple[str, int, int], **changes: Any) -> Wanted:
    return Wanted(
        [(line[0], line[1], line[2] if len(line) > 2 else 10) for line in lines], **changes
    )


@dataclass
class Network:
    """Stock by node, and where the nodes are."""

    stock: Mapping[str, Mapping[str, int]]
    zones: Mapping[str, str] = field(default_factory=dict)
    used: Sequence[tuple[str, str, int, int]] = ()

    def tables(self, orders: Sequence[Wanted], first: int = 0) -> Tables:
        rows = [
            (
                f"order-{first + position}",
                wanted.profile,
                wanted.country,
                wanted.service_level,
                wanted.decided_at,
                wanted.decided_at + timedelta(days=wanted.promised_days),
            )
            for position, wanted in enumerate(orders)
        ]
        names = [
            "order_id", "profile", "country_code", "service_level", "decided_at", "promised_at",
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=names)
        frame = frame.astype(
            {"decided_at": "datetime64[us, UTC]", "promised_at": "datetime64[us, UTC]"}
        )
        lines = [
            (position, number, sku, units, price * 10_000)
            for position, wanted in enumerate(orders)
            for number, (sku, units, price) in enumerate(wanted.lines, start=1)
        ]
        columns = ["order", "line_number", "sku", "quantity", "unit_price"]
        stock = [
            (node, sku, units) for node, held in self.stock.items() for sku, units in held.items()
        ]
        nodes = [(node, "warehouse", self.zones.get(node, "Europe/London")) for node in self.stock]
        used = [(node, pd.Timestamp(day), taken, units) for node, day, taken, units in self.used]
        exclusions = [
            (f"order-{first + position}", node)
            for position, wanted in enumerate(orders)
            for node in wanted.rejected_by
        ]
        return Tables(
            orders=frame,
            order_lines=pd.DataFrame(lines, columns=columns).astype(
                {"order": "int64", "quantity": "int64", "unit_price": "int64"}
            ),
            stock=pd.DataFrame(stock, columns=["node_id", "sku", "unpromised_quantity"]).astype(
                {"unpromised_quantity": "int64"}
            ),
            nodes=pd.DataFrame(nodes, columns=["node_id", "kind", "zone"]),
            usage=pd.DataFrame(used, columns=list(NO_USAGE.columns)) if used else NO_USAGE,
            exclusions=(
                pd.DataFrame(exclusions, columns=["order_id", "node_id"])
                if exclusions
                else NO_EXCLUSIONS
            ),
        )

    def source(self, orders: Sequence[Wanted], *profiles: Profile) -> Sourced:
        return source(self.tables(orders), list(profiles) or [profile()])


Given = list[tuple[int, str, int]]


def given(sourced: Sourced) -> Given:
    """(line, node, units)."""
    columns = ["line", "node_id", "quantity"]
    return list(sourced.units[columns].itertuples(index=False, name=None))


def unmet(sourced: Sourced) -> list[tuple[int, int, str]]:
    """(line, units, reason)."""
    columns = ["line", "quantity", "reason_code"]
    return list(sourced.unmet[columns].itertuples(index=False, name=None))
