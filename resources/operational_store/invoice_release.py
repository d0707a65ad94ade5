"""Invoice lines that are held, and what a person wants to be paid although it does not match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from assets.contracts.purchasing import InvoiceReleaseDecided
from assets.errors import BadInput
from assets.ports import ApprovalRequest
from assets.procure_to_stock.rules.matching import Reason
from assets.waiting_events import waiting_event
from resources.operational_store.purchasing import LAST_REVISIONS

#: Who sends what people decide at a terminal.
SOURCE = "accounts_payable"
SUBJECT_TYPE = "invoice_release"
SHOWN = (
    "invoice",
    "line_number",
    "reason_code",
    "quantity_difference",
    "value_difference",
    "currency_code",
    "held_at",
    "purchase_order_id",
)

_HELD = f"""
    select i.supplier_id || '/' || i.invoice_number as invoice, last.invoice_id, last.line_number,
        last.reason_code, last.quantity_difference, last.value_difference, last.purchase_order_id,
        last.occurred_at as held_at,
        coalesce(last.currency_code, i.currency_code) as currency_code,
        i.legal_entity, i.brand, i.region, i.channel, i.correlation_id
    from ({LAST_REVISIONS}) last
    join supplier_invoice_received i using (invoice_id)
    where last.status = 'held'
        and (cast(:invoice as text) is null or i.supplier_id || '/' || i.invoice_number = :invoice)
    order by held_at, invoice, last.line_number, last.reason_code
"""


def held_lines(connection: sa.Connection, invoice: str | None = None) -> list[dict[str, Any]]:
    """What is held, the longest first; of one invoice where it is named (``supplier/number``)."""
    found = connection.execute(sa.text(_HELD), {"invoice": invoice})
    return [dict(row) for row in found.mappings()]


def requests_for(
    connection: sa.Connection,
    invoice: str,
    line: int | None,
    reason_code: str | None,
    reason: str,
    requested_by: str,
) -> list[ApprovalRequest]:
    """Holds of an invoice that a person wants released, each as something to be consented to.

    Raises:
        BadInput: If nothing of the kind is held.
    """
    wanted = [
        row
        for row in held_lines(connection, invoice)
        if line in (None, row["line_number"])
        and reason_code in (None, row["reason_code"])
        # That is not about this invoice: whoever confirms the account lets it be paid.
        and row["reason_code"] != Reason.BANK_UNCONFIRMED
    ]
    if not wanted:
        raise BadInput(f"nothing of the kind is held of {invoice}: see `omniflow invoices list`")
    return [_request(row, reason, requested_by) for row in wanted]


def _request(row: Mapping[str, Any], reason: str, requested_by: str) -> ApprovalRequest:
    value = abs(row["value_difference"])
    decision = InvoiceReleaseDecided(
        invoice_id=str(row["invoice_id"]),
        line_number=row["line_number"],
        reason_code=row["reason_code"],
        value_difference=f"{value:f}",
        decision="approved",
        decided_by=requested_by,
        reason=reason,
    )
    return ApprovalRequest(
        subject_type=SUBJECT_TYPE,
        subject_key=f"{row['invoice']}/{row['line_number']}/{row['reason_code']}",
        summary=f"pay line {row['line_number']} of {row['invoice']} although"
        f" {row['reason_code']} is off by {value} {row['currency_code']}: {reason}",
        source=SOURCE,
        event=waiting_event(
            "retail.supplier_invoice.release_decided.v1", row["invoice"], row, decision
        ),
        amount=int(value * 10_000),
        currency_code=row["currency_code"],
        region=row["region"],
        brand=row["brand"],
        requested_by=requested_by,
    )
