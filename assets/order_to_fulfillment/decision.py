"""The sourcing decision as it is stored: its input tables once per batch, and how to redo it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.ipc as ipc

from assets.decisions.policy_document import PolicyDocument
from assets.order_to_fulfillment.policy import order_policy
from assets.order_to_fulfillment.rules import Profile, source

KIND = "sourcing"
_OPTIONS = ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True)
class SourcingInputs:
    """Everything that the rule saw.

    Attributes:
        order_lines: ``order_id``, ``line_number``, ``sku``, ``quantity``, ``profile``, in order.
        stock: ``node_id``, ``sku``, ``unpromised_quantity``.
        scopes: (channel, region, brand) behind each profile.
        nodes: The nodes that were active.
    """

    order_lines: pd.DataFrame
    stock: pd.DataFrame
    scopes: list[tuple[str, str, str]]
    nodes: list[str]

    def encode(self) -> bytes:
        """Arrow IPC (zstd) of both tables, framed with the scopes as MessagePack."""
        return msgspec.msgpack.encode(
            {
                "order_lines": _to_ipc(self.order_lines),
                "stock": _to_ipc(self.stock),
                "scopes": self.scopes,
                "nodes": self.nodes,
            }
        )

    @classmethod
    def decode(cls, encoded: bytes) -> SourcingInputs:
        """The inputs as they were encoded."""
        fields = msgspec.msgpack.decode(encoded)
        return cls(
            order_lines=_from_ipc(fields["order_lines"]),
            stock=_from_ipc(fields["stock"]),
            scopes=[tuple(scope) for scope in fields["scopes"]],
            nodes=fields["nodes"],
        )

    def profiles(self, policy_of: Any) -> list[Profile]:
        """What each scope's policy makes of the nodes; ``policy_of(region, brand)`` gives it."""
        result = []
        for channel, region, brand in self.scopes:
            policy = policy_of(region, brand)
            ranking = policy.ranked_nodes(channel, self.nodes)
            result.append(tuple((node, policy.brokering_safety(node)) for node in ranking))
        return result


def _to_ipc(frame: pd.DataFrame) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _from_ipc(encoded: bytes) -> pd.DataFrame:
    frame: pd.DataFrame = ipc.open_stream(encoded).read_all().to_pandas()
    return frame


def outcome_hash(order_lines: pd.DataFrame, sourced: pd.DataFrame) -> bytes:
    """SHA-256 over order, line, node and units of a sourcing result, in its order."""
    positions = sourced["line"].to_numpy()
    rows = zip(
        order_lines["order_id"].to_numpy(object)[positions],
        order_lines["line_number"].to_numpy()[positions],
        sourced["node_id"],
        sourced["quantity"],
        strict=True,
    )
    text = "\n".join(f"{order},{line},{node},{units}" for order, line, node, units in rows)
    return hashlib.sha256(text.encode()).digest()


def decide_again(inputs: SourcingInputs, document: PolicyDocument) -> pd.DataFrame:
    """Decide again from what was stored; same columns as `rules.source`."""
    profiles = inputs.profiles(lambda region, brand: order_policy(document.resolve(region, brand)))
    return source(inputs.order_lines, inputs.stock, profiles)


def recompute(encoded: bytes, document: Mapping[str, Any]) -> bytes:
    """The outcome hash that the stored inputs and policy document give today."""
    inputs = SourcingInputs.decode(encoded)
    sourced = decide_again(inputs, msgspec.convert(dict(document), PolicyDocument))
    return outcome_hash(inputs.order_lines, sourced)
