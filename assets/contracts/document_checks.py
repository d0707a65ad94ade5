"""What no schema can say of a document: of its lines together, its total and its instant. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NoReturn

import msgspec

from assets.commerce.money import TEN_THOUSANDTHS, to_ten_thousandths
from assets.contracts.envelope import ReasonCode
from assets.contracts.inventory import InventoryCounted, InventorySnapshotTaken
from assets.contracts.master_data import PriceShown, ProductRegistered
from assets.contracts.order import OrderCharge, OrderPlaced
from assets.contracts.purchasing import (
    GoodsInspected,
    GoodsReceived,
    PurchaseOrderAcknowledged,
    PurchaseOrderPlaced,
    SupplierInvoiceReceived,
    SupplierTermsSet,
)
from assets.contracts.returns import ReturnRequested
from assets.errors import ContractViolation

#: Its ten-thousandths fit int64 nine times over, and it fits the ledger's numeric(19,4).
LARGEST_AMOUNT = 10**14


def refuse(reason_code: ReasonCode, reason: str, pointer: str = "$") -> NoReturn:
    """Refuse a body.

    Raises:
        ContractViolation: Always.
    """
    raise ContractViolation(reason_code, reason, pointer)


def check_line_numbers(lines: list[Any]) -> None:
    """Refuse a document in which a line number is there twice."""
    if len({line.line_number for line in lines}) == len(lines):
        return
    seen: set[int] = set()
    for index, line in enumerate(lines):
        if line.line_number in seen:
            refuse(
                "duplicate_line_number",
                f"line {line.line_number} is there twice",
                f"$.data.lines[{index}].line_number",
            )
        seen.add(line.line_number)


def _check_amount(lines: list[Any], charges: list[OrderCharge]) -> None:
    """Refuse what would overflow a ledger; most orders are seen to be small without arithmetic."""
    is_small = not [line for line in lines if len(line.unit_price) > 7 or line.quantity > 999]
    if is_small and not [charge for charge in charges if len(charge.amount) > 9]:
        return
    total = sum(line.quantity * to_ten_thousandths(line.unit_price) for line in lines)
    total += sum(abs(to_ten_thousandths(charge.amount)) for charge in charges)
    if total > LARGEST_AMOUNT * TEN_THOUSANDTHS:
        refuse("amount_too_large", f"it comes to more than {LARGEST_AMOUNT}", "$.data.lines")


def _check_order(payload: Any) -> None:
    if not payload.lines and not payload.charges:
        refuse("empty_order", "an order has lines, charges, or both", "$.data.lines")
    if payload.pickup is not None and (payload.service_level != "pickup" or not payload.lines):
        refuse(
            "pickup_of_a_parcel",
            "only lines of service level pickup are collected",
            "$.data.pickup",
        )
    check_line_numbers(payload.lines)
    _check_amount(payload.lines, payload.charges)


def _check_return(payload: Any) -> None:
    if not payload.lines and not payload.charges:
        refuse("empty_return", "a return has lines, charges, or both", "$.data.lines")
    check_line_numbers(payload.lines)
    _check_amount(payload.lines, payload.charges)


def _check_count(payload: Any) -> None:
    _check_skus(payload.lines, "a count says one quantity of a SKU")


def _check_skus(lines: list[Any], said: str, name: str = "lines") -> None:
    seen: set[str] = set()
    for index, line in enumerate(lines):
        if line.sku in seen:
            refuse("duplicate_sku", said, f"$.data.{name}[{index}].sku")
        seen.add(line.sku)


def _check_as_of(as_of: datetime) -> None:
    try:
        as_of.astimezone(UTC)
    except OverflowError as error:
        raise ContractViolation("time_out_of_range", str(error), "$.data.as_of") from error


def _check_snapshot(payload: Any) -> None:
    _check_as_of(payload.as_of)
    if (payload.node_id is None) == (payload.channel is None):
        said = "a snapshot is of a node or of a channel, and says which"
        refuse("schema_violation", said, "$.data.node_id")
    for index, line in enumerate(payload.lines):
        if line.unit_of_measure == "case" and line.units_per_case is None:
            pointer = f"$.data.lines[{index}].units_per_case"
            refuse("missing_field", "cases of how many units", pointer)
    _check_skus(payload.lines, "a snapshot says one quantity of a SKU")


def _check_prices(payload: Any) -> None:
    _check_as_of(payload.as_of)
    _check_skus(payload.lines, "a channel shows one price of a SKU")


def _check_product(payload: Any) -> None:
    for index, component in enumerate(payload.components):
        if component.sku == payload.sku:
            pointer = f"$.data.components[{index}].sku"
            refuse("bundle_of_itself", "a bundle is none of its own components", pointer)
    _check_skus(payload.components, "a bundle names a component once", "components")


def _check_purchase_order(payload: Any) -> None:
    if not payload.lines:
        refuse("empty_order", "a purchase order has lines", "$.data.lines")
    if (payload.invoice_currency is None) != (payload.exchange_rate is None):
        said = "another currency of invoices and its rate are agreed together"
        refuse("missing_field", said, "$.data.exchange_rate")
    if payload.invoice_currency == payload.currency:
        said = "the order's own currency needs no rate"
        refuse("schema_violation", said, "$.data.invoice_currency")
    _check_order_lines(payload)
    _check_amount(payload.lines, [])


def _check_order_lines(payload: Any) -> None:
    named: set[str] = set()
    for index, line in enumerate(payload.lines):
        if line.purchase_order_line_id in named:
            pointer = f"$.data.lines[{index}].purchase_order_line_id"
            refuse("duplicate_line_number", "an order's line is there twice", pointer)
        named.add(line.purchase_order_line_id)


def _check_terms(payload: Any) -> None:
    _check_skus(payload.items, "a supplier has one word about a SKU", "items")


def _check_goods_receipt(payload: Any) -> None:
    check_line_numbers(payload.lines)
    for index, line in enumerate(payload.lines):
        if line.rejected_quantity + line.held_quantity > line.delivered_quantity:
            pointer = f"$.data.lines[{index}].rejected_quantity"
            said = "more was rejected or held than was delivered"
            refuse("schema_violation", said, pointer)


def _check_inspection(payload: Any) -> None:
    check_line_numbers(payload.lines)
    for index, line in enumerate(payload.lines):
        if not line.passed_quantity + line.rejected_quantity:
            pointer = f"$.data.lines[{index}].passed_quantity"
            refuse("schema_violation", "no unit was inspected", pointer)


def _check_supplier_invoice(payload: Any) -> None:
    if not payload.lines:
        refuse("empty_order", "an invoice has lines", "$.data.lines")
    check_line_numbers(payload.lines)
    _check_amount(payload.lines, [])


#: By contract; of every other one with lines their numbers are checked.
EXTRA_CHECKS: dict[type[msgspec.Struct], Callable[[Any], None]] = {
    OrderPlaced: _check_order,
    ReturnRequested: _check_return,
    InventoryCounted: _check_count,
    InventorySnapshotTaken: _check_snapshot,
    PriceShown: _check_prices,
    ProductRegistered: _check_product,
    GoodsInspected: _check_inspection,
    GoodsReceived: _check_goods_receipt,
    PurchaseOrderAcknowledged: _check_order_lines,
    PurchaseOrderPlaced: _check_purchase_order,
    SupplierTermsSet: _check_terms,
    SupplierInvoiceReceived: _check_supplier_invoice,
}
