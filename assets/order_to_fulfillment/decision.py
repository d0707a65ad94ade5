"""The sourcing decision as it is stored: its input tables once per batch, and how to redo it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.ipc as ipc

from assets.decisions.policy_document import PolicyDocument
from assets.order_to_fulfillment.policy import OrderPolicy, order_policy
from assets.order_to_fulfillment.sourcing.deciding import Sourced, source
from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.tables import Tables

KIND = "sourcing"
_OPTIONS = ipc.IpcWriteOptions(compression="zstd")


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
        """Arrow IPC (zstd) of each table, framed with the scopes as MessagePack.

        Where no order has bundles, nothing is said of them.
        """
        names = [field.name for field in fields(Tables)]
        if not len(self.tables.bundles):
            names.remove("bundles")
        tables = {name: to_ipc(getattr(self.tables, name)) for name in names}
        return msgspec.msgpack.encode({"tables": tables, "scopes": self.scopes})

    @classmethod
    def decode(cls, encoded: bytes) -> SourcingInputs:
        """The inputs as they were encoded."""
        found = msgspec.msgpack.decode(encoded)
        tables = {name: from_ipc(table) for name, table in found["tables"].items()}
        return cls(Tables(**tables), [tuple(scope) for scope in found["scopes"]])

    def profiles(self, policy_of: Callable[[str, str], OrderPolicy]) -> list[Profile]:
        """What the policy of each scope says; ``policy_of(region, brand)`` gives it."""
        return [
            policy_of(region, brand).profile(channel, region)
            for channel, region, brand in self.scopes
        ]

    def profiles_under(self, document: PolicyDocument) -> list[Profile]:
        """The same under a stored or proposed version of the policy."""
        return self.profiles(lambda region, brand: order_policy(document.resolve(region, brand)))


def to_ipc(frame: pd.DataFrame) -> bytes:
    """A table as Arrow IPC (zstd)."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_ipc(encoded: bytes) -> pd.DataFrame:
    """The table of `to_ipc`."""
    frame: pd.DataFrame = ipc.open_stream(encoded).read_all().to_pandas()
    return frame


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
