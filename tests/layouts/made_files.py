"""Small files of the layouts, and what their readings hold, for the tests beside this module."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from assets.contracts.admission import Refusal, check
from resources.layouts.reading import CatalogueItem, Reading, Window
from resources.layouts.uci_online_retail.layout import UciOnlineRetail, UciReading

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"
ADMITTED_AT = datetime(2026, 11, 23, tzinfo=UTC)


def row(
    invoice: str = "536365",
    sku: str = "85123A",
    quantity: object = 6,
    price: str = "2.55",
    *,
    description: str = "WHITE T-LIGHT HOLDER",
    at: str = "2010-12-01 08:26:00",
    customer: str = "17850.0",
    country: str = "United Kingdom",
) -> list[str]:
    return [invoice, sku, description, str(quantity), at, price, customer, country]


def text(*rows: list[str], header: str = HEADER) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return f"{header}\n{written.getvalue()}"


def write(path: Path, *rows: list[str], header: str = HEADER) -> Path:
    body = text(*rows, header=header).encode()
    path.write_bytes(gzip.compress(body, mtime=0) if path.suffix == ".gz" else body)
    return path


def read(path: Path, since: date | None = None, until: date | None = None) -> UciReading:
    return UciOnlineRetail().read(path, since, until)


def refused(reading: Reading) -> dict[str, str]:
    return {
        verdict.path.name: verdict.refused_because
        for verdict in reading.files
        if verdict.refused_because is not None
    }


@dataclass
class Told:
    """All that a reading told, every event admitted by its contract on the way."""

    windows: list[Window]
    bodies: list[bytes]
    events: list[dict[str, Any]]
    refusals: list[Refusal]
    catalogue: list[CatalogueItem]

    def of(self, family: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"].startswith(f"retail.{family}.")]

    def event(self, subject: str) -> dict[str, Any]:
        (event,) = [event for event in self.events if event["subject"] == subject]
        return event


def told(reading: Reading, quantum: timedelta = timedelta(days=1)) -> Told:
    windows = list(reading.windows(quantum))
    submissions = [submission for window in windows for submission in window.submissions]
    for submission in submissions:
        check(submission.source, submission.body, ADMITTED_AT)
    bodies = [submission.body for submission in submissions]
    return Told(
        windows,
        bodies,
        [msgspec.json.decode(body) for body in bodies],
        [refusal for window in windows for refusal in window.refusals],
        [item for window in windows for item in window.catalogue],
    )
