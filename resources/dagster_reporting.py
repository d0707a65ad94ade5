"""Tells Dagster what a replay did: materialisations without runs, once a simulated day at most.

Days that pass faster than anybody could look are told together, under the last of them.

A replay needs no running Dagster. Where a home has one, its asset pages show the replayed days as
they show the streamed ones. An event costs some thirty milliseconds there, nearly all of it waiting
for a disk, so a day is told as a whole and beside the replay's own work.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import structlog

_log = structlog.get_logger(__name__)
#: Days that may wait to be told before the replay waits for them.
MOST_WAITING = 50
#: A replay of a year passes a day in half a second; nobody watches an asset page that closely.
LEAST_SECONDS = 10.0
#: How many events are told at a time; 41 ms each one after the other, 15 ms by four (2026-11-26).
TELLERS = 4


class DagsterReporting:
    """Collects the rows of a simulated day and tells them when the next one begins.

    Args:
        tell: Stores one asset event; ``None`` where there is no Dagster to tell.
    """

    def __init__(self, tell: Callable[[Any], Any] | None) -> None:
        self._tell = tell
        self._day: date | None = None
        self._told_at = time.monotonic()
        self._rows: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._waiting: list[Future[None]] = []
        self._teller = ThreadPoolExecutor(1, "dagster-reporting")

    def report(self, day: date, tallies: Mapping[str, int]) -> None:
        """Count in what a window of a day added; a new day tells the one before.

        Args:
            day: The simulated day.
            tallies: Rows added, by table; tables without any are not told.
        """
        if self._tell is None:
            return
        is_due = time.monotonic() - self._told_at >= LEAST_SECONDS
        if self._day is not None and day != self._day and is_due:
            self._hand_over()
        self._day = day
        self._rows.update({table: rows for table, rows in tallies.items() if rows})

    @property
    def is_listening(self) -> bool:
        """Whether there is a Dagster that takes what it is told."""
        return self._tell is not None

    def tell(self, events: Iterable[Any]) -> None:
        """Tell asset events of different assets and checks, after what is being told of days.

        Several at a time: most of an event's time is a wait for the disk, which they share.
        """
        for told in self._waiting:
            told.result()
        self._waiting.clear()
        with ThreadPoolExecutor(TELLERS, "dagster-reporting") as tellers:
            list(tellers.map(self._told, events))

    def close(self) -> None:
        """Tell the rest and wait until everything is told."""
        if self._tell is not None and self._day is not None:
            self._hand_over()
        self._teller.shutdown(wait=True)
        for told in self._waiting:
            told.result()

    def _hand_over(self) -> None:
        self._told_at = time.monotonic()
        self._totals.update(self._rows)
        figures = {table: (rows, self._totals[table]) for table, rows in self._rows.items()}
        self._rows.clear()
        while len(self._waiting) >= MOST_WAITING:
            self._waiting.pop(0).result()
        self._waiting.append(self._teller.submit(self._tell_day, self._day, figures))

    def _tell_day(self, day: date | None, figures: Mapping[str, tuple[int, int]]) -> None:
        from dagster import AssetMaterialization

        if self._tell is None or day is None:
            return
        for table, (rows, total) in sorted(figures.items()):
            event = AssetMaterialization(
                asset_key=table,
                description=f"replayed {day.isoformat()}",
                metadata={
                    "dagster/row_count": total,
                    "rows_of_the_day": rows,
                    "simulated_day": day.isoformat(),
                },
            )
            if not self._told(event):
                return

    def _told(self, event: Any) -> bool:
        if self._tell is None:
            return False
        try:
            self._tell(event)
        except Exception as error:  # noqa: BLE001  whatever keeps Dagster from taking it
            # The facts are stored; only their picture in Dagster has a gap.
            _log.warning("dagster was not told", reason=type(error).__name__)
            self._tell = None
        return self._tell is not None


@contextmanager
def reporting(dagster_home: Path) -> Iterator[DagsterReporting]:
    """Report to the Dagster of a home, if it has one and its database answers.

    A Dagster that is away costs the replay nothing but its report.
    """
    if not (dagster_home / "dagster.yaml").exists():
        yield DagsterReporting(None)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from dagster import DagsterInstance
    try:
        instance = DagsterInstance.from_config(str(dagster_home))
    except Exception as error:  # noqa: BLE001  whatever keeps it from answering
        _log.warning("dagster is not told about this replay", reason=type(error).__name__)
        yield DagsterReporting(None)
        return
    with instance:
        reports = DagsterReporting(instance.report_runless_asset_event)
        try:
            yield reports
        finally:
            reports.close()
