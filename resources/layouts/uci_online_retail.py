"""The public data set "Online Retail" (and "Online Retail II"): invoice lines in, events out.

Each invoice is one event, whatever files its rows are in. Which one, in this order:

1. Rows with a code that is no goods (`Declaration.charge_codes`) are charges, never lines.
2. ``C`` invoices are returns. Quantities are positive; charges keep the sign of the money, as in
   an order: a negative one is given back to the customer, like the goods.
3. ``A`` invoices are corrections of the ledger, of the signed amount.
4. Invoices all of whose rows have no price, or all of whose quantities are negative, are
   corrections of stock: ``found`` or ``write_off``. If they touch no goods, they have no lines and
   the note names the code.
5. All others are orders; lines without a price are lines at 0; an order may be charges only.

Rows that look the same are all real. An event's id, lines and time come from the invoice and not
from where its rows stand, so renamed, split or shuffled files give the same bytes. A row that
cannot be right takes its whole invoice to quarantine; a file that cannot be right is refused whole.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assets.commerce.calendar import local_to_utc
from assets.commerce.identifiers import identify
from assets.commerce.money import to_text
from assets.contracts.admission import Refusal, Submission
from assets.errors import BadInput
from resources.layouts import uci_values as uci
from resources.layouts.delimited import FileRefused, files_below, read_text_file
from resources.layouts.quanta import check_quantum, local_midnight, window_end
from resources.layouts.reading import CatalogueItem, FileVerdict, Window
from resources.layouts.uci_declaration import Declaration, declaration

NAME = "uci_online_retail"
# Our names of the columns, in the order of the public files, and how headers spell them.
COLUMNS: dict[str, tuple[str, ...]] = {
    "InvoiceNo": ("invoiceno", "invoice"),
    "StockCode": ("stockcode",),
    "Description": ("description",),
    "Quantity": ("quantity",),
    "InvoiceDate": ("invoicedate",),
    "UnitPrice": ("unitprice", "price"),
    "CustomerID": ("customerid",),
    "Country": ("country",),
}
ROW_NUMBER = "row_number"

# Two parts of one year may be equal by chance while they are small; nobody trades a hundred equal
# lines twice in the same order, but files are copied beside themselves every day.
_ROWS_OF_A_COPY = 100
_MOST_LINES = 5_000
_MOST_CHARGES = 1_000
_LARGEST_AMOUNT = 10**14 * 10_000
_LONGEST_NOTE = 500
_POSITIONS_SHOWN = 20

_ORDER, _RETURN, _LEDGER, _ADJUSTMENT = range(4)
_EVENT_TYPES = {
    _ORDER: "retail.order.placed.v1",
    _RETURN: "retail.return.requested.v1",
    _LEDGER: "retail.ledger.adjusted.v1",
    _ADJUSTMENT: "retail.inventory.adjusted.v1",
}


def choose_columns(header: list[str]) -> dict[str, str]:
    """Find our columns in a header of any order.

    Raises:
        FileRefused: If one is missing or there twice, or it is another layout's header.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for name in header:
        plain = name.strip().lower().replace(" ", "").replace("_", "")
        for column, spellings in COLUMNS.items():
            if plain in spellings:
                found[column].append(name)
    if len(found) < len(COLUMNS) // 2:
        raise FileRefused(f"is not of the layout {NAME}: its header has other columns")
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        raise FileRefused(f"has no column {', '.join(missing)}")
    twice = [column for column, names in found.items() if len(names) > 1]
    if twice or len(set(header)) < len(header):
        raise FileRefused(f"has a column twice: {', '.join(twice) or 'in its header'}")
    return {column: found[column][0] for column in COLUMNS}


@dataclass
class _File:
    """One file's rows as text numbers by column, or why there are none."""

    path: Path
    rows: int = 0
    codes: dict[str, uci.Codes] = field(default_factory=dict)
    refused_because: str | None = None

    def refuse(self, because: str) -> None:
        self.codes, self.refused_because = {}, because


class UciOnlineRetail:
    """The layout itself; it has no state."""

    name = NAME

    def read(self, path: Path, since: date | None = None, until: date | None = None) -> UciReading:
        """Read every file once, judge each whole, and sort its rows into invoices.

        Raises:
            BadInput: If the path does not exist or not one file can be used.
        """
        lexicons = {column: uci.Lexicon() for column in COLUMNS}
        files = []
        digests: dict[bytes, Path] = {}
        for file_path in files_below(path):
            file = _File(file_path)
            files.append(file)
            try:
                _scan(file, lexicons, digests)
            except FileRefused as refusal:
                file.refuse(str(refusal))
        return UciReading(files, lexicons, declaration(), since, until)


def _scan(file: _File, lexicons: Mapping[str, uci.Lexicon], digests: dict[bytes, Path]) -> None:
    text = read_text_file(file.path, choose_columns)
    file.rows = text.columns.num_rows
    if not text.ends_with_line_break:
        _check_last_row(text.columns, text.last_column)
    if file.rows >= _ROWS_OF_A_COPY:
        first = digests.setdefault(text.digest, file.path)
        if first != file.path:
            raise FileRefused(f"has the same content as {first.name}")
    file.codes = {
        column: lexicon.encode(text.columns[column]) for column, lexicon in lexicons.items()
    }


def _check_last_row(columns: pa.Table, last_column: str | None) -> None:
    """Without a line break at its end a file may have lost some of its last value."""
    if last_column != "Country":
        raise FileRefused(
            "does not end with a line break, so that its last value may be cut; add one if it is "
            "all there"
        )
    country = columns["Country"][-1].as_py().strip()
    if country not in declaration().countries:
        raise FileRefused("ends within its last row: the file is cut")


class UciReading:
    """One pass over files of Online Retail; see `resources.layouts.reading.Reading`.

    A gate may look at `frames()` and take out whole files or single rows before the windows are
    asked for; everything is sorted again then.
    """

    needs_sandbox_supply = True
    source = NAME

    def __init__(
        self,
        files: list[_File],
        lexicons: Mapping[str, uci.Lexicon],
        declared: Declaration,
        since: date | None,
        until: date | None,
    ) -> None:
        self.zone = declared.zone
        self._files = files
        self._texts = {column: lexicon.texts for column, lexicon in lexicons.items()}
        self._declared = declared
        self._since = since
        self._until = until
        self._gated: dict[Path, dict[int, str]] = {}
        self._times = uci.times(self._texts["InvoiceDate"])
        self._settle_slash_dates()
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
        catalogue = self._catalogue()
        days_seen: set[date] = set()
        zone = ZoneInfo(self.zone)
        for until, items in groupby(
            self._timeline, key=lambda item: window_end(item.time, quantum, self.zone)
        ):
            window = Window(until=until, rows=0, submissions=[])
            rows = 0
            for item in items:
                rows += int(self._ends[item.invoice] - self._starts[item.invoice])
                if item.invoice in self._refused:
                    window.refusals.append(self._refusal(item.invoice))
                    continue
                day = item.time.astimezone(zone).date()
                if day not in days_seen:
                    days_seen.add(day)
                    window.catalogue.extend(catalogue.get(day, ()))
                window.submissions.append(self._submission(item))
            yield replace(window, rows=rows)

    # Files

    def _accepted(self) -> list[_File]:
        return [file for file in self._files if file.refused_because is None]

    def _frame(self, file: _File) -> pa.Table:
        columns: dict[str, Any] = {
            column: pa.array(self._texts[column], pa.string()).take(pa.array(codes))
            for column, codes in file.codes.items()
        }
        columns[ROW_NUMBER] = pa.array(np.arange(2, file.rows + 2))
        return pa.table(columns)

    def _settle_slash_dates(self) -> None:
        """Decide for each file whether 1/2/2011 is in January; one that cannot tell is refused.

        A file in which every day is below 13 is read as all the others are, if they agree.
        """
        declared = self._declared.slash_dates
        self._day_first: dict[Path, bool] = {}
        unsure = []
        for file in self._accepted():
            told = set(np.unique(self._times.told[file.codes["InvoiceDate"]]).tolist())
            if declared != "from_file":
                self._day_first[file.path] = declared == "day_first"
            elif {1, -1} <= told:
                file.refuse("has dates with the month first and dates with the day first")
            elif told & {1, -1}:
                self._day_first[file.path] = -1 in told
            elif 2 in told:
                unsure.append(file)
            else:
                self._day_first[file.path] = False
        tellers = {
            self._day_first[file.path]
            for file in self._accepted()
            if file.path in self._day_first
            if np.any(np.abs(self._times.told[file.codes["InvoiceDate"]]) == 1)
        }
        for file in unsure:
            if len(tellers) == 1:
                self._day_first[file.path] = next(iter(tellers))
            else:
                file.refuse(
                    "has dates like 1/2/2011 only, from which it cannot be told whether the day "
                    "or the month comes first"
                )

    # From rows to invoices

    def _sort(self) -> None:
        """Sort all accepted rows by invoice and canonical line order, and judge the invoices."""
        self.files = [
            FileVerdict(file.path, file.rows, file.refused_because) for file in self._files
        ]
        accepted = self._accepted()
        if not accepted:
            reasons = "; ".join(f"{file.path.name} {file.refused_because}" for file in self._files)
            raise BadInput(f"not one file can be used: {reasons}")
        self._judge_rows(accepted)
        self._judge_invoices()
        self._place_in_time()

    def _judge_rows(self, accepted: list[_File]) -> None:
        codes = {
            column: np.concatenate([file.codes[column] for file in accepted]) for column in COLUMNS
        }
        counts = [file.rows for file in accepted]
        file_of_row = np.repeat(np.arange(len(accepted), dtype=np.int32), counts)
        number_of_row = np.concatenate([np.arange(2, n + 2, dtype=np.int32) for n in counts])
        texts = self._texts
        numbers = uci.names("invoice number", texts["InvoiceNo"], 128, lambda t: t.strip().upper())
        skus = uci.names("stock code", texts["StockCode"], 64, lambda t: t.strip().upper())
        descriptions = uci.names("description", texts["Description"], 2**20, str.strip)
        customers = uci.names("customer", texts["CustomerID"], 64, uci.customer)
        countries = uci.names("country", texts["Country"], 64, str.strip)
        quantities = uci.quantities(texts["Quantity"])
        prices = uci.prices(texts["UnitPrice"])
        day_first = np.array([self._day_first[file.path] for file in accepted])
        when = np.where(
            day_first[file_of_row],
            self._times.day_first[codes["InvoiceDate"]],
            self._times.month_first[codes["InvoiceDate"]],
        )
        number = numbers.values[codes["InvoiceNo"]]
        # A row without an invoice number belongs to no other row.
        nameless = np.flatnonzero(number < 0)
        number[nameless] = len(numbers.names) + np.arange(len(nameless))
        sku = skus.values[codes["StockCode"]]
        price = prices.values[codes["UnitPrice"]]
        quantity = quantities.values[codes["Quantity"]]
        description = descriptions.values[codes["Description"]]
        charge_of_sku = np.array(
            [name in self._declared.charge_codes for name in skus.names] + [False], np.bool_
        )
        is_charge = charge_of_sku[sku]
        known = np.array([n in self._declared.countries for n in countries.names] + [False])
        amount_too_large = (
            np.abs(price.astype(np.float64) * quantity) >= _LARGEST_AMOUNT
        ) & is_charge

        bad_texts: dict[str, uci.Names | uci.Values] = {
            "InvoiceNo": numbers,
            "StockCode": skus,
            "CustomerID": customers,
            "Quantity": quantities,
            "UnitPrice": prices,
        }
        problems: dict[int, list[str]] = defaultdict(list)
        for column, judged in bad_texts.items():
            for row in np.flatnonzero(judged.is_bad()[codes[column]]).tolist():
                problems[row].append(judged.problems[int(codes[column][row])])
        for mask, reason, shown_column in (
            (numbers.values[codes["InvoiceNo"]] < 0, "the invoice number is missing", ""),
            (sku < 0, "the stock code is missing", ""),
            (when == uci.NO_TIME, "date {} is not a local time", "InvoiceDate"),
            (~known[countries.values[codes["Country"]]], "country {} is unknown", "Country"),
            ((price < 0) & ~is_charge, "price {} of goods is negative", "UnitPrice"),
            (amount_too_large, "quantity × price is too large an amount", ""),
        ):
            for row in np.flatnonzero(mask).tolist():
                if shown_column:
                    text = texts[shown_column][codes[shown_column][row]]
                    problems[row].append(reason.format(uci.shown(text)))
                else:
                    problems[row].append(reason)
        row_at = {
            (file.path, row): int(start) + row - 2
            for file, start in zip(accepted, np.cumsum([0, *counts[:-1]]), strict=True)
            for row in self._gated.get(file.path, ())
            if 2 <= row < file.rows + 2
        }
        for (path, row), position in row_at.items():
            problems[position].append(self._gated[path][row])

        order = np.lexsort((description, price, quantity, sku, is_charge, number))
        self._accepted_files = accepted
        self._numbers = numbers.names
        self._skus = skus.names
        self._descriptions = descriptions.names
        self._customers = customers.names
        self._countries = countries.names
        self._codes = codes
        self._row = order.astype(np.int32)
        self._row_problems = problems
        self._number = number[order]
        self._sku = sku[order]
        self._is_charge = is_charge[order]
        self._quantity = quantity[order].astype(np.int32)
        self._price = price[order]
        self._description = description[order]
        self._when = when[order]
        self._customer = customers.values[codes["CustomerID"]][order]
        self._country = countries.values[codes["Country"]][order]
        self._file_of_row = file_of_row
        self._number_of_row = number_of_row

    def _judge_invoices(self) -> None:
        first = np.flatnonzero(np.diff(self._number, prepend=-1))
        self._starts = first
        self._ends = np.append(first[1:], len(self._number))
        goods = ~self._is_charge
        largest = np.iinfo(np.int32).max

        def any_of(mask: uci.Truths) -> uci.Truths:
            result: uci.Truths = np.logical_or.reduceat(mask, first)
            return result

        def differ(values: uci.Codes) -> uci.Truths:
            result: uci.Truths = np.minimum.reduceat(values, first) != np.maximum.reduceat(
                values, first
            )
            return result

        self._goods = np.add.reduceat(goods.astype(np.int32), first)
        charges = self._ends - self._starts - self._goods
        unpriced = ~any_of(self._price != 0)
        negative = ~any_of(self._quantity >= 0)
        least = np.minimum.reduceat(np.where(goods, self._quantity, largest), first)
        most = np.maximum.reduceat(np.where(goods, self._quantity, -largest), first)
        letters = np.array([name[:1] for name in self._numbers] + [""])
        letter = letters[np.minimum(self._number[first], len(self._numbers))]
        self._kind = np.select(
            [letter == "C", letter == "A", unpriced | negative],
            [_RETURN, _LEDGER, _ADJUSTMENT],
            _ORDER,
        )
        ledger_sku = np.array(
            [
                self._declared.charge_codes.get(name) == self._declared.ledger_adjustment.charge
                for name in self._skus
            ]
            + [False]
        )
        amount = np.add.reduceat(
            np.where(self._is_charge, self._price.astype(np.float64) * self._quantity, 0), first
        )
        self._refused: dict[int, list[str]] = {}
        for mask, reason in (
            (differ(self._customer), "its rows name several customers"),
            (differ(self._country), "its rows name several countries"),
            ((self._kind == _RETURN) & (most >= 0), "goods of a C invoice do not come back"),
            (
                (self._kind == _ORDER) & (least <= 0),
                "it has prices, and goods whose quantity is not positive",
            ),
            (
                (self._kind == _LEDGER) & any_of(~ledger_sku[self._sku]),
                "an A invoice is about more than a debt",
            ),
            (
                (self._kind == _ADJUSTMENT) & any_of(self._is_charge & (self._price != 0)),
                "a charge is given back outside a C invoice",
            ),
            (self._goods > _MOST_LINES, f"it has more than {_MOST_LINES:,} lines"),
            (charges > _MOST_CHARGES, f"it has more than {_MOST_CHARGES:,} charges"),
            (np.abs(amount) >= _LARGEST_AMOUNT, "its charges are too large an amount"),
        ):
            for invoice in np.flatnonzero(mask).tolist():
                self._refused.setdefault(invoice, []).append(reason)
        bad_row = np.zeros(len(self._row), np.bool_)
        bad_row[list(self._row_problems)] = True
        for invoice in np.flatnonzero(any_of(bad_row[self._row])).tolist():
            # What is wrong with a row may be all that is wrong with its invoice.
            self._refused[invoice] = []

    def _place_in_time(self) -> None:
        """Put invoices in order of (time, source, id) and keep those of the days asked for."""
        local_seconds = np.minimum.reduceat(self._when, self._starts)
        instants: dict[int, datetime] = {}
        for seconds in np.unique(local_seconds).tolist():
            if seconds != uci.NO_TIME:
                local = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
                instants[seconds] = local_to_utc(local, self.zone)
        first_day = self._since or self._until
        if instants:
            earliest = min(instants.values())
        elif first_day is not None:
            earliest = local_midnight(first_day, self.zone)
        else:
            raise BadInput("not one row has a date that can be read")
        timeline = []
        timeless = []
        for invoice, seconds in enumerate(local_seconds.tolist()):
            if seconds == uci.NO_TIME:
                timeless.append(invoice)
                continue
            day = date.fromordinal(date(1970, 1, 1).toordinal() + seconds // 86_400)
            if (self._since and day < self._since) or (self._until and day > self._until):
                continue
            timeline.append(_Item(instants[seconds], self._event_id(invoice), invoice))
        timeline.sort()
        if timeline:
            earliest = timeline[0].time
        elif first_day is not None:
            earliest = local_midnight(first_day, self.zone)
        # What has no time is told at once rather than never.
        self._timeline = sorted(
            [_Item(earliest, self._event_id(invoice), invoice) for invoice in timeless] + timeline
        )
        day = earliest.astimezone(ZoneInfo(self.zone)).date()
        self.starts_at = local_midnight(day, self.zone)
        # The retailer as declared, for the sandbox that supplies it.
        self.sandbox_settings: Mapping[str, object] = {
            "starts_at": self.starts_at.isoformat(),
            "zone": self._declared.zone,
            "legal_entity": self._declared.legal_entity,
            "brand": self._declared.brand,
            "currency": self._declared.currency,
            "nodes": [{"node_id": self._declared.node_id}],
        }
        events = np.array(
            [item.invoice for item in self._timeline if item.invoice not in self._refused],
            np.int64,
        )
        kinds = self._kind[events]
        self.orders = int(np.sum(kinds == _ORDER))
        self.order_lines = int(np.sum(self._goods[events][kinds == _ORDER]))
        self.returns = int(np.sum(kinds == _RETURN))

    def _event_id(self, invoice: int) -> str:
        number = int(self._number[self._starts[invoice]])
        if number < len(self._numbers):
            return str(identify(NAME, self._numbers[number]))
        row = int(self._row[self._starts[invoice]])
        return "|".join(self._raw(row))

    # From invoices to events

    def _submission(self, item: _Item) -> Submission:
        invoice = item.invoice
        start, end = int(self._starts[invoice]), int(self._ends[invoice])
        middle = start + int(self._goods[invoice])
        declared = self._declared
        number = self._numbers[self._number[start]]
        customer_number = self._customer[start]
        customer = self._customers[customer_number] if customer_number >= 0 else None
        country, region = declared.countries[self._countries[self._country[start]]]
        charges = [
            {"code": declared.charge_codes[self._skus[sku]], "amount": to_text(price * quantity)}
            for sku, price, quantity in zip(
                self._sku[middle:end].tolist(),
                self._price[middle:end].tolist(),
                self._quantity[middle:end].tolist(),
                strict=True,
            )
        ]
        kind = int(self._kind[invoice])
        data: dict[str, Any]
        if kind in (_ORDER, _RETURN):
            data = {
                "order_number" if kind == _ORDER else "return_number": number,
                "currency": declared.currency,
                "lines": self._lines(start, middle),
            }
            if charges:
                data["charges"] = charges
            if customer is not None:
                data["customer_number"] = customer
            if kind == _ORDER:
                data["ship_to"] = {"country": country}
        elif kind == _LEDGER:
            accounts = declared.ledger_adjustment
            pairs = zip(
                self._price[start:end].tolist(), self._quantity[start:end].tolist(), strict=True
            )
            data = {
                "document_number": number,
                "debit_account": accounts.debit_account,
                "credit_account": accounts.credit_account,
                "amount": to_text(sum(price * quantity for price, quantity in pairs)),
                "currency": declared.currency,
                "note": self._note(start, end, end),
            }
        else:
            data = {
                "document_number": number,
                "node_id": declared.node_id,
                "reason": _reason(self._quantity[start:end]),
                "note": self._note(start, middle, end),
                "lines": [
                    {"line_number": line, "sku": self._skus[sku], "quantity": quantity}
                    for line, (sku, quantity) in enumerate(
                        zip(
                            self._sku[start:middle].tolist(),
                            self._quantity[start:middle].tolist(),
                            strict=True,
                        ),
                        start=1,
                    )
                ],
            }
        envelope = {
            "specversion": "1.0",
            "id": item.event_id,
            "source": NAME,
            "type": _EVENT_TYPES[kind],
            "subject": number,
            "time": f"{item.time:%Y-%m-%dT%H:%M:%SZ}",
            "datacontenttype": "application/json",
            "legalentity": declared.legal_entity,
            "brand": declared.brand,
            "region": region,
            "channel": declared.channel({charge["code"] for charge in charges}, bool(customer)),
            "correlationid": number,
            "data": data,
        }
        rows = self._row[start:end]
        return Submission(NAME, msgspec.json.encode(envelope), self._position(int(rows.min())))

    def _lines(self, start: int, middle: int) -> list[dict[str, Any]]:
        returned = self._quantity[start:middle]
        return [
            {
                "line_number": line,
                "sku": self._skus[sku],
                "quantity": quantity,
                "unit_price": to_text(price),
            }
            for line, (sku, quantity, price) in enumerate(
                zip(
                    self._sku[start:middle].tolist(),
                    np.abs(returned).tolist(),
                    self._price[start:middle].tolist(),
                    strict=True,
                ),
                start=1,
            )
        ]

    def _note(self, start: int, middle: int, end: int) -> str:
        """The descriptions, and what a correction says about codes that are no goods."""
        described = np.unique(self._description[start:end]).tolist()
        parts = [self._descriptions[number] for number in described if number >= 0]
        parts += [
            f"{self._skus[sku]} quantity {quantity} at no price"
            for sku, quantity in zip(
                self._sku[middle:end].tolist(), self._quantity[middle:end].tolist(), strict=True
            )
        ]
        return "; ".join(parts)[:_LONGEST_NOTE]

    # From invoices to refusals

    def _refusal(self, invoice: int) -> Refusal:
        """The invoice's raw rows, with where they stand and what is wrong."""
        rows = sorted(self._row[self._starts[invoice] : self._ends[invoice]].tolist())
        bad = [row for row in rows if row in self._row_problems]
        reasons = [
            f"{self._position(row)}: {'; '.join(self._row_problems[row])}"
            for row in bad[:_POSITIONS_SHOWN]
        ] or [
            f"{', '.join(self._position(row) for row in rows[:_POSITIONS_SHOWN])}: "
            f"{'; '.join(self._refused[invoice])}"
        ]
        if len(bad) > _POSITIONS_SHOWN:
            reasons.append(f"and {len(bad) - _POSITIONS_SHOWN} more rows")
        body = io.StringIO()
        csv.writer(body, lineterminator="\n").writerows(self._raw(row) for row in rows)
        where = ", ".join(self._position(row) for row in (bad or rows)[:_POSITIONS_SHOWN])
        return Refusal(NAME, body.getvalue().encode(), where, "bad_rows", " | ".join(reasons))

    def _position(self, row: int) -> str:
        file = self._accepted_files[self._file_of_row[row]]
        return f"{file.path.name}:{self._number_of_row[row]}"

    def _raw(self, row: int) -> list[str]:
        return [self._texts[column][self._codes[column][row]] for column in COLUMNS]

    # The catalogue

    def _catalogue(self) -> dict[date, list[CatalogueItem]]:
        """By local day, the SKUs that are first seen on it, by SKU.

        The price is the first one above 0 on that day and "0" if there is none: what the ERP is
        told about a product on its first day does not look ahead. The description does, to the
        first order or return that has one, and only then to the notes on stock corrections.
        """
        rank = np.full(len(self._starts), -1, np.int64)
        days = np.zeros(len(self._starts), np.int64)
        zone = ZoneInfo(self.zone)
        for place, item in enumerate(self._timeline):
            if item.invoice not in self._refused and self._kind[item.invoice] != _LEDGER:
                rank[item.invoice] = place
                days[item.invoice] = item.time.astimezone(zone).toordinal()
        invoice_of_row = np.repeat(np.arange(len(self._starts)), self._ends - self._starts)
        rank_of_row = rank[invoice_of_row]
        rows = np.flatnonzero((rank_of_row >= 0) & ~self._is_charge)
        if not len(rows):
            return {}
        rows = rows[np.argsort(rank_of_row[rows], kind="stable")]
        day = days[invoice_of_row[rows]]
        sku = self._sku[rows]
        seen, first = np.unique(sku, return_index=True)
        first_day = np.zeros(len(self._skus), np.int64)
        first_day[seen] = day[first]

        def first_of(candidates: npt.NDArray[np.int64], values: uci.Integers) -> dict[int, int]:
            found, at = np.unique(self._sku[candidates], return_index=True)
            return dict(zip(found.tolist(), values[candidates[at]].tolist(), strict=True))

        priced = rows[(self._price[rows] > 0) & (day == first_day[sku])]
        list_price = first_of(priced, self._price)
        described = rows[self._description[rows] >= 0]
        correction = self._kind[invoice_of_row[described]] == _ADJUSTMENT
        described = described[np.argsort(correction, kind="stable")]
        description = first_of(described, self._description.astype(np.int64))
        items: dict[date, list[CatalogueItem]] = defaultdict(list)
        for number in seen.tolist():
            local_day = date.fromordinal(int(first_day[number]))
            text = self._descriptions[description[number]] if number in description else ""
            items[local_day].append(
                CatalogueItem(
                    sku=self._skus[number],
                    description=text[:_LONGEST_NOTE],
                    list_price=to_text(list_price[number]) if number in list_price else "0",
                    currency=self._declared.currency,
                    first_seen_at=local_midnight(local_day, self.zone),
                )
            )
        return items


@dataclass(frozen=True, order=True)
class _Item:
    """One invoice where it stands in time; the source is the same for all."""

    time: datetime
    event_id: str
    invoice: int


def _reason(quantities: npt.NDArray[np.int32]) -> str:
    """Why stock was corrected, as far as the signs say."""
    if quantities.min() > 0:
        return "found"
    return "write_off" if quantities.max() < 0 else "correction"
