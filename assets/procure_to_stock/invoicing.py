"""Invoices are matched as they are posted: what is off is held, not refused.

A refused invoice would hide what we owe and break the accrual; a held one is a liability that is
not paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import pandas as pd

from assets.commerce.money import exchanged, to_ten_thousandths
from assets.decisions.typed_policy import amount_in
from assets.ports import About, CaseType, Hold, InboxEvent, OrderLineView
from assets.procure_to_stock.curing import cure_quantities
from assets.procure_to_stock.policy import Tolerances
from assets.procure_to_stock.posting import Charged, Posting, post
from assets.procure_to_stock.rules.matching import NOTED, Reason, exceeds, match
from assets.procure_to_stock.suppliers import CONFIRMED
from assets.procure_to_stock.writes import Writes

#: The invoice as a whole, among the numbers of its lines.
WHOLE = 0


def take_invoices(events: list[InboxEvent], writes: Writes) -> None:
    """Post what suppliers charge, and hold what differs from orders and receipts."""
    invoices = post(events, writes)
    _match(invoices, writes)
    for posting in invoices:
        _note_whole(posting, writes)
        _tell(posting, writes)


def take_credit_notes(events: list[InboxEvent], writes: Writes) -> None:
    """Post what suppliers take back: it frees what was held for its quantity."""
    notes = post(events, writes)
    touched: dict[tuple[str, str], InboxEvent] = {}
    for posting in notes:
        for charged in posting.lines:
            if charged.order_line is not None:
                touched[charged.order_line.key] = posting.event
        _tell(posting, writes)
    cure_quantities(touched, writes)


def _match(invoices: Sequence[Posting], writes: Writes) -> None:
    """Find what is off in all lines that an order stands behind, by policy and currency at once."""
    groups: dict[tuple[str, str, str], list[tuple[Posting, Charged, OrderLineView]]]
    groups = defaultdict(list)
    for posting in invoices:
        for charged in posting.lines:
            behind = charged.order_line
            if behind is not None:
                key = (behind.region, behind.brand, behind.currency_code)
                groups[key].append((posting, charged, behind))
    for (_, _, currency), of_group in groups.items():
        # Each row says what was there before it itself.
        frame = pd.DataFrame(
            [_row(number, *one) for number, one in enumerate(of_group)], columns=_FRAME
        )
        found = match(frame, writes.policy(of_group[0][2]).tolerances, currency)
        for line, reason, units, value in found.itertuples(index=False):
            posting, charged, _ = of_group[line]
            posting.holds.append(_hold(posting, charged, Reason(reason), int(units), int(value)))
    for posting in invoices:
        limit = amount_in(
            posting.data.currency,
            writes.policy(posting.event).tolerances.amount_without_order_by_currency,
        )
        for charged in posting.lines:
            reasons = list(charged.reasons)
            if charged.order_line is None and not reasons and charged.amount > limit:
                reasons.append(Reason.WITHOUT_ORDER)
            for reason in reasons:
                posting.holds.append(_hold(posting, charged, reason, 0, charged.order_amount))


_FRAME = (
    "order_line",
    "quantity",
    "amount",
    "order_unit_price",
    "payable_quantity",
    "quantity_before",
    "amount_before",
    "days_early",
    "is_price_estimated",
    "is_before_receipt",
)


def _row(number: int, posting: Posting, charged: Charged, behind: OrderLineView) -> tuple[int, ...]:
    return (
        number,
        charged.line.quantity,
        charged.order_amount,
        behind.unit_price,
        behind.payable_quantity,
        charged.quantity_before,
        charged.amount_before,
        max(0, (behind.due_at - posting.event.occurred_at).days),
        behind.is_price_estimated,
        charged.is_before_receipt,
    )


def _hold(posting: Posting, charged: Charged, reason: Reason, units: int, value: int) -> Hold:
    behind = charged.order_line
    return Hold(
        posting.view.invoice_id,
        charged.line.line_number,
        str(reason),
        1,
        "noted" if reason in NOTED else "held",
        units,
        value,
        behind.currency_code if behind else posting.data.currency,
        behind.purchase_order_id if behind else posting.data.purchase_order_id,
        behind.purchase_order_line_id if behind else charged.line.purchase_order_line_id,
        None,
        posting.event.occurred_at,
    )


def _note_whole(posting: Posting, writes: Writes) -> None:
    """Freight against what the order planned for these units, and the total against its parts."""
    data, currency = posting.data, posting.data.currency
    order_currency = posting.order_currency
    tolerances = writes.policy(posting.event).tolerances
    freight = to_ten_thousandths(data.freight_amount)
    goods = sum(charged.amount for charged in posting.lines)
    planned = sum(
        behind.planned_freight_amount * charged.line.quantity // behind.ordered_quantity
        for charged in posting.lines
        if (behind := charged.order_line) is not None
    )
    charged_freight = exchanged(freight, posting.rate)
    abroad = [charged for charged in posting.lines if charged.is_exchanged(data)]
    off = posting.view.total_amount - goods - freight - to_ten_thousandths(data.tax_amount)
    found: list[tuple[Reason, int, str]] = []
    if exceeds(charged_freight - planned, planned, tolerances.freight, order_currency):
        found.append((Reason.FREIGHT, charged_freight - planned, order_currency))
    found += _beyond_blanket(posting, tolerances)
    if any(
        abs(charged.rate_of_day(data.exchange_rate) - charged.rate) * 10_000
        > charged.rate * tolerances.exchange_rate_basis_points
        for charged in abroad
    ):
        worth = sum(charged.exchange_difference(data.exchange_rate) for charged in abroad)
        found.append((Reason.EXCHANGE_RATE, worth, order_currency))
    if abs(off) > amount_in(currency, tolerances.total_by_currency):
        found.append((Reason.TOTAL, off, currency))
    if posting.bank_status != CONFIRMED:
        found.append((Reason.BANK_UNCONFIRMED, posting.view.total_amount, currency))
    posting.holds += [
        Hold(
            posting.view.invoice_id,
            WHOLE,
            str(reason),
            1,
            "held",
            0,
            value,
            value_currency,
            data.purchase_order_id,
            None,
            None,
            posting.event.occurred_at,
        )
        for reason, value, value_currency in found
    ]


def _beyond_blanket(posting: Posting, tolerances: Tolerances) -> list[tuple[Reason, int, str]]:
    """What is charged beyond the value or the end of a blanket order (keys LA and LD)."""
    line, currency = posting.order_line, posting.order_currency
    found: list[tuple[Reason, int, str]] = []
    if line is None:
        return found
    if line.value_limit is not None:
        beyond = posting.charged_of_order - line.value_limit
        if beyond > amount_in(currency, tolerances.blanket_value_by_currency):
            found.append((Reason.BLANKET_VALUE, beyond, currency))
    grace = timedelta(days=tolerances.blanket_days)
    if line.ends_at is not None and posting.event.occurred_at > line.ends_at + grace:
        goods = sum(one.order_amount for one in posting.lines if one.order_line is not None)
        found.append((Reason.BLANKET_DATE, goods, currency))
    return found


def _tell(posting: Posting, writes: Writes) -> None:
    """The ERP posts it with its blocks, and people hear of what is held."""
    data, view = posting.data, posting.view
    held = [hold for hold in posting.holds if hold.status == "held"]
    writes.holds += posting.holds
    writes.send(
        "supplier_invoice.post",
        view.invoice_id,
        posting.event,
        data.kind,
        invoice_id=view.invoice_id,
        kind=data.kind,
        invoice_number=data.invoice_number,
        supplier_id=data.supplier_id,
        total_amount=data.total_amount,
        currency=data.currency,
        blocks=[
            {"line_number": hold.line_number, "reason_code": hold.reason_code} for hold in held
        ],
    )
    if held:
        lines = len({hold.line_number for hold in held})
        reasons = ", ".join(sorted({hold.reason_code for hold in held}))
        writes.open_case(
            CaseType.INVOICE_HELD,
            posting.key,
            f"{lines} of {len(posting.lines)} lines of {posting.key} are not paid: {reasons}",
            About.scope(
                posting.event,
                None,
                sum(_at_stake(posting, hold) for hold in held),
                posting.order_currency,
            ),
        )


def _at_stake(posting: Posting, hold: Hold) -> int:
    """What a hold is about, in the order's currency."""
    value = abs(hold.value_difference)
    return exchanged(value, posting.rate) if hold.currency_code == posting.data.currency else value
