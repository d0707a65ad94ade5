"""The layout itself: files in, events of whole orders out; an order with a bad row is refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from assets.contracts.admission import Refusal
from assets.errors import BadInput
from resources.layouts.adventureworks_purchasing.declaration import NAME, declaration
from resources.layouts.adventureworks_purchasing.events import Teller, Told
from resources.layouts.adventureworks_purchasing.rows import (
    NEEDED,
    BadValueError,
    Row,
    Tables,
    read_tables,
)
from resources.layouts.spooled import FileEvents, SpooledReading


class AdventureworksPurchasing:
    """The layout itself; it has no state."""

    name = NAME

    def read(
        self, path: Path, since: date | None = None, until: date | None = None
    ) -> SpooledReading:
        """Read the files once and turn each whole order into its events.

        Raises:
            BadInput: If the path does not exist or a file that is needed is not there.
        """
        tables = read_tables(path)
        reading = SpooledReading(declaration().zone, since, until)
        reading.files += tables.verdicts
        missing = [name for name in NEEDED if name not in tables.rows]
        if missing:
            said = "; ".join(
                f"{verdict.path.name} {verdict.refused_because}"
                for verdict in tables.verdicts
                if verdict.refused_because
            )
            raise BadInput(
                f"{NAME} needs the files {', '.join(NEEDED)}; {', '.join(missing)} cannot be used"
                + (f": {said}" if said else "")
            )
        held = FileEvents()
        for row in tables.ragged:
            held.refusals.append(_refusal(row, f"it has {len(row.values)} columns"))
        for told in _Orders(tables, held).events():
            reading.add(
                held,
                time=told.time,
                source=NAME,
                event_id=told.event_id,
                event_type=told.event_type,
                order_lines=told.lines,
                body=told.body,
                position=told.position,
            )
        reading.commit(held)
        reading.settle()
        return reading


def _refusal(row: Row, reason: str) -> Refusal:
    return Refusal(NAME, row.raw, row.position, "schema_violation", reason)


class _Orders:
    """Orders with their lines, judged whole, and the master data that they name."""

    def __init__(self, tables: Tables, held: FileEvents) -> None:
        self._tables = tables
        self._held = held
        self._teller = Teller(declaration())
        self._skus = {row["ProductID"]: row["ProductNumber"] for row in tables.rows["Product"]}
        self._vendors = {row["BusinessEntityID"] for row in tables.rows["Vendor"]}
        #: What was first paid for a product, of orders that can be told.
        self._first_price: dict[str, int] = {}
        self._lines: dict[str, list[Row]] = defaultdict(list)
        for row in tables.rows["PurchaseOrderDetail"]:
            self._lines[row["PurchaseOrderID"]].append(row)

    def events(self) -> Iterable[Told]:
        """Everything that can be told; what cannot is refused with its place."""
        told: list[Told] = []
        for header in self._tables.rows["PurchaseOrderHeader"]:
            lines = self._lines.pop(header["PurchaseOrderID"], [])
            try:
                told += self._judged(header, lines)
                self._held.orders += 1
            except BadValueError as problem:
                for row in (header, *lines):
                    self._held.refusals.append(_refusal(row, f"its order is refused: {problem}"))
        for order, lines in self._lines.items():
            for row in lines:
                self._held.refusals.append(_refusal(row, f"order {order} has no header"))
        if told:
            told += self._master_data(min(one.time for one in told))
        return told

    def _judged(self, header: Row, lines: list[Row]) -> list[Told]:
        if not lines:
            raise BadValueError("it has no lines")
        if header["VendorID"] not in self._vendors:
            raise BadValueError(f"VendorID {header['VendorID']} is not among the vendors")
        for line in lines:
            name = f"line {line['PurchaseOrderDetailID']}"
            if line["ProductID"] not in self._skus:
                raise BadValueError(f"{name}: ProductID {line['ProductID']} is no product")
            if not line.number("OrderQty"):
                raise BadValueError(f"{name} orders nothing")
            received, rejected = line.number("ReceivedQty"), line.number("RejectedQty")
            if received - rejected != line.number("StockedQty"):
                raise BadValueError(f"{name}: StockedQty is not what was received and not rejected")
        told = list(self._teller.order(header, lines, self._skus))
        for line in lines:
            self._first_price.setdefault(line["ProductID"], line.money("UnitPrice"))
        return told

    def _master_data(self, moment: datetime) -> Iterable[Told]:
        """The place, the vendors, and the products that were ordered; what is bad is refused."""
        cost = self._asked_prices()
        yield self._teller.node(moment, self._tables.rows["PurchaseOrderHeader"][0])
        for row in self._tables.rows["Vendor"]:
            yield self._teller.supplier(row, moment)
        for row in self._tables.rows["Product"]:
            bought = self._first_price.get(row["ProductID"])
            if bought is not None:
                asked = cost.get(row["ProductID"], bought)
                own = self._money(row, "StandardCost")
                yield self._teller.product(row, own or asked, moment)
        yield from self._terms(moment)

    def _terms(self, moment: datetime) -> Iterable[Told]:
        """What each vendor sells of what was ordered; a row that cannot be read is refused."""
        of_vendor: dict[str, list[Row]] = defaultdict(list)
        for row in self._tables.rows.get("ProductVendor", []):
            if row["ProductID"] not in self._first_price or row["VendorID"] not in self._vendors:
                continue
            try:
                row.money("StandardPrice")
                for column in ("AverageLeadTime", "MinOrderQty", "MaxOrderQty"):
                    row.number(column)
            except BadValueError as problem:
                self._held.refusals.append(_refusal(row, str(problem)))
            else:
                of_vendor[row["VendorID"]].append(row)
        for vendor, rows in of_vendor.items():
            yield self._teller.terms(vendor, rows, self._skus, moment)

    def _asked_prices(self) -> dict[str, int]:
        """The least that any vendor asks for a product, by product."""
        cost: dict[str, int] = {}
        for row in self._tables.rows.get("ProductVendor", []):
            price = self._money(row, "StandardPrice")
            if price is not None:
                cost[row["ProductID"]] = min(price, cost.get(row["ProductID"], price))
        return cost

    def _money(self, row: Row, column: str) -> int | None:
        """An amount of master data; where it cannot be read, the row is refused for it."""
        try:
            return row.money(column)
        except BadValueError as problem:
            self._held.refusals.append(_refusal(row, str(problem)))
            return None
