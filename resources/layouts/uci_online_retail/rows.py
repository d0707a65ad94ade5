"""From texts to rows: what each row says, whether it can be right, and where it stood.

Rows come out sorted by invoice and, within one, in an order that depends on what they say only.
Which invoices there are and what they are is `invoices`' subject.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resources.layouts.uci_online_retail import values as uci
from resources.layouts.uci_online_retail.declaration import Declaration
from resources.layouts.uci_online_retail.files import COLUMNS, File

#: Amounts of as many ten-thousandths have more digits than money has here.
LARGEST_AMOUNT = 10**14 * 10_000


@dataclass(frozen=True)
class Origin:
    """Where rows stood, by their place in all accepted files one after the other."""

    texts: Mapping[str, list[str]]
    codes: dict[str, uci.Codes]
    files: list[File]
    file_of_row: uci.Codes
    number_of_row: uci.Codes

    def position(self, row: int) -> str:
        """File name and row number; row 1 is the header."""
        return f"{self.files[self.file_of_row[row]].path.name}:{self.number_of_row[row]}"

    def raw(self, row: int) -> list[str]:
        """The row as it stands in its file, its columns in our order."""
        return [self.texts[column][self.codes[column][row]] for column in COLUMNS]


@dataclass(frozen=True)
class Rows:
    """All accepted rows, sorted by invoice, goods before charges.

    Attributes:
        origin: Where they stood.
        problems: By place in `origin`, why a row cannot be right.
        row: Place in `origin` of each sorted row; all below is sorted like it.
        number: Which of ``numbers``; beyond them where a row names no invoice.
        sku: Which of ``skus``.
        quantity: Units, signed.
        price: Ten-thousandths of the currency.
        description: Which of ``descriptions``, −1 for none; so ``customer`` and ``country``.
        when: Seconds of local time since 1970, or `NO_TIME`.
    """

    origin: Origin
    problems: dict[int, list[str]]
    numbers: list[str]
    skus: list[str]
    descriptions: list[str]
    customers: list[str]
    countries: list[str]
    row: uci.Codes
    number: uci.Codes
    sku: uci.Codes
    is_charge: uci.Truths
    quantity: uci.Codes
    price: uci.Integers
    description: uci.Codes
    when: uci.Integers
    customer: uci.Codes
    country: uci.Codes


@dataclass(frozen=True)
class _Meanings:
    """What the texts of each column mean, by text number."""

    numbers: uci.Names
    skus: uci.Names
    descriptions: uci.Names
    customers: uci.Names
    countries: uci.Names
    quantities: uci.Values
    prices: uci.Values

    @classmethod
    def of(cls, texts: Mapping[str, list[str]]) -> _Meanings:
        return cls(
            uci.names("invoice number", texts["InvoiceNo"], 128, lambda t: t.strip().upper()),
            uci.names("stock code", texts["StockCode"], 64, lambda t: t.strip().upper()),
            uci.names("description", texts["Description"], 2**20, str.strip),
            uci.names("customer", texts["CustomerID"], 64, uci.customer),
            uci.names("country", texts["Country"], 64, str.strip),
            uci.quantities(texts["Quantity"]),
            uci.prices(texts["UnitPrice"]),
        )


def judge_rows(
    files: list[File],
    texts: Mapping[str, list[str]],
    times: uci.Times,
    day_first: Mapping[Path, bool],
    gated: Mapping[Path, Mapping[int, str]],
    declared: Declaration,
) -> Rows:
    """Read all accepted rows by columns and sort them.

    Args:
        files: The accepted files.
        texts: By column, the distinct texts.
        times: What each text of the date column could mean.
        day_first: By file, which order of day and month holds.
        gated: By file and row number, why a gate refused a row.
        declared: Which stock codes are charges and which countries there are.
    """
    origin = _origin(files, texts)
    codes = origin.codes
    means = _Meanings.of(texts)
    when = _local_times(origin, times, day_first)
    number = _invoice_numbers(origin, means)
    sku = means.skus.values[codes["StockCode"]]
    price = means.prices.values[codes["UnitPrice"]]
    quantity = means.quantities.values[codes["Quantity"]]
    description = means.descriptions.values[codes["Description"]]
    charge_of_sku = np.array(
        [name in declared.charge_codes for name in means.skus.names] + [False], np.bool_
    )
    is_charge = charge_of_sku[sku]
    order = np.lexsort((description, price, quantity, sku, is_charge, number))
    return Rows(
        origin=origin,
        problems=_problems(origin, means, when, is_charge, gated, declared),
        numbers=means.numbers.names,
        skus=means.skus.names,
        descriptions=means.descriptions.names,
        customers=means.customers.names,
        countries=means.countries.names,
        row=order.astype(np.int32),
        number=number[order],
        sku=sku[order],
        is_charge=is_charge[order],
        quantity=quantity[order].astype(np.int32),
        price=price[order],
        description=description[order],
        when=when[order],
        customer=means.customers.values[codes["CustomerID"]][order],
        country=means.countries.values[codes["Country"]][order],
    )


def _origin(files: list[File], texts: Mapping[str, list[str]]) -> Origin:
    counts = [file.rows for file in files]
    return Origin(
        texts,
        {column: np.concatenate([file.codes[column] for file in files]) for column in COLUMNS},
        files,
        np.repeat(np.arange(len(files), dtype=np.int32), counts),
        np.concatenate([np.arange(2, n + 2, dtype=np.int32) for n in counts]),
    )


def _local_times(origin: Origin, times: uci.Times, day_first: Mapping[Path, bool]) -> uci.Integers:
    dates = origin.codes["InvoiceDate"]
    is_day_first = np.array([day_first[file.path] for file in origin.files])[origin.file_of_row]
    return np.where(is_day_first, times.day_first[dates], times.month_first[dates])


def _invoice_numbers(origin: Origin, means: _Meanings) -> uci.Codes:
    number = means.numbers.values[origin.codes["InvoiceNo"]]
    # A row without an invoice number belongs to no other row.
    nameless = np.flatnonzero(number < 0)
    number[nameless] = len(means.numbers.names) + np.arange(len(nameless))
    return number


def _problems(
    origin: Origin,
    means: _Meanings,
    when: uci.Integers,
    is_charge: uci.Truths,
    gated: Mapping[Path, Mapping[int, str]],
    declared: Declaration,
) -> dict[int, list[str]]:
    """By place, what is wrong with a row: its texts, then what they say, then what a gate said."""
    codes = origin.codes
    problems: dict[int, list[str]] = defaultdict(list)
    judged_texts: dict[str, uci.Names | uci.Values] = {
        "InvoiceNo": means.numbers,
        "StockCode": means.skus,
        "CustomerID": means.customers,
        "Quantity": means.quantities,
        "UnitPrice": means.prices,
    }
    for column, judged in judged_texts.items():
        for row in np.flatnonzero(judged.is_bad()[codes[column]]).tolist():
            problems[row].append(judged.problems[int(codes[column][row])])
    for mask, reason, shown_column in _rules(codes, means, when, is_charge, declared):
        for row in np.flatnonzero(mask).tolist():
            if shown_column:
                text = origin.texts[shown_column][codes[shown_column][row]]
                problems[row].append(reason.format(uci.shown(text)))
            else:
                problems[row].append(reason)
    counts = [file.rows for file in origin.files]
    for file, start in zip(origin.files, np.cumsum([0, *counts[:-1]]).tolist(), strict=True):
        for row, reason in gated.get(file.path, {}).items():
            if 2 <= row < file.rows + 2:
                problems[start + row - 2].append(reason)
    return problems


def _rules(
    codes: Mapping[str, uci.Codes],
    means: _Meanings,
    when: uci.Integers,
    is_charge: uci.Truths,
    declared: Declaration,
) -> list[tuple[npt.NDArray[np.bool_], str, str]]:
    """What no row may be: which rows are, the reason, and the column that it shows."""
    price = means.prices.values[codes["UnitPrice"]]
    quantity = means.quantities.values[codes["Quantity"]]
    known = np.array([name in declared.countries for name in means.countries.names] + [False])
    is_known = known[means.countries.values[codes["Country"]]]
    too_large = (np.abs(price.astype(np.float64) * quantity) >= LARGEST_AMOUNT) & is_charge
    return [
        (means.numbers.values[codes["InvoiceNo"]] < 0, "the invoice number is missing", ""),
        (means.skus.values[codes["StockCode"]] < 0, "the stock code is missing", ""),
        (when == uci.NO_TIME, "date {} is not a local time", "InvoiceDate"),
        (~is_known, "country {} is unknown", "Country"),
        ((price < 0) & ~is_charge, "price {} of goods is negative", "UnitPrice"),
        (too_large, "quantity × price is too large an amount", ""),
    ]
