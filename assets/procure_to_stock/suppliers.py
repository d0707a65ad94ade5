"""Suppliers as the ERP tells them, and the account that each is paid to.

Whoever is told of first is certified in the ERP. An account that changes later is paid to only when
somebody here has confirmed it: until then the ERP pays the supplier nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from assets.contracts.purchasing import SupplierBankDecided, SupplierRegistered
from assets.facts import in_columns
from assets.ports import About, ApprovalRequest, CaseType, InboxEvent, SupplierView
from assets.procure_to_stock.curing import settle
from assets.procure_to_stock.rules.matching import Reason
from assets.procure_to_stock.rules.supplier_identity import compact, why_invalid
from assets.procure_to_stock.writes import OWNER, Writes
from assets.waiting_events import as_row, waiting_event

CONFIRMED, UNCONFIRMED, DENIED = "confirmed", "unconfirmed", "denied"
#: What the house's rule of consent is called.
SUBJECT_TYPE = "bank_change"
ASKED_BY = "policy:procure_to_stock"

_COLUMNS = (
    "supplier_id",
    "supplier_name",
    "currency_code",
    "country_code",
    "tax_id",
    "bank_account",
    "confirmed_bank_account",
    "bank_status",
    "order_channel",
    "is_active",
    "occurred_at",
)


def register(events: list[InboxEvent], writes: Writes) -> None:
    """Keep suppliers as they were last told; one whose numbers cannot be so is set aside."""
    purchasing = writes.unit_of_work.purchasing
    known = purchasing.suppliers({event.data.supplier_id for event in events})
    rows: dict[str, tuple[object, ...]] = {}
    for event in events:
        data: SupplierRegistered = event.data
        invalid = why_invalid(data.country, data.tax_id, data.bank_account)
        before = known.get(data.supplier_id)
        if invalid is not None:
            writes.refuse(event, CaseType.SUPPLIER_INVALID, f"{data.supplier_id}: {invalid[1]}")
        elif before is None or before.occurred_at <= event.occurred_at:
            now = _told(data, event, before)
            known[data.supplier_id] = now
            rows[data.supplier_id] = (
                data.supplier_id,
                data.name,
                data.currency,
                data.country,
                data.tax_id,
                now.bank_account,
                now.confirmed_bank_account,
                now.bank_status,
                data.order_channel,
                data.is_active,
                event.occurred_at,
            )
            if before is not None and before.bank_account != now.bank_account:
                _watch_account(event, now, writes)
    if rows:
        purchasing.put_suppliers(in_columns(_COLUMNS, list(rows.values())))
        writes.unit_of_work.inbox.release(f"supplier:{supplier_id}" for supplier_id in rows)


def _told(data: SupplierRegistered, event: InboxEvent, before: SupplierView | None) -> SupplierView:
    """The supplier from now on; without a word about its account that stays as it was."""
    account = compact(data.bank_account) if data.bank_account else None
    confirmed, status = account, CONFIRMED
    if before is not None:
        account = account or before.bank_account
        confirmed = before.confirmed_bank_account
        if account == confirmed:
            status = CONFIRMED
        elif account == before.bank_account:
            status = before.bank_status
        else:
            status = UNCONFIRMED
    return SupplierView(
        data.supplier_id,
        data.name,
        data.currency,
        data.supplier_id,
        account,
        confirmed,
        status,
        event.occurred_at,
        data.order_channel,
    )


def _watch_account(event: InboxEvent, now: SupplierView, writes: Writes) -> None:
    """Have somebody confirm an account that changed; one that changed back is confirmed already."""
    if now.bank_status == CONFIRMED:
        _confirm(event, now, "the account is the former one again", writes)
        return
    writes.send(
        "supplier.block", now.supplier_id, event, event.event_id, supplier_id=now.supplier_id
    )
    writes.open_case(
        CaseType.BANK_CHANGE,
        now.supplier_id,
        f"{now.supplier_name} wants to be paid to another account; nothing is paid until then",
        About.scope(event),
    )
    words = {"decided_by": ASKED_BY, "reason": "the account changed"}
    asked = {"supplier_id": now.supplier_id, "bank_account": now.bank_account, **words}

    def said(decision: str) -> dict[str, Any]:
        event_type, data = "retail.supplier.bank_decided.v1", {**asked, "decision": decision}
        return waiting_event(event_type, now.supplier_id, as_row(event), data)

    writes.unit_of_work.request_approvals(
        [
            ApprovalRequest(
                SUBJECT_TYPE,
                now.supplier_id,
                f"pay {now.supplier_name} to the account that ends in {_end(now.bank_account)},"
                f" no longer to {_end(now.confirmed_bank_account)}",
                OWNER,
                said("approved"),
                0,
                now.currency_code,
                event.region,
                event.brand,
                ASKED_BY,
                denial=said("denied"),
            )
        ]
    )


def _end(account: str | None) -> str:
    """As much of an account as may be shown."""
    return "none" if account is None else f"…{account[-4:]}"


def take_bank_decisions(events: list[InboxEvent], writes: Writes) -> None:
    """Pay to the account that was confirmed; a decision about another one says nothing any more."""
    purchasing = writes.unit_of_work.purchasing
    known = purchasing.suppliers({event.data.supplier_id for event in events})
    banks: list[tuple[str, str | None, str]] = []
    for event in events:
        data: SupplierBankDecided = event.data
        now = known.get(data.supplier_id)
        if now is None or now.bank_account != compact(data.bank_account):
            reason = f"{data.supplier_id} wants to be paid to another account by now"
            writes.refuse(event, CaseType.RELEASE_NOT_ASKED_FOR, reason)
        elif data.decision == "approved":
            banks.append((now.supplier_id, now.bank_account, CONFIRMED))
            _confirm(event, now, f"confirmed by {data.decided_by}", writes)
        else:
            banks.append((now.supplier_id, now.confirmed_bank_account, DENIED))
    purchasing.put_banks(banks)


def _confirm(event: InboxEvent, now: SupplierView, resolution: str, writes: Writes) -> None:
    """The supplier is paid again, and what waited for that only goes on."""
    unit_of_work = writes.unit_of_work
    writes.send(
        "supplier.unblock", now.supplier_id, event, event.event_id, supplier_id=now.supplier_id
    )
    writes.close_case(CaseType.BANK_CHANGE, now.supplier_id, resolution)
    unit_of_work.withdraw_approvals(SUBJECT_TYPE, [now.supplier_id], resolution)
    held = unit_of_work.purchasing.held_of_suppliers([now.supplier_id], Reason.BANK_UNCONFIRMED)
    writes.holds += [
        replace(hold, revision=hold.revision + 1, status="cured", occurred_at=event.occurred_at)
        for hold in held
    ]
    invoices = {hold.invoice_id: event for hold in held}
    posted = unit_of_work.purchasing.invoice_lines(invoices)
    settle(invoices, posted, resolution, writes)
