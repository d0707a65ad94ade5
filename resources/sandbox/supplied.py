"""What a supplier makes of an order: an answer, goods with their advice, an invoice, and mistakes.

The goods are received, inspected and put away by the retailer's own people, of whose work the ERP
tells; everything else is told by whoever was told of the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assets.commerce.identifiers import identify
from assets.commerce.money import to_ten_thousandths, to_text
from assets.contracts.purchasing import (
    AcknowledgedLine,
    DespatchedLine,
    GoodsDespatched,
    GoodsInspected,
    GoodsPutAway,
    GoodsReceiptLine,
    GoodsReceived,
    InspectedLine,
    PurchaseOrderAcknowledged,
    PurchaseOrderLine,
    PutAwayLine,
    SupplierInvoiceLine,
    SupplierInvoiceReceived,
)
from resources.sandbox.partner import Command, PartnerSystem
from resources.sandbox.settings import SupplierSetting

if TYPE_CHECKING:
    from resources.sandbox.erp import Erp

_ACKNOWLEDGED_AFTER = timedelta(hours=3)
_DESPATCHED_BEFORE = timedelta(days=1)
_PUT_AWAY_AFTER = timedelta(hours=2)
_INSPECTED_AFTER = timedelta(hours=4)
_CHARGED_AFTER = timedelta(hours=6)
_COPIED_AFTER = timedelta(hours=30)
_LATE_RATE, _EARLY_RATE = 1 / 3, 1 / 6
_DAY = timedelta(days=1)
#: What is wrong with an order that was struck, in parts of it: prices a tenth too high, a quarter
#: of the goods missing, broken or too much.
_TOO_DEAR, _PART = 10, 4
#: In the order in which they are asked; an order is struck once.
_MISTAKES = (
    "supplier_overcharge",
    "supplier_short",
    "supplier_over",
    "supplier_broken",
    "supplier_copy",
)


@dataclass(frozen=True)
class Order:
    """An order as its supplier was told of it."""

    number: str
    supplier_id: str
    node_id: str
    currency: str
    lines: list[PurchaseOrderLine]


@dataclass
class _Fate:
    """What becomes of one line of an order; quantities in each."""

    line: PurchaseOrderLine
    sent: int
    held: int = 0
    broken: int = 0
    charged: int = 0
    unit_price: int = 0

    @property
    def accepted(self) -> int:
        return self.sent - self.broken


def fulfil(
    order: Order, placed_at: datetime, command: Command, speaker: PartnerSystem, erp: Erp
) -> None:
    """Let the supplier answer, send and charge, in time.

    Args:
        order: What is ordered.
        placed_at: When the supplier hears of it.
        command: What told of it.
        speaker: Who tells what the supplier says.
        erp: Who tells what came.
    """
    supplier = next(
        one for one in erp.world.settings.suppliers if one.supplier_id == order.supplier_id
    )
    comes_at = _comes_at(erp, supplier, order.number, placed_at)
    fates = [
        _Fate(
            line,
            line.quantity,
            charged=line.quantity,
            unit_price=to_ten_thousandths(line.unit_price),
        )
        for line in order.lines
    ]
    mistake = _mistake(erp, order, fates, comes_at)
    _acknowledge(order, placed_at + _ACKNOWLEDGED_AFTER, command, speaker)
    _despatch(order, fates, comes_at, command, speaker)
    _receive(order, fates, comes_at, command, erp)
    _charge(order, fates, comes_at + _CHARGED_AFTER, command, speaker, mistake)


def _comes_at(erp: Erp, supplier: SupplierSetting, number: str, at: datetime) -> datetime:
    chance = erp.world.chance
    days = supplier.lead_time_days
    if chance.happens(_LATE_RATE, "supplier_late", number):
        days += 1
    elif chance.happens(_EARLY_RATE / (1 - _LATE_RATE), "supplier_early", number):
        days -= 1
    return at + days * _DAY


def _mistake(erp: Erp, order: Order, fates: list[_Fate], at: datetime) -> str | None:
    """What the supplier does wrong with the first line of an order, written down before it is."""
    faults = erp.world.faults
    kind = next((one for one in _MISTAKES if faults.strikes(one, order.number)), None)
    if kind is None:
        return None
    first = fates[0]
    part = max(first.line.quantity // _PART, 1)
    key, expected = f"{order.supplier_id}/SI-{order.number}", "case:invoice_held"
    match kind:
        case "supplier_overcharge":
            first.unit_price += max(first.unit_price // _TOO_DEAR, 1)
        case "supplier_short":
            first.sent -= part
            if first.sent == 0:
                return None
        case "supplier_broken":
            first.held, first.broken = first.sent, part
        case "supplier_over":
            first.sent += part
            key, expected = (
                f"{order.number}/{first.line.purchase_order_line_id}",
                "case:over_receipt",
            )
        case _:
            # Its case is named after the copy, which is told later.
            return kind
    faults.note(kind, at, order.supplier_id, key, order.number, expected)
    return kind


def _acknowledge(order: Order, at: datetime, command: Command, speaker: PartnerSystem) -> None:
    said = PurchaseOrderAcknowledged(
        document_number=f"ACK-{order.number}",
        purchase_order_id=order.number,
        supplier_id=order.supplier_id,
        lines=[
            AcknowledgedLine(
                purchase_order_line_id=line.purchase_order_line_id,
                status="accepted",
                quantity=line.quantity,
                promised_at=line.due_at,
            )
            for line in order.lines
        ],
    )
    speaker.answer(command, "retail.purchase_order.acknowledged.v1", at, said, order.number)


def _despatch(
    order: Order, fates: list[_Fate], comes_at: datetime, command: Command, speaker: PartnerSystem
) -> None:
    advice = GoodsDespatched(
        document_number=f"DA-{order.number}",
        purchase_order_id=order.number,
        supplier_id=order.supplier_id,
        node_id=order.node_id,
        expected_at=comes_at,
        lines=[
            DespatchedLine(
                line_number=number,
                purchase_order_line_id=fate.line.purchase_order_line_id,
                quantity=fate.sent,
            )
            for number, fate in enumerate(fates, 1)
        ],
    )
    at = comes_at - _DESPATCHED_BEFORE
    speaker.answer(command, "retail.goods.despatched.v1", at, advice, order.number)


def _receive(
    order: Order, fates: list[_Fate], comes_at: datetime, command: Command, erp: Erp
) -> None:
    """Take goods in; a line in which something looks broken is inspected before it is stock."""
    inspected_at = comes_at + _INSPECTED_AFTER
    for fate in fates:
        stocked_at = inspected_at if fate.held else comes_at
        erp.receive(stocked_at, order.node_id, fate.line.sku, fate.accepted)
    document = erp.document_number("GR", order.node_id, comes_at)
    received = GoodsReceived(
        document_number=document,
        purchase_order_id=order.number,
        node_id=order.node_id,
        lines=[
            GoodsReceiptLine(
                line_number=number,
                purchase_order_line_id=fate.line.purchase_order_line_id,
                delivered_quantity=fate.sent,
                held_quantity=fate.held,
            )
            for number, fate in enumerate(fates, 1)
        ],
    )
    erp.answer(command, "retail.goods.received.v1", comes_at, received, document)
    held = [(number, fate) for number, fate in enumerate(fates, 1) if fate.held]
    if held:
        inspected = GoodsInspected(
            document_number=f"QI-{document}",
            purchase_order_id=order.number,
            node_id=order.node_id,
            lines=[
                InspectedLine(
                    line_number=number,
                    purchase_order_line_id=fate.line.purchase_order_line_id,
                    passed_quantity=fate.held - fate.broken,
                    rejected_quantity=fate.broken,
                    rejection_reason="broken",
                )
                for number, fate in held
            ],
        )
        erp.answer(command, "retail.goods.inspected.v1", inspected_at, inspected, document)
    put_away = GoodsPutAway(
        document_number=f"PA-{document}",
        purchase_order_id=order.number,
        node_id=order.node_id,
        lines=[
            PutAwayLine(
                line_number=number,
                purchase_order_line_id=fate.line.purchase_order_line_id,
                quantity=fate.accepted,
                location=f"A-{number:02d}",
            )
            for number, fate in enumerate(fates, 1)
            if fate.accepted
        ],
    )
    if put_away.lines:
        at = (inspected_at if held else comes_at) + _PUT_AWAY_AFTER
        erp.answer(command, "retail.goods.put_away.v1", at, put_away, document)


def _charge(
    order: Order,
    fates: list[_Fate],
    at: datetime,
    command: Command,
    speaker: PartnerSystem,
    mistake: str | None,
) -> None:
    total = sum(fate.charged * fate.unit_price for fate in fates)

    def invoice(number: str) -> SupplierInvoiceReceived:
        return SupplierInvoiceReceived(
            invoice_number=number,
            supplier_id=order.supplier_id,
            purchase_order_id=order.number,
            currency=order.currency,
            total_amount=to_text(total),
            lines=[
                SupplierInvoiceLine(
                    line_number=position,
                    purchase_order_line_id=fate.line.purchase_order_line_id,
                    quantity=fate.charged,
                    unit_price=to_text(fate.unit_price),
                )
                for position, fate in enumerate(fates, 1)
            ],
        )

    event_type, number = "retail.supplier_invoice.received.v1", f"SI-{order.number}"
    speaker.answer(command, event_type, at, invoice(number), number)
    if mistake == "supplier_copy":
        # The same again, a day later, with another hyphen.
        copy, later = number.replace("-", " "), at + _COPIED_AFTER
        sent = speaker.answer(command, event_type, later, invoice(copy), copy, occasion="copy")
        identity = str(identify("supplier_invoice", speaker.code, sent))
        key = f"{order.supplier_id}/{copy}/{identity[:8]}"
        speaker.world.faults.note(
            mistake, later, order.supplier_id, key, order.number, "case:duplicate_invoice"
        )
