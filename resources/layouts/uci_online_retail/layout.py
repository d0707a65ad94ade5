"""The layout itself, and one pass over its files: what a gate may do with them, then windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from assets.errors import BadInput
from resources.layouts.quanta import check_quantum, local_midnight, window_end
from resources.layouts.reading import FileVerdict, Window
from resources.layouts.uci_online_retail.catalogue import catalogue
from resources.layouts.uci_online_retail.dates import settle_slash_dates
from resources.layouts.uci_online_retail.declaration import NAME, Declaration, declaration
from resources.layouts.uci_online_retail.events import submission
from resources.layouts.uci_online_retail.files import File, read_files
from resources.layouts.uci_online_retail.invoices import ORDER, RETURN, judge_invoices
from resources.layouts.uci_online_retail.refusals import refusal
from resources.layouts.uci_online_retail.rows import judge_rows
from resources.layouts.uci_online_retail.timeline import place_in_time
from resources.layouts.uci_online_retail.values import times

ROW_NUMBER = "row_number"


class UciOnlineRetail:
    """The layout itself; it has no state."""

    name = NAME

    def read(self, path: Path, since: date | None = None, until: date | None = None) -> UciReading:
        """Read every file once, judge each whole, and sort its rows into invoices.

        Raises:
            BadInput: If the path does not exist or not one file can be used.
        """
        files, texts = read_files(path)
        return UciReading(files, texts, declaration(), since, until)


_SUPPLIER = {
    "supplier_id": "wholesale",
    "name": "Wholesale Ltd",
    "lead_time_days": 14,
    "erp_buys_too": True,
}


class UciReading:
    """One pass over files of Online Retail; see `resources.layouts.reading.Reading`.

    A gate may look at `frames()` and take out whole files or single rows before the windows are
    asked for; everything is sorted again then.
    """

    needs_sandbox_supply = True
    source = NAME

    def __init__(
        self,
        files: list[File],
        texts: Mapping[str, list[str]],
        declared: Declaration,
        since: date | None,
        until: date | None,
    ) -> None:
        self.zone = declared.zone
        self._files = files
        self._texts = texts
        self._declared = declared
        self._since = since
        self._until = until
        self._gated: dict[Path, dict[int, str]] = {}
        self._times = times(texts["InvoiceDate"])
        self._day_first = settle_slash_dates(self._accepted(), self._times, declared.slash_dates)
        self._sort()

    # What a gate does before anything is accepted

    def frames(self) -> Iterator[tuple[Path, pa.Table]]:
        """Each accepted file's raw text columns, with ``row_number`` as in `FileVerdict` counts.

        Row 1 is the header; a row is a record, so empty lines are not counted and a quoted field
        may go over several.
        """
        for file in self._accepted():
            yield file.path, self._frame(file)

    def exclude_file(self, path: Path, because: str) -> None:
        """Take one accepted file out, whole.

        Raises:
            BadInput: If no file is left.
        """
        for file in self._accepted():
            if file.path == path:
                file.refuse(because)
        self._sort()

    def refuse_rows(self, path: Path, reasons: Mapping[int, str]) -> None:
        """Refuse rows by row number; each takes its whole invoice with it."""
        self._gated.setdefault(path, {}).update(reasons)
        self._sort()

    # What happened, in order

    def windows(self, quantum: timedelta) -> Iterator[Window]:
        """Windows aligned to local midnight, empty ones left out; bodies are built as they come.

        A refused invoice stands where its earliest readable time is, or in the first window.

        Raises:
            BadInput: If the quantum would drift away from midnight.
        """
        check_quantum(quantum)
        invoices = self._invoices
        first_seen = catalogue(self._rows, invoices, self._timeline, self._declared)
        days_seen: set[date] = set()
        zone = ZoneInfo(self.zone)
        for until, items in groupby(
            self._timeline, key=lambda item: window_end(item.time, quantum, self.zone)
        ):
            window = Window(until=until, rows=0, submissions=[])
            rows = 0
            for item in items:
                rows += int(invoices.ends[item.invoice] - invoices.starts[item.invoice])
                if item.invoice in invoices.refused:
                    window.refusals.append(refusal(self._rows, invoices, item.invoice))
                    continue
                day = item.time.astimezone(zone).date()
                if day not in days_seen:
                    days_seen.add(day)
                    window.catalogue.extend(first_seen.get(day, ()))
                window.submissions.append(submission(self._rows, invoices, self._declared, item))
            yield replace(window, rows=rows)

    def _accepted(self) -> list[File]:
        return [file for file in self._files if file.refused_because is None]

    def _frame(self, file: File) -> pa.Table:
        columns: dict[str, Any] = {
            column: pa.array(self._texts[column], pa.string()).take(pa.array(codes))
            for column, codes in file.codes.items()
        }
        columns[ROW_NUMBER] = pa.array(np.arange(2, file.rows + 2))
        return pa.table(columns)

    def _sort(self) -> None:
        """Sort all accepted rows into invoices, and those into their order in time."""
        self.files = [
            FileVerdict(file.path, file.rows, file.refused_because) for file in self._files
        ]
        accepted = self._accepted()
        if not accepted:
            reasons = "; ".join(f"{file.path.name} {file.refused_because}" for file in self._files)
            raise BadInput(f"not one file can be used: {reasons}")
        self._rows = judge_rows(
            accepted, self._texts, self._times, self._day_first, self._gated, self._declared
        )
        self._invoices = judge_invoices(self._rows, self._declared)
        timeline = place_in_time(self._rows, self._invoices, self.zone, self._since, self._until)
        self._timeline = timeline.items
        day = timeline.earliest.astimezone(ZoneInfo(self.zone)).date()
        self.starts_at = local_midnight(day, self.zone)
        # The retailer as declared, for the sandbox that supplies it.
        self.sandbox_settings: Mapping[str, object] = {
            "starts_at": self.starts_at.isoformat(),
            "zone": self._declared.zone,
            "legal_entity": self._declared.legal_entity,
            "brand": self._declared.brand,
            "currency": self._declared.currency,
            "nodes": [{"node_id": self._declared.node_id}],
            # The files name nobody who sells: one sandbox supplier takes what replenishment orders.
            "suppliers": [_SUPPLIER],
        }
        self._count()

    def _count(self) -> None:
        refused = self._invoices.refused
        events = np.array(
            [item.invoice for item in self._timeline if item.invoice not in refused], np.int64
        )
        kinds = self._invoices.kind[events]
        self.orders = int(np.sum(kinds == ORDER))
        self.order_lines = int(np.sum(self._invoices.goods[events][kinds == ORDER]))
        self.returns = int(np.sum(kinds == RETURN))
