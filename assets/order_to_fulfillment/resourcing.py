"""Units for orders that are under way already: refused by a node, or supplied after a wait.

The same rule as for new orders, without the nodes that had the order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd

from assets.commerce.calendar import end_of_day
from assets.commerce.identifiers import decision_id
from assets.order_to_fulfillment.bundling import bundles_table
from assets.order_to_fulfillment.choosing import (
    INSTANT,
    ORDER_COLUMNS,
    active_nodes,
    keep_decision,
    taken_on,
    unpromised,
)
from assets.order_to_fulfillment.decision import KIND, SourcingInputs, outcome_hash
from assets.order_to_fulfillment.sourcing.deciding import source
from assets.order_to_fulfillment.sourcing.tables import NO_BUNDLES, Tables
from assets.order_to_fulfillment.writes import Writes
from assets.ports import AllocatedLine, OrderView, Reservation


@dataclass
class Wanted:
    """What an order still wants, and what it was given.

    Attributes:
        lines: By line number; components only of whole bundles.
        refused: Nodes that are not asked again.
        wanted_at: From when on.
        promised_day: What the customer was, or will be, promised.
        occasion: Tells the order's decisions apart.
        given: Filled by `source_again`, as ``late_units``: those that come after the promise.
    """

    order: OrderView
    lines: dict[int, AllocatedLine]
    refused: Collection[str]
    wanted_at: datetime
    promised_day: date
    occasion: str
    given: list[Reservation] = field(default_factory=list)
    late_units: int = 0

    @property
    def outcome(self) -> str:
        """What is said of it."""
        missing = sum(line.quantity for line in self.lines.values())
        missing -= sum(reservation.quantity for reservation in self.given)
        return "filled" if not missing else "partly_filled" if self.given else "unfilled"

    @property
    def is_filled(self) -> bool:
        """Whether all of it was found."""
        return self.outcome == "filled"


def source_again(
    wanted: Sequence[Wanted], reason_code: str, writes: Writes, *, keeps_failures: bool = True
) -> None:
    """Find what other nodes have of orders, one after the other, and keep the decision.

    Args:
        wanted: In the order in which they are served.
        reason_code: Why they are sourced again.
        writes: Has nothing that is not stored yet.
        keeps_failures: Whether a decision that gives nothing is kept; not where it is asked again
            and again until something comes.
    """
    scopes = list(dict.fromkeys((w.order.channel, w.order.region, w.order.brand) for w in wanted))
    profiles = [
        writes.policy(region, brand).profile(channel, region) for channel, region, brand in scopes
    ]
    keys = [(at, number) for at, one in enumerate(wanted) for number in sorted(one.lines)]
    skus = {line.sku for one in wanted for line in one.lines.values()}
    tables = Tables(
        orders=_orders(wanted, scopes, writes),
        order_lines=_lines(wanted, keys),
        bundles=_bundles(wanted, keys, writes),
        stock=unpromised(skus, writes),
        nodes=active_nodes(writes),
        usage=taken_on([one.wanted_at for one in wanted], profiles, writes),
        exclusions=pd.DataFrame(
            [(one.order.order_id, node) for one in wanted for node in sorted(one.refused)],
            columns=["order_id", "node_id"],
        ),
    )
    sourced = source(tables, profiles)
    units = sourced.units[["line", "node_id", "quantity"]]
    for line, node, quantity in units.itertuples(index=False, name=None):
        at, number = keys[line]
        one = wanted[at]
        sku = one.lines[number].sku
        one.given.append(Reservation(one.order.order_id, number, node, sku, quantity))
    for one, late in zip(wanted, sourced.late_units.tolist(), strict=True):
        one.late_units = late
    told = [one for one in wanted if keeps_failures or one.is_filled]
    if told:
        outcome = outcome_hash(tables, sourced)
        _keep(told, SourcingInputs(tables, scopes), outcome, reason_code, writes)


def _keep(
    told: Sequence[Wanted],
    inputs: SourcingInputs,
    outcome: bytes,
    reason_code: str,
    writes: Writes,
) -> None:
    keys = [f"{one.order.order_id}/{one.occasion}" for one in told]
    batch = keep_decision(keys, inputs, outcome, writes)
    writes.rows["decision_record"] += [
        (str(decision_id(KIND, key)), batch, KIND, key, one.outcome, [reason_code])
        for key, one in zip(keys, told, strict=True)
    ]


def _bundles(wanted: Sequence[Wanted], keys: list[tuple[int, int]], writes: Writes) -> pd.DataFrame:
    """Which of the lines belong together, as (line, bundle's line number, units in one)."""
    bundled = [
        one.order.order_id
        for one in wanted
        if any(line.of_bundle is not None for line in one.lines.values())
    ]
    if not bundled:
        return NO_BUNDLES
    held = writes.unit_of_work.orders.bundles(bundled)
    position = {key: index for index, key in enumerate(keys)}
    return bundles_table(
        [
            (position[at, part], bundle.line_number, each)
            for at, one in enumerate(wanted)
            for bundle in held.get(one.order.order_id, ())
            for part, each in bundle.per_bundle.items()
            if (at, part) in position
        ]
    )


def _orders(
    wanted: Sequence[Wanted], scopes: list[tuple[str, str, str]], writes: Writes
) -> pd.DataFrame:
    rows = [
        (
            one.order.order_id,
            scopes.index((one.order.channel, one.order.region, one.order.brand)),
            one.order.country_code,
            one.order.service_level,
            one.wanted_at,
            end_of_day(
                one.promised_day, writes.policy(one.order.region, one.order.brand).trading_zone
            ),
        )
        for one in wanted
    ]
    frame = pd.DataFrame(rows, columns=list(ORDER_COLUMNS))
    return frame.astype({"profile": "int64", "decided_at": INSTANT, "promised_at": INSTANT})


def _lines(wanted: Sequence[Wanted], keys: list[tuple[int, int]]) -> pd.DataFrame:
    rows = []
    for at, number in keys:
        line = wanted[at].lines[number]
        rows.append((at, number, line.sku, line.quantity, line.unit_price))
    columns = ["order", "line_number", "sku", "quantity", "unit_price"]
    whole = dict.fromkeys(("order", "line_number", "quantity", "unit_price"), "int64")
    return pd.DataFrame(rows, columns=columns).astype(whole)
