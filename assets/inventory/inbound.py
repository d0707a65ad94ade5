"""Supply that is announced: kept as it is told, weighed by how sure it is, phased over time.

It never becomes stock here: only a goods receipt does, which says which document it settles.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pandas as pd

from assets.commerce.identifiers import identify
from assets.facts import in_columns
from assets.inventory.policy import InventoryPolicy, house_policy
from assets.inventory.unknown import awaited
from assets.ports import InboundSupply, InboxEvent, UnitOfWork

_ANNOUNCED = (
    "announcement_id",
    "line_number",
    "document_number",
    "node_id",
    "sku",
    "announced_quantity",
    "status",
    "expected_at",
    "occurred_at",
)


def take_announcements(events: Iterable[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Keep what is announced; of an unknown node or SKU it waits for it."""
    events = list(events)
    if not events:
        return
    known = unit_of_work.master_data.products(
        {line.sku for event in events for line in event.data.lines}
    )
    nodes = unit_of_work.master_data.nodes()
    rows: list[tuple[Any, ...]] = []
    for event in events:
        data = event.data
        if waits_for := awaited(event, known, nodes):
            unit_of_work.inbox.park(event, *waits_for)
        else:
            identity = str(identify("inbound_announced", event.source, event.event_id))
            rows += [
                (
                    identity,
                    line.line_number,
                    data.document_number,
                    data.node_id,
                    line.sku,
                    line.quantity,
                    data.status,
                    data.expected_at,
                    event.occurred_at,
                )
                for line in data.lines
            ]
    if rows:
        unit_of_work.append("inbound_announced", in_columns(_ANNOUNCED, rows))
        unit_of_work.stock.mark_unpublished({row[4] for row in rows})


def confident_supply(
    inbound: Iterable[InboundSupply], policy: InventoryPolicy, now: datetime
) -> pd.DataFrame:
    """What of the announced units may be promised.

    Args:
        inbound: Open units by SKU and document.
        policy: How sure each status is.
        now: Nothing that is late already comes earlier than this.

    Returns:
        One row per SKU and document with ``sku``, ``expected_at`` (UTC) and ``quantity`` (each),
        the announced units times the confidence of their status, rounded down; by SKU and time.
    """
    frame = pd.DataFrame(
        [(line.sku, max(line.expected_at, now), line.status, line.quantity) for line in inbound],
        columns=["sku", "expected_at", "status", "quantity"],
    ).astype({"sku": "str", "expected_at": "datetime64[us, UTC]", "quantity": "int64"})
    by_status = msgspec.structs.asdict(policy.inbound_confidence_basis_points_by_status)
    confidence = frame["status"].map(by_status)
    frame["quantity"] = frame["quantity"] * confidence.astype("int64") // 10_000
    kept = frame[frame["quantity"] > 0].drop(columns="status")
    return kept.sort_values(["sku", "expected_at"], kind="stable").reset_index(drop=True)


def believed_supply(skus: Iterable[str], unit_of_work: UnitOfWork) -> pd.DataFrame:
    """`confident_supply` of these SKUs as of now; what is overdue for too long is not in it.

    How sure supply is does not depend on who buys, so the house's own values say it.
    """
    policy, now = house_policy(unit_of_work.policies), unit_of_work.effective_at
    since = now - timedelta(hours=policy.inbound_believed_hours_overdue)
    return confident_supply(unit_of_work.supply.inbound(skus, since), policy, now)


def available_over_time(available: pd.DataFrame, supply: pd.DataFrame) -> pd.DataFrame:
    """Time-phased ATP: ``ATP(t) = min(ceiling, max(0, start + Σ supply expected by t))``.

    Args:
        available: One row per ``channel`` and ``sku`` with ``start_quantity`` (each; what may be
            sold now, less who waits and the threshold, and so below zero where more wait than
            there are) and ``ceiling_quantity``.
        supply: As `confident_supply` gives it.

    Returns:
        One row per channel, SKU and instant of supply, in that order: ``channel``, ``sku``,
        ``expected_at`` (UTC, at the dock) and ``available_quantity`` (each) from then on.
    """
    at_once = supply.groupby(["sku", "expected_at"], as_index=False)["quantity"].sum()
    phased = available.merge(at_once, on="sku").sort_values(["channel", "sku", "expected_at"])
    sums = phased.groupby(["channel", "sku"])["quantity"].cumsum() + phased["start_quantity"]
    phased["available_quantity"] = sums.clip(0, phased["ceiling_quantity"]).astype("int64")
    return phased[["channel", "sku", "expected_at", "available_quantity"]].reset_index(drop=True)
