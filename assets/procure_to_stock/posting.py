"""Suppliers' invoices and credit notes, posted as they come: what is owed, and the order behind it.

A copy of an invoice that is posted already is kept, and neither posted nor paid.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from assets.commerce.identifiers import identify
from assets.commerce.money import RATE_SCALE, exchanged, to_rate, to_ten_thousandths, to_text
from assets.contracts.purchasing import SupplierInvoiceLine, SupplierInvoiceReceived
from assets.ports import (
    About,
    CaseType,
    Hold,
    InboxEvent,
    InvoiceView,
    LineVersion,
    OrderLineView,
    SupplierView,
)
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
        is_before_receipt: Whether it comes before anything that was ordered.
        rate: The order's, where the invoice is in another currency (hundred-millionths).
    """

    line: SupplierInvoiceLine
    unit_price: int
    order_line: OrderLineView | None
    reasons: list[Reason]
    rate: int = RATE_SCALE
    is_before_receipt: bool = False
    quantity_before: int = 0
    amount_before: int = 0

    @property
    def amount(self) -> int:
        """Quantity × price, in the invoice's currency."""
        return self.line.quantity * self.unit_price

    @property
    def order_amount(self) -> int:
        """The same in the order's currency, at the rate that the order agreed."""
        return exchanged(self.amount, self.rate)

    def rate_of_day(self, said: str | None) -> int:
        """What the invoice says of its day; where it says nothing, what the order does."""
        return self.rate if said is None else to_rate(said)

    def exchange_difference(self, said: str | None) -> int:
        """What it is worth on its day beyond what the order's rate makes of it."""
        return exchanged(self.amount, self.rate_of_day(said)) - self.order_amount

    def is_exchanged(self, data: SupplierInvoiceReceived) -> bool:
        """Whether the invoice is in another currency than the order."""
        return self.order_line is not None and self.order_line.currency_code != data.currency

    @property
    def order_price(self) -> int:
        """What the order says one unit costs; nothing where there is no order."""
        return self.order_line.unit_price if self.order_line is not None else 0


@dataclass
class Posting:
    """One invoice or credit note of this batch.

    Attributes:
        charged_of_order: What all invoices of its order come to with it, in the order's currency.
    """

    event: InboxEvent
    view: InvoiceView
    lines: list[Charged]
    bank_status: str
    charged_of_order: int = 0
    holds: list[Hold] = field(default_factory=list)

    @property
    def data(self) -> SupplierInvoiceReceived:
        """What the supplier says."""
        data: SupplierInvoiceReceived = self.event.data
        return data

    @cached_property
    def order_line(self) -> OrderLineView | None:
        """One of those that stand behind its lines; all of them are of one order."""
        return next((one.order_line for one in self.lines if one.order_line is not None), None)

    @property
    def order_currency(self) -> str:
        """In which it is matched: the order's, or its own where no order stands behind it."""
        return self.order_line.currency_code if self.order_line else self.data.currency

    @cached_property
    def rate(self) -> int:
        """What one unit of its currency is worth in the order's, as the order says."""
        return next((one.rate for one in self.lines if one.is_exchanged(self.data)), RATE_SCALE)

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
        posting = Posting(event, view, _charged(event, writes), bank_status)
        window = timedelta(days=writes.policy(event).duplicate_window_days)
        if look_alike(view, before, window) is not None:
            for charged in posting.lines:
                charged.reasons.append(Reason.POSSIBLE_DUPLICATE)
        before.append(view)
        of_order = writes.of_order.get(str(event.data.purchase_order_id), {})
        posting.charged_of_order = sum(line.charged_amount for line in of_order.values())
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


def _charged(event: InboxEvent, writes: Writes) -> list[Charged]:
    """The lines with the order's lines behind them, and what is wrong whatever they say."""
    data: SupplierInvoiceReceived = event.data
    found = []
    for line in data.lines:
        key = (str(data.purchase_order_id), str(line.purchase_order_line_id))
        order_line = writes.lines.get(key)
        reasons: list[Reason] = []
        rate: int | None = RATE_SCALE
        if order_line is not None:
            rate = _agreed_rate(writes.terms_in_force(order_line, event.occurred_at), data.currency)
        if order_line is None:
            if line.purchase_order_line_id is not None:
                reasons.append(Reason.UNKNOWN_ORDER_LINE)
        elif order_line.supplier_id != data.supplier_id:
            reasons.append(Reason.OTHER_SUPPLIER)
        elif rate is None:
            reasons.append(Reason.OTHER_CURRENCY)
        elif order_line.is_closed:
            reasons.append(Reason.ORDER_CLOSED)
        charged = Charged(line, to_ten_thousandths(line.unit_price), None, reasons)
        if order_line is not None and rate is not None and not reasons:
            charged.order_line, charged.rate = order_line, rate
            writes.settle_price(order_line, event.occurred_at)
            _count_in(charged, order_line, data.kind)
        found.append(charged)
    return found


def _agreed_rate(terms: LineVersion, currency: str) -> int | None:
    """What one unit of a currency is worth in the order's; ``None`` where nothing is agreed."""
    if currency == terms.currency_code:
        return RATE_SCALE
    return terms.exchange_rate if currency == terms.invoice_currency_code else None


def _count_in(charged: Charged, order_line: OrderLineView, kind: str) -> None:
    charged.is_before_receipt = order_line.is_awaited
    charged.quantity_before = order_line.invoiced_quantity
    charged.amount_before = order_line.invoiced_amount
    if kind == "credit_note":
        order_line.credited_quantity += charged.line.quantity
    else:
        order_line.invoiced_quantity += charged.line.quantity
        order_line.invoiced_amount += charged.order_amount


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
            to_rate(data.exchange_rate) if data.exchange_rate else None,
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
                charged.rate,
                charged.order_price,
                behind.is_price_estimated if behind else False,
                charged.is_before_receipt,
                event.occurred_at,
            )
        )


def _book(posting: Posting, writes: Writes) -> None:
    """Goods at the order's price out of clearing, the difference to price variance.

    What is charged in another currency is exchanged at the rate of its day: what that is worth more
    or less than by the order's rate is an exchange difference, and no variance of a price.
    """
    data, event = posting.data, posting.event
    accounts = writes.journal.accounts(event)
    freight = to_ten_thousandths(data.freight_amount)
    tax = to_ten_thousandths(data.tax_amount)
    charged_in_all = sum(charged.amount for charged in posting.lines)
    books: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    own = books[data.currency]
    for charged in posting.lines:
        if charged.order_line is None:
            own[accounts.purchases_without_order] += charged.amount
            continue
        matched = books[charged.order_line.currency_code]
        agreed = charged.line.quantity * charged.order_price
        matched[accounts.goods_invoice_clearing] += agreed
        matched[accounts.purchase_price_variance] += charged.order_amount - agreed
        if matched is not own:
            difference = charged.exchange_difference(data.exchange_rate)
            own[accounts.currency_exchange] += charged.amount
            matched[accounts.currency_exchange] -= charged.order_amount + difference
            matched[accounts.exchange_difference] += difference
    own[accounts.freight_inward] += freight
    own[accounts.input_tax] += tax
    own[accounts.accounts_payable] -= posting.view.total_amount
    # A total that is not the sum of its parts is held; what is owed by it is owed for goods.
    own[accounts.purchase_price_variance] += (
        posting.view.total_amount - charged_in_all - freight - tax
    )
    sign = -1 if data.kind == "credit_note" else 1
    kind, invoice_id = f"supplier_{data.kind}", posting.view.invoice_id
    for currency, legs in books.items():
        is_own = currency == data.currency
        writes.journal.post(
            event,
            kind if is_own else f"{kind}_exchange",
            invoice_id if is_own else f"{invoice_id}/{currency}",
            currency,
            event.occurred_at,
            [(account, sign * amount) for account, amount in legs.items()],
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
