"""The ERP's purchasing on somebody else's word: whom it knows, what they sell, what is ordered.

What suppliers make of an order is in `supplied`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from assets.commerce.money import to_text
from assets.contracts.fields import CostMoney, Country, Currency, Instant, Key, Quantity, SkuCode
from assets.contracts.purchasing import (
    PurchaseOrderLine,
    PurchaseOrderPlaced,
    SuppliedItem,
    SupplierRegistered,
    SupplierTermsSet,
)
from resources.sandbox.partner import Command, Refused
from resources.sandbox.settings import SupplierSetting
from resources.sandbox.supplied import Order, fulfil

if TYPE_CHECKING:
    from resources.sandbox.erp import Erp, Item


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
                order_channel=supplier.order_channel,
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
    """Make a purchase order of a requisition; its supplier does the rest, told by whoever tells.

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
    if known[wanted.supplier_id].order_channel == "erp":
        told = Order(number, wanted.supplier_id, wanted.node_id, wanted.currency, order.lines)
        fulfil(told, at, command, speaker=erp, erp=erp)
