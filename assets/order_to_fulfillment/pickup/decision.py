"""The decisions about pickups as they are stored: their input tables, and how to redo them.

Opening hours are stored as the intervals that they meant on the day, so a calendar of holidays
that is corrected later changes no decision that was taken before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import msgspec
import pandas as pd

from assets.decisions.policy_document import PolicyDocument
from assets.decisions.tables import decode_tables, encode_tables
from assets.order_to_fulfillment.pickup.policy import PickupPolicy, pickup_policy
from assets.order_to_fulfillment.pickup.rules import (
    choose_store,
    promise_ready,
    reserve_at_store,
    reserve_bundles_at_store,
)
from assets.order_to_fulfillment.sourcing.tables import NO_BUNDLES

#: Units at the store of an order, and when they are at its counter.
KIND = "pickup"
#: Another store for an order that its store refused.
OTHER_STORE_KIND = "pickup_store"

PolicyOf = Callable[[str, str], PickupPolicy]


@dataclass(frozen=True)
class PickupInputs:
    """Everything that the rules saw.

    Attributes:
        orders: ``order_id``, ``node_id``, ``from_at`` and ``scope``, in decision order; of another
            store, one row for each store that may be asked.
        order_lines: ``order_id``, ``line_number``, ``sku``, ``quantity``, in decision order.
        stock: ``node_id``, ``sku``, ``unpromised_quantity``.
        openings: ``scope``, ``node_id``, ``opens_at``, ``closes_at``.
        scopes: (region, brand) behind each scope.
        bundles: Which lines are components of a bundle, as sourcing has them: ``line``,
            ``bundle_line_number``, ``quantity_per_bundle``.
    """

    orders: pd.DataFrame
    order_lines: pd.DataFrame
    stock: pd.DataFrame
    openings: pd.DataFrame
    scopes: list[tuple[str, str]]
    bundles: pd.DataFrame = field(default_factory=lambda: NO_BUNDLES)

    def encode(self) -> bytes:
        """What is kept of them; see `assets.decisions.tables`.

        Where no order has bundles, nothing is said of them.
        """
        tables = {part.name: getattr(self, part.name) for part in fields(self)}
        del tables["scopes"]
        if not len(self.bundles):
            del tables["bundles"]
        return encode_tables(tables, self.scopes)

    @classmethod
    def decode(cls, encoded: bytes) -> PickupInputs:
        """The inputs as they were encoded."""
        tables, scopes = decode_tables(encoded)
        return cls(**tables, scopes=scopes)

    def promised(self, policy_of: PolicyOf) -> pd.DataFrame:
        """``orders`` with ``kept_quantity`` and ``promised_ready_at`` by each scope's policy."""
        policies = [policy_of(*scope) for scope in self.scopes]
        ruling = [
            (policies[scope].preparation_minutes(node), policies[scope].safety(node))
            for scope, node in zip(self.orders["scope"], self.orders["node_id"], strict=True)
        ]
        orders = self.orders.assign(
            preparation_minutes=[minutes for minutes, _ in ruling],
            kept_quantity=[kept for _, kept in ruling],
        )
        return orders.assign(promised_ready_at=promise_ready(orders, self.openings))


def decide(inputs: PickupInputs, policy_of: PolicyOf) -> tuple[pd.Series, pd.Series]:
    """Units of each line at the store of its order, and when each order can be at its counter.

    An order that no opening is long enough for gets nothing.

    Returns:
        Units in the index of ``order_lines``; promised instants in the index of ``orders``.
    """
    orders = inputs.promised(policy_of)
    lines = inputs.order_lines.merge(
        orders[["order_id", "node_id", "kept_quantity", "promised_ready_at"]],
        on="order_id",
        how="left",
        validate="many_to_one",
    )
    is_promised = lines["promised_ready_at"].notna()
    lines["quantity"] = lines["quantity"].where(is_promised, 0).astype("int64")
    units = (
        reserve_bundles_at_store(lines, inputs.stock, inputs.bundles)
        if len(inputs.bundles)
        else reserve_at_store(lines, inputs.stock)
    )
    return units, orders["promised_ready_at"]


def decide_store(inputs: PickupInputs, policy_of: PolicyOf) -> tuple[str, datetime] | None:
    """The other store that takes an order over, and when it is ready there."""
    return choose_store(inputs.order_lines, inputs.stock, inputs.promised(policy_of))


def outcome_hash(outcome: tuple[pd.Series, pd.Series] | tuple[str, datetime] | None) -> bytes:
    """SHA-256 over what was decided, in its order."""
    if outcome is None:
        said = ["nowhere"]
    elif isinstance(outcome[0], str):
        said = [outcome[0], _instant(outcome[1])]
    else:
        units, promised = outcome
        said = [*map(str, units.tolist()), *map(_instant, promised)]
    return hashlib.sha256("\n".join(said).encode()).digest()


def _instant(instant: Any) -> str:
    return "never" if pd.isna(instant) else pd.Timestamp(instant).isoformat(timespec="microseconds")


def recompute(encoded: bytes, document: Mapping[str, Any]) -> bytes:
    """The outcome hash of units and promises that the stored inputs and policy give today."""
    return outcome_hash(decide(PickupInputs.decode(encoded), _policies(document)))


def recompute_store(encoded: bytes, document: Mapping[str, Any]) -> bytes:
    """The same of another store."""
    return outcome_hash(decide_store(PickupInputs.decode(encoded), _policies(document)))


def _policies(document: Mapping[str, Any]) -> PolicyOf:
    stored = msgspec.convert(dict(document), PolicyDocument)
    return lambda region, brand: pickup_policy(stored.resolve(region, brand))
