"""Our own events as they are: one CloudEvent in JSON a line, in files of any name and order.

Only the time is read here, to know which window a line is of; whether it is an event at all is
the door's to say. A line without a readable time can be in no window and is refused by its place.
"""

from __future__ import annotations

import codecs
import zlib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from assets.contracts.admission import LARGEST_BODY_BYTES, Refusal
from assets.errors import ContractViolation
from resources.layouts.delimited import FileRefused, files_below, open_unpacked, why_broken
from resources.layouts.reading import FileVerdict
from resources.layouts.spooled import FileEvents, SpooledReading

NAME = "cloudevents"
# Events say their own zone; windows of a file that mixes many are cut at midnight UTC.
ZONE = "UTC"

_ORDER_PLACED = "retail.order.placed.v1"
_NO_OBJECT = ("malformed_json", "not_cloudevents")
# What the door refuses for its size is still to be refused there, by name, up to a point.
_LONGEST_LINE = 16 * LARGEST_BODY_BYTES

# Outside of these a window's end cannot be counted in any zone.
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


class _Event(msgspec.Struct):
    """What decides where a line stands."""

    time: datetime
    id: Any = None
    source: Any = None
    type: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Lines(msgspec.Struct):
    """How many lines an order has, for the totals that are shown."""

    lines: list[msgspec.Raw]


_decode = msgspec.json.Decoder(_Event).decode
_decode_lines = msgspec.json.Decoder(_Lines).decode


class CloudEvents:
    """The layout itself; it has no state."""

    name = NAME

    def read(
        self, path: Path, since: date | None = None, until: date | None = None
    ) -> SpooledReading:
        """Read every file once and put their lines in order of time.

        Raises:
            BadInput: If the path does not exist or not one file can be used.
        """
        reading = SpooledReading(ZONE, since, until)
        for file_path in files_below(path):
            reading.files.append(_read_file(reading, file_path))
        reading.settle()
        return reading


def _read_file(reading: SpooledReading, path: Path) -> FileVerdict:
    held = FileEvents()
    rows = number = 0
    is_of_the_layout = False
    try:
        with open_unpacked(path) as stream:
            while line := stream.readline(_LONGEST_LINE):
                number += 1
                body = line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").strip()
                if not body:
                    continue
                rows += 1
                position = f"{path.name}:{number}"
                is_whole = line.endswith(b"\n")
                if not is_whole and len(line) == _LONGEST_LINE:
                    raise FileRefused(f"line {number} is longer than any event may be")
                try:
                    _place(reading, held, body, position)
                    is_of_the_layout = True
                except ContractViolation as problem:
                    if problem.reason_code == "malformed_json" and not is_whole:
                        raise FileRefused(f"ends within line {number}: the file is cut") from None
                    is_of_the_layout |= problem.reason_code not in _NO_OBJECT
                    held.refusals.append(
                        Refusal(NAME, body, position, problem.reason_code, str(problem))
                    )
    except FileRefused as refusal:
        return FileVerdict(path, rows, str(refusal))
    except (EOFError, OSError, zlib.error) as problem_of_stream:
        return FileVerdict(path, rows, why_broken(problem_of_stream))
    if not rows:
        return FileVerdict(path, 0, "holds no lines")
    if not is_of_the_layout:
        return FileVerdict(path, rows, f"is not of the layout {NAME}: no line is a JSON object")
    reading.commit(held)
    return FileVerdict(path, rows)


def _place(reading: SpooledReading, held: FileEvents, body: bytes, position: str) -> None:
    try:
        event = _decode(body)
    except msgspec.ValidationError as error:
        if not body.startswith(b"{"):
            raise ContractViolation("not_cloudevents", "it is no JSON object") from error
        raise ContractViolation("missing_field", "it has no time to be read", "$.time") from error
    except (ValueError, RecursionError) as error:
        raise ContractViolation("malformed_json", "it is not JSON") from error
    if event.time.tzinfo is None:
        raise ContractViolation("time_without_zone", "a time must say its zone", "$.time")
    if not _FIRST_YEAR <= event.time.year <= _LAST_YEAR:
        raise ContractViolation("time_out_of_range", "no trade is of that year", "$.time")
    event_type = event.type if isinstance(event.type, str) else ""
    reading.add(
        held,
        time=event.time,
        # Whom a line speaks for is for the door to judge; only the text has to be one.
        source=event.source if isinstance(event.source, str) else NAME,
        event_id=event.id if isinstance(event.id, str) else "",
        event_type=event_type,
        order_lines=_lines_of_order(event) if event_type == _ORDER_PLACED else 0,
        body=body,
        position=position,
    )


def _lines_of_order(event: _Event) -> int:
    try:
        return len(_decode_lines(event.data).lines)
    except (ValueError, RecursionError):
        return 0
