"""From orders and their lines to events: who sells what, what was ordered, came, and is charged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import msgspec

from assets.commerce.calendar import local_to_utc
from assets.commerce.identifiers import identify
from assets.commerce.money import to_text
from resources.layouts.adventureworks_purchasing.declaration import NAME, Declaration
from resources.layouts.adventureworks_purchasing.rows import Row


@dataclass(frozen=True)
class Told:
    """One event, and where in the files it comes from."""

    time: datetime
    event_type: str
    event_id: str
    body: bytes
    position: str
    lines: int


class Teller:
    """Writes events of the company whose files these are."""

    def __init__(self, declared: Declaration) -> None:
        self._declared = declared

    def at(self, day: date, hour: int) -> datetime:
        """An hour of a local day, in UTC."""
        return local_to_utc(datetime.combine(day, time(hour)), self._declared.zone)

    def tell(
        self,
        event_type: str,
        key: str,
        moment: datetime,
        data: dict[str, Any],
        row: Row,
        lines: int = 0,
    ) -> Told:
        """One event about the document or master record of that key."""
        declared = self._declared
        event_id = str(identify(NAME, event_type, key))
        envelope = {
            "specversion": "1.0",
            "id": event_id,
            "source": NAME,
            "type": event_type,
            "subject": key,
            "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "datacontenttype": "application/json",
            "legalentity": declared.legal_entity,
            "brand": declared.brand,
            "region": declared.region,
            "channel": declared.channel,
            "correlationid": key,
            "data": data,
        }
        return Told(
            moment, event_type, event_id, msgspec.json.encode(envelope), row.position, lines
        )

    def node(self, moment: datetime, row: Row) -> Told:
        """The place that everything comes to."""
        declared = self._declared
        data = {
            "node_id": declared.node_id,
            "kind": "warehouse",
            "zone": declared.zone,
            "country": declared.country,
        }
        return self.tell("retail.node.registered.v1", declared.node_id, moment, data, row)

    def supplier(self, row: Row, moment: datetime) -> Told:
        """A vendor."""
        data = {
            "supplier_id": row["BusinessEntityID"],
            "name": row["Name"],
            "currency": self._declared.currency,
            "is_active": row["ActiveFlag"] == "1",
        }
        return self.tell(
            "retail.supplier.registered.v1", row["BusinessEntityID"], moment, data, row
        )

    def terms(
        self, vendor: str, rows: Sequence[Row], skus: dict[str, str], moment: datetime
    ) -> Told:
        """What a vendor sells and how."""
        items = [
            {
                "sku": skus[row["ProductID"]],
                "unit_price": to_text(row.money("StandardPrice")),
                "lead_time_days": row.number("AverageLeadTime"),
                "minimum_quantity": max(row.number("MinOrderQty"), 1),
                "maximum_quantity": row.number("MaxOrderQty"),
            }
            for row in rows
        ]
        key = f"terms-{vendor}"
        data = {
            "document_number": key,
            "supplier_id": vendor,
            "currency": self._declared.currency,
            "items": items,
        }
        return self.tell("retail.supplier.terms_set.v1", key, moment, data, rows[0])

    def product(self, row: Row, cost: int, moment: datetime) -> Told:
        """A product, at its own standard cost or else at what a vendor asks for it."""
        data = {
            "sku": row["ProductNumber"],
            "description": row["Name"],
            "standard_cost": to_text(cost),
            "currency": self._declared.currency,
            "tax_rate": 0,
        }
        return self.tell("retail.product.registered.v1", row["ProductNumber"], moment, data, row)

    def order(self, header: Row, lines: Sequence[Row], skus: dict[str, str]) -> Iterator[Told]:
        """An order with its receipts and its invoice, which is billed as it was ordered."""
        declared = self._declared
        key = header["PurchaseOrderID"]
        data = {
            "purchase_order_id": key,
            "version": 1,
            "supplier_id": header["VendorID"],
            "node_id": declared.node_id,
            "currency": declared.currency,
            "approved_by": f"employee_{header['EmployeeID']}",
            "freight_amount": to_text(header.money("Freight")),
            "lines": [
                {
                    "purchase_order_line_id": line["PurchaseOrderDetailID"],
                    "sku": skus[line["ProductID"]],
                    "quantity": line.number("OrderQty"),
                    "unit_price": to_text(line.money("UnitPrice")),
                    "due_at": self._text(line.day("DueDate"), declared.receipt_hour),
                }
                for line in lines
            ],
        }
        ordered_at = self.at(header.day("OrderDate"), declared.order_hour)
        kind = "retail.purchase_order.placed.v1"
        yield self.tell(kind, key, ordered_at, data, header, len(lines))
        yield from self._receipts(key, lines)
        yield self._invoice(header, lines)

    def _text(self, day: date, hour: int) -> str:
        return f"{self.at(day, hour):%Y-%m-%dT%H:%M:%SZ}"

    def _receipts(self, order: str, lines: Sequence[Row]) -> Iterator[Told]:
        came: dict[date, list[Row]] = defaultdict(list)
        for line in lines:
            if line.number("ReceivedQty"):
                came[line.day("DueDate")].append(line)
        for number, (day, of_day) in enumerate(sorted(came.items()), start=1):
            document = f"{order}/{number}"
            data = {
                "document_number": document,
                "purchase_order_id": order,
                "node_id": self._declared.node_id,
                "lines": [self._received(n, line) for n, line in enumerate(of_day, start=1)],
            }
            moment = self.at(day, self._declared.receipt_hour)
            yield self.tell("retail.goods.received.v1", document, moment, data, of_day[0])

    def _received(self, number: int, line: Row) -> dict[str, Any]:
        rejected = line.number("RejectedQty")
        reason = {"rejection_reason": self._declared.rejection_reason} if rejected else {}
        return {
            "line_number": number,
            "purchase_order_line_id": line["PurchaseOrderDetailID"],
            "delivered_quantity": line.number("ReceivedQty"),
            "rejected_quantity": rejected,
            **reason,
        }

    def _invoice(self, header: Row, lines: Sequence[Row]) -> Told:
        order = header["PurchaseOrderID"]
        data = {
            "invoice_number": f"INV-{order}",
            "supplier_id": header["VendorID"],
            "purchase_order_id": order,
            "currency": self._declared.currency,
            "freight_amount": to_text(header.money("Freight")),
            "tax_amount": to_text(header.money("TaxAmt")),
            "total_amount": to_text(header.money("TotalDue")),
            "lines": [
                {
                    "line_number": number,
                    "purchase_order_line_id": line["PurchaseOrderDetailID"],
                    "quantity": line.number("OrderQty"),
                    "unit_price": to_text(line.money("UnitPrice")),
                }
                for number, line in enumerate(lines, start=1)
            ],
        }
        day = max(line.day("DueDate") for line in lines)
        moment = self.at(day, self._declared.invoice_hour)
        return self.tell(
            "retail.supplier_invoice.received.v1", f"INV-{order}", moment, data, header
        )
