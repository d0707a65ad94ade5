"""Lines of purchase orders that clearing is open for, and the proposal to clear them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from assets.commerce.money import to_text
from assets.contracts.purchasing import ClearingDecided
from assets.errors import BadInput
from assets.ports import ApprovalRequest, PolicyBook
from assets.procure_to_stock.policy import procure_policy
from assets.waiting_events import waiting_event

#: Who sends what people decide at a terminal.
SOURCE = "accounts_payable"
SUBJECT_TYPE = "clearing"
SHOWN = (
    "line",
    "supplier_id",
    "sku",
    "open_quantity",
    "open_amount",
    "currency_code",
    "open_since",
    "open_days",
    "is_proposed",
)

_OPEN = """
    with opened as (
        select *, accepted_quantity - invoiced_quantity + credited_quantity
            - cleared_quantity as open_quantity
        from purchase_order_line
    )
    select purchase_order_id || '/' || purchase_order_line_id as line, purchase_order_id,
        purchase_order_line_id, supplier_id, sku, open_quantity,
        open_quantity * unit_price as open_amount, currency_code, posted_at as open_since,
        legal_entity, brand, region, channel, correlation_id
    from opened
    where open_quantity <> 0
        and (cast(:line as text) is null
            or purchase_order_id || '/' || purchase_order_line_id = :line)
    order by posted_at, purchase_order_id, purchase_order_line_id
"""


def open_lines(
    connection: sa.Connection, policies: PolicyBook, at: datetime, line: str | None = None
) -> list[dict[str, Any]]:
    """What clearing is open for, the longest first; ``is_proposed`` by the policy of its scope.

    Args:
        connection: The transaction.
        policies: Which say after how long nothing more is expected.
        at: Effective time.
        line: Only this one, as ``ORDER/LINE``.
    """
    after: dict[tuple[str, str], timedelta] = {}
    rows = []
    for found in connection.execute(sa.text(_OPEN), {"line": line}).mappings():
        scope = (found["region"], found["brand"])
        if scope not in after:
            policy = procure_policy(policies.resolve("procure_to_stock", *scope))
            after[scope] = timedelta(days=policy.clearing_proposed_after_days)
        age = at - found["open_since"]
        rows.append({**found, "open_days": age.days, "is_proposed": age >= after[scope]})
    return rows


def requests_for(
    connection: sa.Connection,
    policies: PolicyBook,
    at: datetime,
    line: str | None,
    reason: str,
    requested_by: str,
) -> list[ApprovalRequest]:
    """One proposal for each line that is open for long enough, or for the one that is named.

    Raises:
        BadInput: If that line is not open, or nothing is open for long enough.
    """
    rows = open_lines(connection, policies, at, line)
    wanted = rows if line is not None else [row for row in rows if row["is_proposed"]]
    if not wanted:
        what = f"of {line}" if line else "for long enough"
        raise BadInput(f"clearing is not open {what}: see `omniflow clearing list`")
    return [_request(row, reason, requested_by) for row in wanted]


def _request(row: Mapping[str, Any], reason: str, requested_by: str) -> ApprovalRequest:
    decision = ClearingDecided(
        purchase_order_id=row["purchase_order_id"],
        purchase_order_line_id=row["purchase_order_line_id"],
        quantity=int(row["open_quantity"]),
        decision="approved",
        decided_by=requested_by,
        reason=reason,
    )
    amount = abs(int(row["open_amount"] * 10_000))
    return ApprovalRequest(
        subject_type=SUBJECT_TYPE,
        subject_key=row["line"],
        summary=f"clear {row['open_quantity']} units of {row['sku']} of {row['line']}, worth"
        f" {to_text(amount)} {row['currency_code']}: {reason}",
        source=SOURCE,
        event=waiting_event(
            "retail.purchase_order.clearing_decided.v1", row["purchase_order_id"], row, decision
        ),
        amount=amount,
        currency_code=row["currency_code"],
        region=row["region"],
        brand=row["brand"],
        requested_by=requested_by,
    )
