"""The files' rows as they are: which columns each file has, and what its values must be."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from assets.commerce.money import to_ten_thousandths
from resources.layouts.delimited import FileRefused, files_below, open_unpacked, why_broken
from resources.layouts.reading import FileVerdict

#: Columns by file, in the order of the sample's table definitions.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "PurchaseOrderHeader": (
        "PurchaseOrderID", "RevisionNumber", "Status", "EmployeeID", "VendorID", "ShipMethodID",
        "OrderDate", "ShipDate", "SubTotal", "TaxAmt", "Freight", "TotalDue", "ModifiedDate",
    ),
    "PurchaseOrderDetail": (
        "PurchaseOrderID", "PurchaseOrderDetailID", "DueDate", "OrderQty", "ProductID",
        "UnitPrice", "LineTotal", "ReceivedQty", "RejectedQty", "StockedQty", "ModifiedDate",
    ),
    "ProductVendor": (
        "ProductID", "VendorID", "AverageLeadTime", "StandardPrice", "LastReceiptCost",
        "LastReceiptDate", "MinOrderQty", "MaxOrderQty", "OnOrderQty", "UnitMeasureCode",
        "ModifiedDate",
    ),
    "Vendor": (
        "BusinessEntityID", "AccountNumber", "Name", "CreditRating", "PreferredVendorStatus",
        "ActiveFlag", "PurchasingWebServiceURL", "ModifiedDate",
    ),
    "Product": (
        "ProductID", "Name", "ProductNumber", "MakeFlag", "FinishedGoodsFlag", "Color",
        "SafetyStockLevel", "ReorderPoint", "StandardCost", "ListPrice", "Size",
        "SizeUnitMeasureCode", "WeightUnitMeasureCode", "Weight", "DaysToManufacture",
        "ProductLine", "Class", "Style", "ProductSubcategoryID", "ProductModelID",
        "SellStartDate", "SellEndDate", "DiscontinuedDate", "rowguid", "ModifiedDate",
    ),
}  # fmt: skip
#: Without one of these there is nothing to tell.
NEEDED = ("PurchaseOrderHeader", "PurchaseOrderDetail", "Vendor", "Product")
#: The sample's other tables, of which this flow needs nothing.
OTHERS = frozenset({"ProductCostHistory", "ProductInventory", "ShipMethod", "LICENSE"})


class BadValueError(ValueError):
    """A value that cannot be meant; its text says which."""


@dataclass(frozen=True)
class Row:
    """One record, as text by column, and where it stands."""

    values: Mapping[str, str]
    position: str

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    @property
    def raw(self) -> bytes:
        """As it stood in its file."""
        return "\t".join(self.values.values()).encode()

    def number(self, column: str) -> int:
        """A whole number ≥ 0; quantities are written with decimals that are all zero."""
        text = self.values[column]
        whole, _, fraction = text.partition(".")
        if not (whole or fraction) or fraction.strip("0") or not (whole or "0").isdigit():
            raise BadValueError(f"{column} {text!r} is not a whole number")
        return int(whole or 0)

    def money(self, column: str) -> int:
        """An amount ≥ 0 in ten-thousandths; one below 1 is written without its zero."""
        text = self.values[column]
        try:
            amount = to_ten_thousandths(f"0{text}" if text.startswith(".") else text)
        except ValueError as error:
            raise BadValueError(f"{column} {error}") from error
        if amount < 0:
            raise BadValueError(f"{column} {text!r} is negative")
        return amount

    def day(self, column: str) -> date:
        """The day of a time without a zone."""
        text = self.values[column]
        try:
            return date.fromisoformat(text[:10])
        except ValueError as error:
            raise BadValueError(f"{column} {text!r} is not a day") from error


@dataclass
class Tables:
    """What the files hold: rows by file, and what is said of each file."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    ragged: list[Row] = field(default_factory=list)
    verdicts: list[FileVerdict] = field(default_factory=list)


def read_tables(path: Path) -> Tables:
    """Read every file that the layout knows, whole or not at all.

    Raises:
        BadInput: If the path does not exist or is empty.
    """
    tables = Tables()
    for file_path in files_below(path):
        name = file_path.name.split(".")[0]
        if name in OTHERS:
            continue
        if name not in COLUMNS:
            reason = "is none of the layout's files, which are told apart by their names"
            tables.verdicts.append(FileVerdict(file_path, 0, reason))
            continue
        if name in tables.rows:
            tables.verdicts.append(FileVerdict(file_path, 0, f"is a second {name}"))
            continue
        rows: list[Row] = []
        ragged: list[Row] = []
        try:
            for row in _records(file_path, COLUMNS[name]):
                (rows if len(row.values) == len(COLUMNS[name]) else ragged).append(row)
            if not rows:
                raise FileRefused(f"has no row of the {len(COLUMNS[name])} columns of a {name}")
        except FileRefused as refusal:
            tables.verdicts.append(FileVerdict(file_path, len(rows), str(refusal)))
            continue
        tables.rows[name] = rows
        tables.ragged += ragged
        tables.verdicts.append(FileVerdict(file_path, len(rows) + len(ragged)))
    return tables


def _records(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    try:
        with open_unpacked(path) as stream:
            content = stream.read()
    except (EOFError, OSError, zlib.error) as problem:
        raise FileRefused(why_broken(problem)) from problem
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("is not UTF-8 text") from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    for values in reader:
        if values:
            # Of a ragged row too: what is there is kept with its place.
            named = dict(zip(columns, values, strict=False))
            extra = {f"column {n}": v for n, v in enumerate(values[len(columns) :], len(columns))}
            yield Row(named | extra, f"{path.name}:{reader.line_num}")
