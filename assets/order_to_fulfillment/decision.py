"""The sourcing decision as it is stored: its input tables once per batch, and how to redo it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import msgspec

from assets.decisions.policy_document import PolicyDocument
from assets.decisions.tables import decode_tables, encode_tables
from assets.order_to_fulfillment.policy import OrderPolicy, order_policy
from assets.order_to_fulfillment.sourcing.deciding import Sourced, source
from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.tables import Tables

KIND = "sourcing"


@dataclass(frozen=True)
class SourcingInputs:
    """Everything that the rule saw.

    Attributes:
        tables: Orders, lines, stock, nodes, what nodes took on before, exclusions and bundles.
        scopes: (channel, region, brand) behind each profile.
    """

    tables: Tables
    scopes: list[tuple[str, str, str]]

    def encode(self) -> bytes:
        """What is kept of them; see `assets.decisions.tables`.

        Where no order has bundles, nothing is said of them.
        """
        tables = {field.name: getattr(self.tables, field.name) for field in fields(Tables)}
        if not len(self.tables.bundles):
            del tables["bundles"]
        return encode_tables(tables, self.scopes)

    @classmethod
    def decode(cls, encoded: bytes) -> SourcingInputs:
        """The inputs as they were encoded."""
        tables, scopes = decode_tables(encoded)
        return cls(Tables(**tables), scopes)

    def profiles(self, policy_of: Callable[[str, str], OrderPolicy]) -> list[Profile]:
        """What the policy of each scope says; ``policy_of(region, brand)`` gives it."""
        return [
            policy_of(region, brand).profile(channel, region)
            for channel, region, brand in self.scopes
        ]

    def profiles_under(self, document: PolicyDocument) -> list[Profile]:
        """The same under a stored or proposed version of the policy."""
        return self.profiles(lambda region, brand: order_policy(document.resolve(region, brand)))


def outcome_hash(tables: Tables, sourced: Sourced) -> bytes:
    """SHA-256 over order, line, node and units of a sourcing result, and what is unmet and why."""
    text = [
        f"{order},{line},{node},{units}"
        for order, line, node, units in zip(
            *_names_of(tables, sourced.units["line"].to_numpy()),
            sourced.units["node_id"],
            sourced.units["quantity"],
            strict=True,
        )
    ]
    text += [
        f"{order},{line},-{units},{reason}"
        for order, line, units, reason in zip(
            *_names_of(tables, sourced.unmet["line"].to_numpy()),
            sourced.unmet["quantity"],
            sourced.unmet["reason_code"],
            strict=True,
        )
    ]
    return hashlib.sha256("\n".join(text).encode()).digest()


def _names_of(tables: Tables, positions: Any) -> tuple[Any, Any]:
    """Order id and line number of lines."""
    lines = tables.order_lines
    orders = lines["order"].to_numpy()[positions]
    return (
        tables.orders["order_id"].to_numpy(object)[orders],
        lines["line_number"].to_numpy()[positions],
    )


def decide_again(inputs: SourcingInputs, document: PolicyDocument) -> Sourced:
    """Decide again from what was stored."""
    return source(inputs.tables, inputs.profiles_under(document))


def recompute(encoded: bytes, document: Mapping[str, Any]) -> bytes:
    """The outcome hash that the stored inputs and policy document give today."""
    inputs = SourcingInputs.decode(encoded)
    sourced = decide_again(inputs, msgspec.convert(dict(document), PolicyDocument))
    return outcome_hash(inputs.tables, sourced)
