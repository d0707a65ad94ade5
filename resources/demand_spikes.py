"""Looks for spikes in the orders of the operational store, and tells somebody of each new one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pandas as pd

from assets.commerce.identifiers import identify
from assets.flow_writes import FlowWrites
from assets.ports import About, CaseType
from assets.procure_to_stock.replenishment_policy import replenishment_policy
from assets.procure_to_stock.rules.spikes import detect
from resources.operational_store.bulk import fetch, fetch_frame
from resources.operational_store.store import OperationalStore


class Spike(NamedTuple):
    """What was found, as it is stored; shares are parts of the region's orders."""

    spike_id: str
    region: str
    product_class: str
    onset_at: datetime
    detected_at: datetime
    orders_seen: int
    lines_seen: int
    usual_share: float
    seen_share: float
    evidence: float


_COLUMNS = {"demand_spike": Spike._fields}
# Bundles are of the class that they are sold as; what has no class is not watched.
_LINES = """
    select o.region, o.order_id::text as order_id, p.product_class, l.sku,
        o.occurred_at at time zone 'UTC' as placed_at
    from order_placed o
    join order_line l using (order_id)
    left join product p using (sku)
    where o.occurred_at > %s and o.occurred_at <= %s
    order by o.occurred_at, o.order_id, l.line_number
"""


@dataclass(frozen=True)
class Detected:
    """What was looked at and found.

    Attributes:
        spikes: What was not known before.
    """

    orders: int = 0
    spikes: list[Spike] = field(default_factory=list)


def detect_spikes(store: OperationalStore) -> Detected:
    """Look at the orders of the last weeks; a spike is told once, with its case."""
    policy = replenishment_policy(store.policies.resolve("replenishment", "", "")).spikes
    at = store.clock.effective_at()
    looks_back = timedelta(days=policy.least_days + policy.usual_days)
    with store.unit_of_work() as unit_of_work:
        lines = fetch_frame(unit_of_work.connection, _LINES, at - looks_back, at)
        if lines.empty:
            return Detected()
        lines = lines.assign(
            placed_at=pd.to_datetime(lines["placed_at"]).astype("datetime64[s]"),
            # A line of no class is still one of its order, which is the clock.
            product_class=lines["product_class"].fillna(""),
        )
        found = detect(lines, policy.watch)
        quiet_since = at - timedelta(days=policy.quiet_days)
        seen = [_spike(row) for row in found.itertuples(index=False, name=None) if row[1]]
        told = set(
            fetch(
                unit_of_work.connection,
                "select region, product_class from demand_spike where detected_at > %s",
                quiet_since,
            )
        )
        # What was to be found before was, by whoever looked then.
        new = [
            spike
            for spike in seen
            if spike.detected_at > quiet_since and (spike.region, spike.product_class) not in told
        ]
        writes = FlowWrites(unit_of_work, _COLUMNS)
        writes.rows["demand_spike"] += new
        for spike in new:
            writes.open_case(
                CaseType.DEMAND_SPIKE,
                f"{spike.region}/{spike.product_class}",
                f"{spike.product_class} is in {spike.seen_share:.0%} of the orders of"
                f" {spike.region} since {spike.onset_at:%Y-%m-%d %H:%M} UTC, usually in"
                f" {spike.usual_share:.0%}; {spike.lines_seen} lines so far",
                About(region=spike.region),
            )
        writes.flush()
    return Detected(int(lines["order_id"].nunique()), new)


def _spike(row: tuple[Any, ...]) -> Spike:
    """What the rule says, with an id; its instants are UTC without a zone."""
    region, product_class, detected, onset, orders, lines, usual, seen, evidence = row
    onset_at, detected_at = (
        pd.Timestamp(instant).tz_localize("UTC").to_pydatetime() for instant in (onset, detected)
    )
    identity = str(identify("demand_spike", region, product_class, onset_at.isoformat()))
    return Spike(
        identity,
        region,
        product_class,
        onset_at,
        detected_at,
        int(orders),
        int(lines),
        float(usual),
        float(seen),
        float(evidence),
    )
