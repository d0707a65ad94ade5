"""The ERP's purchasing on somebody else's word, and the suppliers behind it.

An order becomes a purchase order; its supplier acknowledges it, sends goods with a despatch advice
and charges for them. All of it is told through the ERP.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from assets.commerce.money import to_ten_thousandths, to_text
from assets.contracts.fields import CostMoney, Country, Currency, Instant, Key, Quantity, SkuCode
from assets.contracts.purchasing import (
    AcknowledgedLine,
    DespatchedLine,
    GoodsDespatched,
    GoodsReceiptLine,
    GoodsReceived,
    PurchaseOrderAcknowledged,
    PurchaseOrderLine,
    PurchaseOrderPlaced,
    SuppliedItem,
    SupplierInvoiceLine,
    SupplierInvoiceReceived,
    SupplierRegistered,
    SupplierTermsSet,
)
from resources.sandbox.partner import Command, Refused
from resources.sandbox.settings import SupplierSetting

if TYPE_CHECKING:
    from resources.sandbox.erp import Erp, Item

_ACKNOWLEDGED_AFTER = timedelta(hours=3)
_DESPATCHED_BEFORE = timedelta(days=1)
_CHARGED_AFTER = timedelta(hours=6)
_LATE_RATE, _EARLY_RATE = 1 / 3, 1 / 6
_DAY = timedelta(days=1)


class _WantedLine(msgspec.Struct, gc=False):
    line_number: int
    sku: SkuCode
    quantity: Quantity
    unit_price: CostMoney
    due_at: Instant


class _Wanted(msgspec.Struct, gc=False):
    requisition_id: Key
    supplier_id: Key
    node_id: Key
    currency: Currency
    approved_by: Key
    lines: list[_WantedLine]


_wanted = msgspec.json.Decoder(_Wanted).decode


def supplier_of(erp: Erp, item: Item) -> SupplierSetting | None:
    """Who sells a product on somebody else's word than the ERP's own."""
    if item.supplied_by is not None:
        return None
    for supplier in erp.world.settings.suppliers:
        if not supplier.product_classes or item.product_class in supplier.product_classes:
            return supplier
    return None


def list_items(erp: Erp, items: Iterable[Item]) -> None:
    """Have suppliers say what they sell of what is new."""
    of_supplier: dict[str, list[Item]] = {}
    for item in items:
        supplier = supplier_of(erp, item)
        if supplier is not None and not item.components:
            of_supplier.setdefault(supplier.supplier_id, []).append(item)
    for supplier in erp.world.settings.suppliers:
        sold = of_supplier.get(supplier.supplier_id, [])
        if not sold:
            continue
        at = min(item.first_seen_at for item in sold)
        currency = sold[0].currency
        if supplier.supplier_id not in erp.suppliers:
            erp.suppliers.add(supplier.supplier_id)
            registered = SupplierRegistered(
                supplier_id=supplier.supplier_id,
                name=supplier.name,
                currency=currency,
                country="GB",
            )
            erp.tell("retail.supplier.registered.v1", at, registered, supplier.supplier_id)
        number = erp.document_number("TERMS", supplier.supplier_id, at)
        terms = SupplierTermsSet(
            document_number=number,
            supplier_id=supplier.supplier_id,
            currency=currency,
            items=[
                SuppliedItem(
                    sku=item.sku,
                    unit_price=to_text(erp.world.costs[item.sku]),
                    lead_time_days=supplier.lead_time_days,
                    minimum_quantity=supplier.minimum_quantity,
                    case_quantity=supplier.case_quantity,
                    is_preferred=True,
                )
                for item in sold
            ],
        )
        erp.tell("retail.supplier.terms_set.v1", at, terms, number)


class _Certified(msgspec.Struct, gc=False):
    supplier_id: Key
    name: Key
    currency: Currency
    country: Country
    tax_id: Key
    bank_account: Key


_certified = msgspec.json.Decoder(_Certified).decode


def register(erp: Erp, command: Command) -> None:
    """Make a supplier of somebody who passed every check, and tell of them."""
    said = _certified(command.payload)
    registered = SupplierRegistered(
        supplier_id=said.supplier_id,
        name=said.name,
        currency=said.currency,
        country=said.country,
        tax_id=said.tax_id,
        bank_account=said.bank_account,
    )
    at = command.effective_at + timedelta(minutes=1)
    erp.answer(command, "retail.supplier.registered.v1", at, registered, said.supplier_id)


def place(erp: Erp, command: Command) -> None:
    """Make a purchase order of a requisition, and let its supplier do the rest in time.

    Raises:
        Refused: If it is not a requisition, or nobody is called so.
    """
    wanted = _wanted(command.payload)
    known = {one.supplier_id: one for one in erp.world.settings.suppliers}
    if wanted.supplier_id not in known:
        raise Refused(f"the ERP knows no supplier {wanted.supplier_id}")
    at = command.effective_at + timedelta(minutes=2)
    number = erp.document_number("RO", wanted.node_id, at)
    order = PurchaseOrderPlaced(
        purchase_order_id=number,
        version=1,
        supplier_id=wanted.supplier_id,
        node_id=wanted.node_id,
        currency=wanted.currency,
        approved_by=wanted.approved_by,
        requisition_id=wanted.requisition_id,
        lines=[
            PurchaseOrderLine(
                purchase_order_line_id=str(line.line_number),
                sku=line.sku,
                quantity=line.quantity,
                unit_price=line.unit_price,
                due_at=line.due_at,
            )
            for line in wanted.lines
        ],
    )
    erp.answer(command, "retail.purchase_order.placed.v1", at, order, number)
    _acknowledge(erp, command, wanted, number, at)
    comes_at = _comes_at(erp, known[wanted.supplier_id], number, at)
    _despatch(erp, command, wanted, number, comes_at)
    _receive(erp, command, wanted, number, comes_at)
    _charge(erp, command, wanted, number, comes_at + _CHARGED_AFTER)


def _comes_at(erp: Erp, supplier: SupplierSetting, number: str, at: datetime) -> datetime:
    chance = erp.world.chance
    days = supplier.lead_time_days
    if chance.happens(_LATE_RATE, "supplier_late", number):
        days += 1
    elif chance.happens(_EARLY_RATE / (1 - _LATE_RATE), "supplier_early", number):
        days -= 1
    return at + days * _DAY


def _acknowledge(
    erp: Erp, command: Command, wanted: _Wanted, number: str, placed_at: datetime
) -> None:
    said = PurchaseOrderAcknowledged(
        document_number=f"ACK-{number}",
        purchase_order_id=number,
        supplier_id=wanted.supplier_id,
        lines=[
            AcknowledgedLine(
                purchase_order_line_id=str(line.line_number),
                status="accepted",
                quantity=line.quantity,
                promised_at=line.due_at,
            )
            for line in wanted.lines
        ],
    )
    at = placed_at + _ACKNOWLEDGED_AFTER
    erp.answer(command, "retail.purchase_order.acknowledged.v1", at, said, number)


def _despatch(erp: Erp, command: Command, wanted: _Wanted, number: str, comes_at: datetime) -> None:
    advice = GoodsDespatched(
        document_number=f"DA-{number}",
        purchase_order_id=number,
        supplier_id=wanted.supplier_id,
        node_id=wanted.node_id,
        expected_at=comes_at,
        lines=[
            DespatchedLine(
                line_number=line.line_number,
                purchase_order_line_id=str(line.line_number),
                quantity=line.quantity,
            )
            for line in wanted.lines
        ],
    )
    at = comes_at - _DESPATCHED_BEFORE
    erp.answer(command, "retail.goods.despatched.v1", at, advice, number)


def _receive(erp: Erp, command: Command, wanted: _Wanted, number: str, comes_at: datetime) -> None:
    for line in wanted.lines:
        erp.receive(comes_at, wanted.node_id, line.sku, line.quantity)
    document = erp.document_number("GR", wanted.node_id, comes_at)
    received = GoodsReceived(
        document_number=document,
        purchase_order_id=number,
        node_id=wanted.node_id,
        lines=[
            GoodsReceiptLine(
                line_number=line.line_number,
                purchase_order_line_id=str(line.line_number),
                delivered_quantity=line.quantity,
            )
            for line in wanted.lines
        ],
    )
    erp.answer(command, "retail.goods.received.v1", comes_at, received, document)


def _charge(erp: Erp, command: Command, wanted: _Wanted, number: str, at: datetime) -> None:
    lines: Sequence[_WantedLine] = wanted.lines
    total = sum(line.quantity * to_ten_thousandths(line.unit_price) for line in lines)
    invoice = SupplierInvoiceReceived(
        invoice_number=f"SI-{number}",
        supplier_id=wanted.supplier_id,
        purchase_order_id=number,
        currency=wanted.currency,
        total_amount=to_text(total),
        lines=[
            SupplierInvoiceLine(
                line_number=line.line_number,
                purchase_order_line_id=str(line.line_number),
                quantity=line.quantity,
                unit_price=line.unit_price,
            )
            for line in lines
        ],
    )
    subject = invoice.invoice_number
    erp.answer(command, "retail.supplier_invoice.received.v1", at, invoice, subject)
