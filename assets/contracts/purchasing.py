"""Purchasing events: suppliers, what is ordered of them, what comes, and what they charge for it.

Told by the ERP and by suppliers, one event per document. A purchase order and its lines carry the
ERP's own numbers, by which receipts and invoices name them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from assets.contracts.fields import (
    Code,
    CostMoney,
    Country,
    Currency,
    EventData,
    ExchangeRate,
    Instant,
    Key,
    LineNumber,
    NonNegativeQuantity,
    Quantity,
    SignedQuantity,
    SkuCode,
    Text,
)

_MOST_LINES = Meta(max_length=5_000)
_CONFIDENTIAL = {"x-security-class": "confidential"}
_PRINTABLE = r"^[^\x00-\x1f]+\Z"
TaxId = Annotated[
    str,
    Meta(min_length=1, max_length=64, pattern=_PRINTABLE, extra_json_schema=_CONFIDENTIAL),
]
BankAccount = Annotated[
    str,
    Meta(
        min_length=4,
        max_length=64,
        pattern=_PRINTABLE,
        description="IBAN, or as the country writes it",
        extra_json_schema=_CONFIDENTIAL,
    ),
]


RequisitionId = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]


class SupplierRegistered(EventData, frozen=True, kw_only=True):
    """A supplier as the ERP knows them; sending it again replaces it.

    Suppliers that share a tax id or a bank account are one group, in which an invoice number is
    used once. ``order_channel`` is how orders reach it: the ERP sends them itself, or we do, to the
    suppliers' portal, as a document of its own or as an X12 850.
    """

    supplier_id: Key
    name: Text
    currency: Currency
    country: Country | None = None
    tax_id: TaxId | None = None
    bank_account: BankAccount | None = None
    order_channel: Literal["erp", "portal", "x12"] = "erp"
    is_active: bool = True


class SupplierApplied(EventData, frozen=True, kw_only=True):
    """Somebody who wants to sell to us, as they or a buyer say; not one to order from yet.

    Sending it again replaces what was said, and every check begins anew.
    """

    supplier_id: Key
    name: Text
    currency: Currency
    country: Country
    tax_id: TaxId
    bank_account: BankAccount
    applied_by: Key


class SupplierCheckDecided(EventData, frozen=True, kw_only=True):
    """What a person found when they checked an applicant.

    ``reference`` names what it rests on: a contract's number, a bank's letter.
    """

    supplier_id: Key
    check: Literal["bank", "contract", "duplicate"]
    decision: Literal["approved", "denied"]
    decided_by: Key
    reason: Text
    reference: Key | None = None


class SupplierBankDecided(EventData, frozen=True, kw_only=True):
    """Whether a supplier is paid to another account from now on, which ``bank_account`` names."""

    supplier_id: Key
    bank_account: BankAccount
    decision: Literal["approved", "denied"]
    decided_by: Key
    reason: Text


class SuppliedItem(EventData, frozen=True, kw_only=True):
    """How a supplier sells one SKU; quantities in each.

    ``case_quantity`` is the multiple in which it is sold, counted from zero, or from the minimum
    where ``is_anchored_at_minimum``; without a pallet or a maximum those are 0.
    """

    sku: SkuCode
    unit_price: CostMoney
    lead_time_days: Annotated[int, Meta(ge=0, le=730)]
    minimum_quantity: Quantity = 1
    case_quantity: Quantity = 1
    is_anchored_at_minimum: bool = False
    pallet_quantity: NonNegativeQuantity = 0
    maximum_quantity: NonNegativeQuantity = 0
    is_preferred: bool = False


class SupplierTermsSet(EventData, frozen=True, kw_only=True):
    """What a supplier sells and how; of each SKU the last word counts."""

    document_number: Key
    supplier_id: Key
    currency: Currency
    items: Annotated[list[SuppliedItem], _MOST_LINES]


class RequisitionDecided(EventData, frozen=True, kw_only=True):
    """Whether what was proposed is ordered of its supplier.

    ``total_amount`` is what was asked about: a requisition of another amount was not.
    """

    requisition_id: RequisitionId
    total_amount: CostMoney
    decision: Literal["approved", "denied"]
    decided_by: Key
    reason: Text


class PurchaseOrderLine(EventData, frozen=True, kw_only=True):
    """Units of one SKU at a price that both sides agreed; ``due_at`` is at the node's dock.

    A price may be our estimate only, where the supplier has not said one.
    """

    purchase_order_line_id: Key
    sku: SkuCode
    quantity: Quantity
    unit_price: CostMoney
    due_at: Instant
    is_price_estimated: bool = False


class PurchaseOrderPlaced(EventData, frozen=True, kw_only=True):
    """A purchase order; a higher version replaces what the order said before.

    Where no receipt is expected, as of services, invoices are matched with what was ordered.
    A supplier may charge in ``invoice_currency`` instead, at the rate that both sides agreed:
    ``exchange_rate`` units of the order's currency for one of it. Of a blanket order, of which is
    called off as needed, all invoices together come to ``value_limit`` until ``ends_at``.
    """

    purchase_order_id: Key
    version: Annotated[int, Meta(ge=1, le=10_000)]
    supplier_id: Key
    node_id: Key
    currency: Currency
    approved_by: Key
    status: Literal["open", "closed"] = "open"
    is_receipt_expected: bool = True
    freight_amount: CostMoney = "0"
    invoice_currency: Currency | None = None
    exchange_rate: ExchangeRate | None = None
    value_limit: CostMoney | None = None
    ends_at: Instant | None = None
    requisition_id: RequisitionId | None = None
    lines: Annotated[list[PurchaseOrderLine], _MOST_LINES]


class AcknowledgedLine(EventData, frozen=True, kw_only=True):
    """What a supplier says to one line of an order; of a rejected one nothing will come."""

    purchase_order_line_id: Key
    status: Literal["accepted", "changed", "rejected"]
    quantity: NonNegativeQuantity
    promised_at: Instant | None = None


class PurchaseOrderAcknowledged(EventData, frozen=True, kw_only=True):
    """A supplier's answer to an order (X12 855, EDIFACT ORDRSP)."""

    document_number: Key
    purchase_order_id: Key
    supplier_id: Key
    lines: Annotated[list[AcknowledgedLine], _MOST_LINES]


class DespatchedLine(EventData, frozen=True, kw_only=True):
    """What of one line of an order is on its way."""

    line_number: LineNumber
    purchase_order_line_id: Key
    quantity: Quantity


class GoodsDespatched(EventData, frozen=True, kw_only=True):
    """A supplier's despatch advice (X12 856, EDIFACT DESADV); the event's time is the despatch's.

    Sending it again changes nothing.
    """

    document_number: Key
    purchase_order_id: Key
    supplier_id: Key
    node_id: Key
    expected_at: Instant
    lines: Annotated[list[DespatchedLine], _MOST_LINES]


class GoodsReceiptLine(EventData, frozen=True, kw_only=True):
    """What came of one line of a purchase order.

    Rejected units and those on quality hold, which wait for inspection, are part of those
    delivered; neither is stock nor owed for.
    """

    line_number: LineNumber
    purchase_order_line_id: Key
    delivered_quantity: Quantity
    rejected_quantity: NonNegativeQuantity = 0
    held_quantity: NonNegativeQuantity = 0
    rejection_reason: Code | None = None


class GoodsReceived(EventData, frozen=True, kw_only=True):
    """A goods receipt against a purchase order."""

    document_number: Key
    purchase_order_id: Key
    node_id: Key
    lines: Annotated[list[GoodsReceiptLine], _MOST_LINES]


class InspectedLine(EventData, frozen=True, kw_only=True):
    """What inspection found of units of one line that were on quality hold."""

    line_number: LineNumber
    purchase_order_line_id: Key
    passed_quantity: NonNegativeQuantity
    rejected_quantity: NonNegativeQuantity = 0
    rejection_reason: Code | None = None


class GoodsInspected(EventData, frozen=True, kw_only=True):
    """The end of a quality hold: what passed is stock from now on, what did not is rejected."""

    document_number: Key
    purchase_order_id: Key
    node_id: Key
    lines: Annotated[list[InspectedLine], _MOST_LINES]


class PutAwayLine(EventData, frozen=True, kw_only=True):
    """Accepted units of one line that lie at a location from now on."""

    line_number: LineNumber
    purchase_order_line_id: Key
    quantity: Quantity
    location: Key


class GoodsPutAway(EventData, frozen=True, kw_only=True):
    """Goods are where pickers find them; the event's time is that of the last unit."""

    document_number: Key
    purchase_order_id: Key
    node_id: Key
    lines: Annotated[list[PutAwayLine], _MOST_LINES]


class SupplierInvoiceLine(EventData, frozen=True, kw_only=True):
    """What is charged for one line of a purchase order, or for something that was not ordered."""

    line_number: LineNumber
    purchase_order_line_id: Key | None = None
    quantity: Quantity
    unit_price: CostMoney


class SupplierInvoiceReceived(EventData, frozen=True, kw_only=True):
    """A supplier's invoice, or the credit note that takes one back; the event's time is its date.

    ``total_amount`` is what is to be paid: goods, freight and tax. Where the order is in another
    currency, ``exchange_rate`` is what one unit of the invoice's is worth in the order's on its
    day; without it the invoice is worth what the order's rate says.
    """

    invoice_number: Key
    kind: Literal["invoice", "credit_note"] = "invoice"
    supplier_id: Key
    purchase_order_id: Key | None = None
    currency: Currency
    exchange_rate: ExchangeRate | None = None
    freight_amount: CostMoney = "0"
    tax_amount: CostMoney = "0"
    total_amount: CostMoney
    lines: Annotated[list[SupplierInvoiceLine], _MOST_LINES]


class ClearingDecided(EventData, frozen=True, kw_only=True):
    """Whether nothing more is expected of an order's line, so that its open units are cleared.

    ``quantity`` is what was asked about (each; above zero where goods wait for an invoice, below it
    where an invoice waits for goods): once another quantity is open, the decision is not about it.
    """

    purchase_order_id: Key
    purchase_order_line_id: Key
    quantity: SignedQuantity
    decision: Literal["approved", "denied"]
    decided_by: Key
    reason: Text


class InvoiceReleaseDecided(EventData, frozen=True, kw_only=True):
    """Whether a held line is paid although it does not match.

    ``value_difference`` is what was asked about: once the line differs by another amount, the
    decision is not about it.
    """

    invoice_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
    line_number: Annotated[int, Meta(ge=0, le=100_000, description="0 is the invoice as a whole")]
    reason_code: Code
    value_difference: CostMoney
    decision: Literal["approved", "denied"]
    decided_by: Key
    reason: Text
