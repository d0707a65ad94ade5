"""Applicants and their checks, as people at a terminal see and decide them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from assets.contracts.purchasing import SupplierCheckDecided
from assets.errors import BadInput
from assets.ports import ApprovalRequest
from assets.waiting_events import waiting_event
from resources.operational_store.replenishment import scope_of_house

SOURCE = "purchasing"
SUBJECT_TYPE = "supplier_check"
#: Those that people make.
CHECKS = ("bank", "contract", "duplicate")
SHOWN = (
    "supplier_id",
    "supplier_name",
    "status",
    "identity_check",
    "duplicate_check",
    "bank_check",
    "contract_check",
    "country_code",
    "applied_by",
)

# Accounts and tax ids are shown by their ends only.
_EVERYBODY = """
    select a.supplier_id, a.supplier_name,
        case when s.supplier_id is not null then 'certified'
            when 'failed' in (a.identity_check, a.duplicate_check, a.bank_check, a.contract_check)
            then 'refused'
            when a.is_told then 'told' else 'checking' end as status,
        a.identity_check, a.duplicate_check, a.bank_check, a.contract_check, a.country_code,
        a.applied_by, a.currency_code
    from supplier_applicant a left join supplier s using (supplier_id)
    union all
    select s.supplier_id, s.supplier_name, 'certified', null, null, null, null, s.country_code,
        null, s.currency_code
    from supplier s
    where not exists (select from supplier_applicant a where a.supplier_id = s.supplier_id)
    order by 1
"""


def everybody(connection: sa.Connection) -> list[dict[str, Any]]:
    """Suppliers and applicants, with how far they are checked."""
    return [dict(row) for row in connection.execute(sa.text(_EVERYBODY)).mappings()]


def request_for(
    connection: sa.Connection,
    supplier_id: str,
    check: str,
    is_passed: bool,
    reason: str,
    reference: str | None,
    requested_by: str,
) -> ApprovalRequest:
    """What a person found, for another one's consent.

    Raises:
        BadInput: If nobody of this id has applied, or there is no such check.
    """
    if check not in CHECKS:
        raise BadInput(f"there is no check {check}: {', '.join(CHECKS)}")
    found = {row["supplier_id"]: row for row in everybody(connection)}
    applicant = found.get(supplier_id)
    if applicant is None or applicant["applied_by"] is None:
        raise BadInput(f"nobody called {supplier_id} has applied: see `omniflow suppliers list`")
    if check == "contract" and is_passed and not reference:
        raise BadInput("say which contract: --reference NUMBER")
    legal_entity, brand, region, channel = scope_of_house(connection)
    about = {
        "legal_entity": legal_entity,
        "brand": brand,
        "region": region,
        "channel": channel,
        "correlation_id": supplier_id,
    }
    data = SupplierCheckDecided(
        supplier_id=supplier_id,
        check=check,  # type: ignore[arg-type]  # one of those above
        decision="approved" if is_passed else "denied",
        decided_by=requested_by,
        reason=reason,
        reference=reference,
    )
    word = "passes" if is_passed else "fails"
    return ApprovalRequest(
        subject_type=SUBJECT_TYPE,
        subject_key=f"{supplier_id}/{check}",
        summary=f"{applicant['supplier_name']} {word} the check {check}: {reason}",
        source=SOURCE,
        event=waiting_event("retail.supplier.check_decided.v1", supplier_id, about, data),
        amount=0,
        currency_code=applicant["currency_code"],
        region=region,
        brand=brand,
        requested_by=requested_by,
        involved=[applicant["applied_by"]],
    )
