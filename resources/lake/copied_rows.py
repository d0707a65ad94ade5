"""The rows of a PostgreSQL COPY as Arrow batches. Where they go is not known here."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv
from psycopg import pq as libpq

from assets.errors import EnvironmentProblem

CSV_BLOCK_BYTES = 1 << 20


class LineBreakInValueError(Exception):
    """A quoted value holds a line break, which the fast way of parsing cannot take."""


class CopyOut(io.RawIOBase):
    """The rows of one COPY as a file for the CSV parser.

    psycopg's own reader costs several microseconds a row in Python; asking libpq directly costs
    half of one.
    """

    def __init__(self, pgconn: Any, query: str, *, line_breaks: bool) -> None:
        self._pgconn = pgconn
        self._line_breaks = line_breaks
        self._rest = b""
        self._open = True
        result = pgconn.exec_(query.encode())
        if result.status != libpq.ExecStatus.COPY_OUT:
            self._open = False
            raise EnvironmentProblem(f"the export was refused: {_message(result)}")

    def readable(self) -> bool:
        """Say so to whoever wraps this."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; fewer than asked for only at the end."""
        pieces = [self._rest]
        held = len(self._rest)
        rows = 0
        receive = self._pgconn.get_copy_data
        while self._open and (size < 0 or held < size):
            length, row = receive(0)
            if length <= 0:
                self._finish()
                break
            pieces.append(row)
            held += length
            rows += 1
        content = b"".join(pieces)
        if not self._line_breaks and content.count(b"\n", len(pieces[0])) != rows:
            raise LineBreakInValueError
        if size < 0 or held <= size:
            self._rest = b""
            return content
        self._rest = content[size:]
        return content[:size]

    def drain(self) -> None:
        """Take what is left, so that the connection can be used again."""
        while self._open:
            length, _ = self._pgconn.get_copy_data(0)
            if length <= 0:
                self._finish()

    def _finish(self) -> None:
        self._open = False
        failure = None
        while (result := self._pgconn.get_result()) is not None:
            if result.status != libpq.ExecStatus.COMMAND_OK:
                failure = _message(result)
        if failure is not None:
            raise EnvironmentProblem(f"the export was cut off: {failure}")


def batches(
    copied: CopyOut, arrow_schema: pa.Schema, *, line_breaks: bool
) -> Iterator[pa.RecordBatch]:
    """The copied rows in the columns of ``arrow_schema``, some at a time."""
    try:
        reader = pyarrow.csv.open_csv(
            pa.PythonFile(copied, mode="r"),
            read_options=pyarrow.csv.ReadOptions(
                column_names=arrow_schema.names, block_size=CSV_BLOCK_BYTES, use_threads=False
            ),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=line_breaks),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=arrow_schema,
                null_values=[""],
                strings_can_be_null=True,
                # COPY quotes an empty text and leaves a null bare.
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        raise
    yield from reader


def _message(result: Any) -> str:
    text = bytes(result.error_message).decode(errors="replace").strip()
    return text.splitlines()[0] if text else "no reason was given"
