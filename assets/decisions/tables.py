"""The input tables of a decision as bytes: what `decision_batch` keeps of them.

Arrow IPC (zstd) of each table, framed with the scopes that its policies hold for as MessagePack.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.ipc as ipc

_OPTIONS = ipc.IpcWriteOptions(compression="zstd")


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


def encode_tables(tables: Mapping[str, pd.DataFrame], scopes: Sequence[tuple[str, ...]]) -> bytes:
    """Tables by name, and the scopes to which they refer by position."""
    encoded = {name: to_ipc(table) for name, table in tables.items()}
    return msgspec.msgpack.encode({"tables": encoded, "scopes": scopes})


def decode_tables(encoded: bytes) -> tuple[dict[str, pd.DataFrame], list[tuple[Any, ...]]]:
    """The tables and scopes of `encode_tables`."""
    found = msgspec.msgpack.decode(encoded)
    tables = {name: from_ipc(table) for name, table in found["tables"].items()}
    return tables, [tuple(scope) for scope in found["scopes"]]
