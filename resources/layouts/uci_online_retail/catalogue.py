"""The products that the files show, on the first day on which each is seen."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from assets.commerce.money import to_text
from resources.layouts.quanta import local_midnight
from resources.layouts.reading import CatalogueItem
from resources.layouts.uci_online_retail import values as uci
from resources.layouts.uci_online_retail.declaration import Declaration
from resources.layouts.uci_online_retail.events import LONGEST_NOTE
from resources.layouts.uci_online_retail.invoices import ADJUSTMENT, LEDGER, Invoices
from resources.layouts.uci_online_retail.rows import Rows
from resources.layouts.uci_online_retail.timeline import Item

Places = npt.NDArray[np.intp]


def catalogue(
    rows: Rows, invoices: Invoices, timeline: list[Item], declared: Declaration
) -> dict[date, list[CatalogueItem]]:
    """By local day, the SKUs that are first seen on it, by SKU.

    The price is the first one above 0 on that day and "0" if there is none: what the ERP is
    told about a product on its first day does not look ahead. The description does, to the
    first order or return that has one, and only then to the notes on stock corrections.
    """
    invoice_of_row = np.repeat(np.arange(len(invoices.starts)), invoices.ends - invoices.starts)
    seen, day_of_row = _goods_in_time(rows, invoices, invoice_of_row, timeline, declared.zone)
    if not len(seen):
        return {}
    sku = rows.sku[seen]
    numbers, first = np.unique(sku, return_index=True)
    first_day = np.zeros(len(rows.skus), np.int64)
    first_day[numbers] = day_of_row[seen][first]
    priced = seen[(rows.price[seen] > 0) & (day_of_row[seen] == first_day[sku])]
    list_price = _first_of(rows, priced, rows.price)
    described = seen[rows.description[seen] >= 0]
    correction = invoices.kind[invoice_of_row[described]] == ADJUSTMENT
    described = described[np.argsort(correction, kind="stable")]
    description = _first_of(rows, described, rows.description.astype(np.int64))
    items: dict[date, list[CatalogueItem]] = defaultdict(list)
    for number in numbers.tolist():
        local_day = date.fromordinal(int(first_day[number]))
        text = rows.descriptions[description[number]] if number in description else ""
        items[local_day].append(
            CatalogueItem(
                sku=rows.skus[number],
                description=text[:LONGEST_NOTE],
                list_price=to_text(list_price[number]) if number in list_price else "0",
                currency=declared.currency,
                first_seen_at=local_midnight(local_day, declared.zone),
                product_class=_class_of(rows.skus[number]),
            )
        )
    return items


def _class_of(sku: str) -> str | None:
    """The first four of five digits: codes of one series follow each other; others have none."""
    return sku[:4] if sku[:5].isdigit() else None


def _goods_in_time(
    rows: Rows, invoices: Invoices, invoice_of_row: Places, timeline: list[Item], zone_name: str
) -> tuple[Places, uci.Integers]:
    """The rows of goods that become events, first ones first, and the local day of every row."""
    rank = np.full(len(invoices.starts), -1, np.int64)
    days = np.zeros(len(invoices.starts), np.int64)
    zone = ZoneInfo(zone_name)
    for place, item in enumerate(timeline):
        if item.invoice not in invoices.refused and invoices.kind[item.invoice] != LEDGER:
            rank[item.invoice] = place
            days[item.invoice] = item.time.astimezone(zone).toordinal()
    rank_of_row = rank[invoice_of_row]
    seen = np.flatnonzero((rank_of_row >= 0) & ~rows.is_charge)
    return seen[np.argsort(rank_of_row[seen], kind="stable")], days[invoice_of_row]


def _first_of(rows: Rows, candidates: Places, values: uci.Integers) -> dict[int, int]:
    """By SKU number, the value of the first of the rows that may say it."""
    found, at = np.unique(rows.sku[candidates], return_index=True)
    return dict(zip(found.tolist(), values[candidates[at]].tolist(), strict=True))
