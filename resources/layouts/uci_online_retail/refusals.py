"""What is kept of an invoice that is not taken: its raw rows, where they stand, what is wrong."""

from __future__ import annotations

import csv
import io

from assets.contracts.admission import Refusal
from resources.layouts.uci_online_retail.declaration import NAME
from resources.layouts.uci_online_retail.invoices import Invoices
from resources.layouts.uci_online_retail.rows import Rows

_POSITIONS_SHOWN = 20


def refusal(rows: Rows, invoices: Invoices, invoice: int) -> Refusal:
    """The refusal of one invoice, whole."""
    position = rows.origin.position
    places = sorted(rows.row[invoices.starts[invoice] : invoices.ends[invoice]].tolist())
    bad = [row for row in places if row in rows.problems]
    reasons = [
        f"{position(row)}: {'; '.join(rows.problems[row])}" for row in bad[:_POSITIONS_SHOWN]
    ] or [
        f"{', '.join(position(row) for row in places[:_POSITIONS_SHOWN])}: "
        f"{'; '.join(invoices.refused[invoice])}"
    ]
    if len(bad) > _POSITIONS_SHOWN:
        reasons.append(f"and {len(bad) - _POSITIONS_SHOWN} more rows")
    body = io.StringIO()
    csv.writer(body, lineterminator="\n").writerows(rows.origin.raw(row) for row in places)
    where = ", ".join(position(row) for row in (bad or places)[:_POSITIONS_SHOWN])
    return Refusal(NAME, body.getvalue().encode(), where, "bad_rows", " | ".join(reasons))
