"""When invoices happened: in order of (time, source, id), those of the days asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from assets.commerce.calendar import local_to_utc
from assets.commerce.identifiers import identify
from assets.errors import BadInput
from resources.layouts.quanta import local_midnight
from resources.layouts.uci_online_retail import values as uci
from resources.layouts.uci_online_retail.declaration import NAME
from resources.layouts.uci_online_retail.invoices import Invoices
from resources.layouts.uci_online_retail.rows import Rows


@dataclass(frozen=True, order=True)
class Item:
    """One invoice where it stands in time; the source is the same for all."""

    time: datetime
    event_id: str
    invoice: int


@dataclass(frozen=True)
class Timeline:
    """The invoices of the days asked for, and the earliest instant of them."""

    items: list[Item]
    earliest: datetime


def place_in_time(
    rows: Rows, invoices: Invoices, zone: str, since: date | None, until: date | None
) -> Timeline:
    """Put invoices in order; one without a time that can be read stands at the beginning.

    Raises:
        BadInput: If there is nothing to tell where the beginning is.
    """
    local_seconds = np.minimum.reduceat(rows.when, invoices.starts)
    instants = _instants(local_seconds, zone)
    items = []
    timeless = []
    for invoice, seconds in enumerate(local_seconds.tolist()):
        if seconds == uci.NO_TIME:
            timeless.append(invoice)
            continue
        day = date.fromordinal(date(1970, 1, 1).toordinal() + seconds // 86_400)
        if (since and day < since) or (until and day > until):
            continue
        items.append(Item(instants[seconds], _event_id(rows, invoices, invoice), invoice))
    items.sort()
    first_day = since or until
    if items:
        earliest = items[0].time
    elif first_day is not None:
        earliest = local_midnight(first_day, zone)
    else:
        raise BadInput("not one row has a date that can be read")
    # What has no time is told at once rather than never.
    untimed = [Item(earliest, _event_id(rows, invoices, invoice), invoice) for invoice in timeless]
    return Timeline(sorted(untimed + items), earliest)


def _instants(local_seconds: uci.Integers, zone: str) -> dict[int, datetime]:
    """The instant of each local time, asked once: many invoices are of the same minute."""
    instants = {}
    for seconds in np.unique(local_seconds).tolist():
        if seconds != uci.NO_TIME:
            local = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
            instants[seconds] = local_to_utc(local, zone)
    return instants


def _event_id(rows: Rows, invoices: Invoices, invoice: int) -> str:
    """The same for the same invoice, wherever its rows stand; a nameless row is its own name."""
    start = invoices.starts[invoice]
    number = int(rows.number[start])
    if number < len(rows.numbers):
        return str(identify(NAME, rows.numbers[number]))
    return "|".join(rows.origin.raw(int(rows.row[start])))
