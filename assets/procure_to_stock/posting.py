"""Suppliers' invoices and credit notes, posted as they come: what is owed, and the order behind it.

A copy of an invoice that is posted already is kept, and neither posted nor paid.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from assets.commerce.identifiers import identify
from assets.commerce.money import to_ten_thousandths, to_text
from assets.contracts.purchasing import SupplierInvoiceLine, SupplierInvoiceReceived
from assets.ports import About, CaseType, Hold, InboxEvent, InvoiceView, OrderLineView, SupplierView
from assets.procure_to_stock.rules.duplicates import look_alike, normalised, same_invoice
from assets.procure_to_stock.rules.matching import Reason
from assets.procure_to_stock.suppliers import CONFIRMED
from assets.procure_to_stock.writes import Writes


@dataclass
class Charged:
    """One line of an invoice that is posted; money in ten-thousandths.

    Attributes:
        order_line: The order's line that stands behind it, if one does.
        reasons: Why it is held whatever the amounts say, with what is at stake.
    """

    line: SupplierInvoiceLine
    unit_price: int
    order_line: OrderLineView | None
    reasons: list[Reason]
    quantity_before: int = 0
    amount_before: int = 0

    @property
    def amount(self) -> int:
        """Quantity × price."""
        return self.line.quantity * self.unit_price

    @property
    def order_price(self) -> int:
        """What the order says one unit costs; nothing where there is no order."""
        return self.order_line.unit_price if self.order_line is not None else 0


@dataclass
class Posting:
    """One invoice or credit note of this batch."""

    event: InboxEvent
    view: InvoiceView
    lines: list[Charged]
    bank_status: str
    holds: list[Hold] = field(default_factory=list)

    @property
    def data(self) -> SupplierInvoiceReceived:
        """What the supplier says."""
        data: SupplierInvoiceReceived = self.event.data
        return data

    @property
    def key(self) -> str:
        """As people name it."""
        return f"{self.data.supplier_id}/{self.data.invoice_number}"


def post(events: list[InboxEvent], writes: Writes) -> list[Posting]:
    """Post what can be posted; the rest waits for what it names, or is a copy."""
    suppliers = writes.unit_of_work.purchasing.suppliers(
        {event.data.supplier_id for event in events}
    )
    writes.load(event.data.purchase_order_id for event in events if event.data.purchase_order_id)
    ready = [event for event in events if _is_ready(event, suppliers, writes)]
    views = [_view(event, suppliers[event.data.supplier_id].group_id) for event in ready]
    known = defaultdict(list)
    for invoice in writes.unit_of_work.purchasing.invoices_like(views):
        known[invoice.group_id].append(invoice)
    writes.know_versions(event.data.purchase_order_id for event in ready)
    postings = []
    for event, view in zip(ready, views, strict=True):
        before = known[view.group_id]
        copy_of = same_invoice(view, before)
        if copy_of is not None:
            _keep_copy(event, view, copy_of, writes)
            continue
        bank_status = suppliers[view.supplier_id].bank_status
        posting = Posting(event, view, _charged(event.data, writes), bank_status)
        window = timedelta(days=writes.policy(event).duplicate_window_days)
        if look_alike(view, before, window) is not None:
            for charged in posting.lines:
                charged.reasons.append(Reason.POSSIBLE_DUPLICATE)
        before.append(view)
        for charged in posting.lines:
            if charged.order_line is not None:
                writes.settle_price(charged.order_line, event.occurred_at)
        _record(posting, None, writes)
        _book(posting, writes)
        postings.append(posting)
    return postings


def _is_ready(event: InboxEvent, suppliers: dict[str, SupplierView], writes: Writes) -> bool:
    """Whether the supplier and the order that an invoice names are known; else it waits."""
    data: SupplierInvoiceReceived = event.data
    order, inbox = data.purchase_order_id, writes.unit_of_work.inbox
    if data.supplier_id not in suppliers:
        inbox.park(event, "unknown_supplier", f"supplier:{data.supplier_id}")
        return False
    if order is not None and order not in writes.of_order:
        inbox.park(event, "purchase_order_unknown", f"purchase_order:{order}")
        return False
    return True


def _view(event: InboxEvent, group_id: str) -> InvoiceView:
    data: SupplierInvoiceReceived = event.data
    return InvoiceView(
        str(identify("supplier_invoice", event.source, event.event_id)),
        data.supplier_id,
        group_id,
        normalised(data.invoice_number),
        data.kind,
        data.purchase_order_id,
        data.currency,
        to_ten_thousandths(data.total_amount),
        event.occurred_at,
    )


def _keep_copy(event: InboxEvent, view: InvoiceView, of: InvoiceView, writes: Writes) -> None:
    posting = Posting(event, view, [], CONFIRMED)
    _record(posting, of.invoice_id, writes)
    amount = f"{to_text(view.total_amount)} {view.currency_code}"
    writes.open_case(
        CaseType.DUPLICATE_INVOICE,
        f"{posting.key}/{view.invoice_id[:8]}",
        f"{posting.key} of {amount} was sent before, as {of.supplier_id} of"
        f" {of.occurred_at:%Y-%m-%d}; this copy is not posted",
        About.scope(event, None, view.total_amount, view.currency_code),
    )


def _charged(data: SupplierInvoiceReceived, writes: Writes) -> list[Charged]:
    """The lines with the order's lines behind them, and what is wrong whatever they say."""
    found = []
    for line in data.lines:
        key = (str(data.purchase_order_id), str(line.purchase_order_line_id))
        order_line = writes.lines.get(key)
        reasons: list[Reason] = []
        if order_line is None:
            if line.purchase_order_line_id is not None:
                reasons.append(Reason.UNKNOWN_ORDER_LINE)
        elif order_line.supplier_id != data.supplier_id:
            reasons.append(Reason.OTHER_SUPPLIER)
        elif order_line.currency_code != data.currency:
            reasons.append(Reason.OTHER_CURRENCY)
        elif order_line.is_closed:
            reasons.append(Reason.ORDER_CLOSED)
        stands = order_line if not reasons else None
        charged = Charged(line, to_ten_thousandths(line.unit_price), stands, reasons)
        if stands is not None:
            _count_in(charged, stands, data.kind)
        found.append(charged)
    return found


def _count_in(charged: Charged, order_line: OrderLineView, kind: str) -> None:
    charged.quantity_before = order_line.invoiced_quantity
    charged.amount_before = order_line.invoiced_amount
    if kind == "credit_note":
        order_line.credited_quantity += charged.line.quantity
    else:
        order_line.invoiced_quantity += charged.line.quantity
        order_line.invoiced_amount += charged.amount


def _record(posting: Posting, duplicate_of: str | None, writes: Writes) -> None:
    event, data, view = posting.event, posting.data, posting.view
    goods = sum(line.quantity * to_ten_thousandths(line.unit_price) for line in data.lines)
    writes.rows["supplier_invoice_received"].append(
        (
            view.invoice_id,
            data.invoice_number,
            view.normalised_number,
            data.kind,
            data.supplier_id,
            view.group_id,
            data.purchase_order_id,
            event.legal_entity,
            event.brand,
            event.region,
            event.channel,
            event.correlation_id,
            data.currency,
            goods,
            to_ten_thousandths(data.freight_amount),
            to_ten_thousandths(data.tax_amount),
            view.total_amount,
            writes.unit_of_work.policies.policy_hash("procure_to_stock"),
            duplicate_of,
            event.occurred_at,
        )
    )
    for charged in posting.lines:
        behind = charged.order_line
        writes.rows["supplier_invoice_line"].append(
            (
                view.invoice_id,
                charged.line.line_number,
                behind.purchase_order_id if behind else None,
                behind.purchase_order_line_id if behind else None,
                charged.line.quantity,
                charged.quantity_before,
                charged.unit_price,
                charged.order_price,
                event.occurred_at,
            )
        )


def _book(posting: Posting, writes: Writes) -> None:
    """Goods at the order's price out of clearing, the difference to price variance."""
    data, event = posting.data, posting.event
    accounts = writes.journal.accounts(event)
    clearing = variance = without_order = 0
    for charged in posting.lines:
        if charged.order_line is None:
            without_order += charged.amount
            continue
        agreed = charged.line.quantity * charged.order_price
        clearing += agreed
        variance += charged.amount - agreed
    freight = to_ten_thousandths(data.freight_amount)
    tax = to_ten_thousandths(data.tax_amount)
    # A total that is not the sum of its parts is held; what is owed by it is owed for goods.
    stray = posting.view.total_amount - clearing - variance - without_order - freight - tax
    legs = [
        (accounts.goods_invoice_clearing, clearing),
        (accounts.purchase_price_variance, variance + stray),
        (accounts.purchases_without_order, without_order),
        (accounts.freight_inward, freight),
        (accounts.input_tax, tax),
        (accounts.accounts_payable, -posting.view.total_amount),
    ]
    sign = -1 if data.kind == "credit_note" else 1
    writes.journal.post(
        event,
        f"supplier_{data.kind}",
        posting.view.invoice_id,
        data.currency,
        event.occurred_at,
        [(account, sign * amount) for account, amount in legs],
    )
    writes.process.add(
        "supplier invoice posted" if data.kind == "invoice" else "supplier credit note posted",
        posting.view.invoice_id,
        event.occurred_at,
        [
            ("supplier_invoice", posting.view.invoice_id, "posted"),
            ("supplier", data.supplier_id, "charged by"),
            *(
                [("purchase_order", data.purchase_order_id, "charged for")]
                if data.purchase_order_id
                else []
            ),
        ],
    )
