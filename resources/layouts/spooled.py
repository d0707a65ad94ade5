"""Events that a layout finds out of order: their bodies wait on disk, their keys in memory.

For layouts whose files already hold (or translate to) whole events. A file is either committed
with all that it held, or dropped.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from assets.contracts.admission import Refusal, Submission
from assets.errors import BadInput, EnvironmentProblem
from resources.layouts.quanta import check_quantum, local_midnight, window_end
from resources.layouts.reading import FileVerdict, Window

_SPOOL_IN_MEMORY = 16 * 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _Key(NamedTuple):
    """Where an event stands in time and in the spool; equal ids are ordered by what they say."""

    microseconds: int
    source: str
    event_id: str
    content: int
    offset: int
    length: int
    position: str


@dataclass
class FileEvents:
    """What one file holds, until it is known to be whole."""

    keys: list[_Key] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    orders: int = 0
    order_lines: int = 0
    returns: int = 0


class SpooledReading:
    """A reading of whole events; see `resources.layouts.reading.Reading`."""

    needs_sandbox_supply = False
    sandbox_settings: Mapping[str, object] = MappingProxyType({})

    def __init__(self, zone: str, since: date | None, until: date | None) -> None:
        self.zone = zone
        self.files: list[FileVerdict] = []
        self.not_taken: list[tuple[Path, str]] = []
        self.orders = 0
        self.order_lines = 0
        self.returns = 0
        self.starts_at = _EPOCH
        self._since = since
        self._until = until
        self._keys: list[_Key] = []
        self._refusals: list[Refusal] = []
        self._spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY)  # noqa: SIM115
        # It lives as long as the reading and goes with it.
        weakref.finalize(self, self._spool.close)
        self._end = 0

    def add(
        self,
        file: FileEvents,
        *,
        time: datetime,
        source: str,
        event_id: str,
        event_type: str,
        order_lines: int,
        body: bytes,
        position: str,
    ) -> None:
        """Keep one event of a file, if its local day is among those asked for.

        Raises:
            EnvironmentProblem: If the disk has no room for it.
        """
        day = time.astimezone(ZoneInfo(self.zone)).date()
        if (self._since and day < self._since) or (self._until and day > self._until):
            return
        content = int.from_bytes(blake2b(body, digest_size=7).digest())
        microseconds = (time - _EPOCH) // _MICROSECOND
        file.keys.append(
            _Key(microseconds, source, event_id, content, self._end, len(body), position)
        )
        try:
            self._spool.write(body)
        except OSError as problem:
            raise _no_room(problem) from problem
        self._end += len(body)
        file.orders += event_type.startswith("retail.order.placed.")
        file.order_lines += order_lines
        file.returns += event_type.startswith("retail.return.requested.")

    def commit(self, file: FileEvents) -> None:
        """Take a file that turned out to be whole.

        Raises:
            EnvironmentProblem: If the disk has no room for what it holds.
        """
        try:
            self._spool.flush()
        except OSError as problem:
            raise _no_room(problem) from problem
        self._keys += file.keys
        self._refusals += file.refusals
        self.orders += file.orders
        self.order_lines += file.order_lines
        self.returns += file.returns

    def settle(self) -> None:
        """Put everything in order, once all files are in.

        Raises:
            BadInput: If not one file can be used.
        """
        if all(verdict.refused_because is not None for verdict in self.files):
            reasons = "; ".join(
                f"{verdict.path.name} {verdict.refused_because}" for verdict in self.files
            )
            raise BadInput(f"not one file can be used: {reasons}")
        self._keys.sort()
        first_day = self._since or self._until
        if self._keys:
            first_day = self._time(self._keys[0]).astimezone(ZoneInfo(self.zone)).date()
        if first_day is not None:
            self.starts_at = local_midnight(first_day, self.zone)

    def windows(self, quantum: timedelta) -> Iterator[Window]:
        """Windows aligned to local midnight, empty ones left out.

        What could not be read has no time and stands in the first window.

        Raises:
            BadInput: If the quantum would drift away from midnight.
        """
        check_quantum(quantum)
        refusals = list(self._refusals)
        for until, keys in groupby(
            self._keys, key=lambda key: window_end(self._time(key), quantum, self.zone)
        ):
            window = Window(until, 0, [self._submission(key) for key in keys], refusals=refusals)
            yield replace(window, rows=len(window.submissions) + len(refusals))
            refusals = []
        if refusals:
            until = window_end(self.starts_at, quantum, self.zone)
            yield Window(until, len(refusals), [], refusals=refusals)

    def _time(self, key: _Key) -> datetime:
        return _EPOCH + key.microseconds * _MICROSECOND

    def _submission(self, key: _Key) -> Submission:
        self._spool.seek(key.offset)
        return Submission(key.source, self._spool.read(key.length), key.position)


def _no_room(problem: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"events cannot be kept aside in {tempfile.gettempdir()}: {problem.strerror}"
    )
