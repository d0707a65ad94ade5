"""Who wants to sell to us is checked before the ERP hears of them; nobody orders of them before.

Four checks: that their numbers can be so, that they are nobody whom we know, that the account is
theirs, and that there is a contract. The first two are made at once; what is doubtful, and the last
two, people decide, and another one consents.
"""

from __future__ import annotations

from assets.commerce.identifiers import identify
from assets.contracts.purchasing import SupplierApplied, SupplierCheckDecided
from assets.ports import About, ApplicantView, CaseType, InboxEvent
from assets.procure_to_stock.rules.supplier_duplicates import Known, find
from assets.procure_to_stock.rules.supplier_identity import compact, why_invalid
from assets.procure_to_stock.writes import Writes

WAITING, PASSED, FAILED = "waiting", "passed", "failed"


def apply(events: list[InboxEvent], writes: Writes) -> None:
    """Take applications in and make the checks that need nobody."""
    purchasing = writes.unit_of_work.purchasing
    known = [Known(*row) for row in purchasing.everybody()]
    for event in events:
        data: SupplierApplied = event.data
        invalid = why_invalid(data.country, data.tax_id, data.bank_account)
        if invalid is not None:
            writes.refuse(event, CaseType.SUPPLIER_INVALID, f"{data.supplier_id}: {invalid[1]}")
            continue
        applicant = Known(
            data.supplier_id, data.name, compact(data.tax_id), compact(data.bank_account)
        )
        alike = find(applicant, known, writes.policy(event).supplier_name_alike_percent)
        known = [one for one in known if one.supplier_id != data.supplier_id] + [applicant]
        view = ApplicantView(
            supplier_id=data.supplier_id,
            supplier_name=data.name,
            currency_code=data.currency,
            country_code=data.country,
            tax_id=compact(data.tax_id),
            bank_account=compact(data.bank_account),
            applied_by=data.applied_by,
            identity_check=PASSED,
            duplicate_check=WAITING if alike else PASSED,
            bank_check=WAITING,
            contract_check=WAITING,
            contract_reference=None,
            is_told=False,
            occurred_at=event.occurred_at,
        )
        purchasing.put_applicants([view])
        _note(event, data.supplier_id, "identity", PASSED, "policy:procure_to_stock", writes)
        _note(
            event,
            data.supplier_id,
            "duplicate",
            view.duplicate_check,
            "policy:procure_to_stock",
            writes,
        )
        if alike:
            likest = alike[0]
            writes.open_case(
                CaseType.SUPPLIER_DUPLICATE,
                data.supplier_id,
                f"{data.name} may be {likest.supplier_id}: the same {likest.what}"
                if likest.what != "name"
                else f"{data.name} may be {likest.supplier_id}: names alike by {likest.likeness} %",
                About.scope(event),
            )


def take_checks(events: list[InboxEvent], writes: Writes) -> None:
    """Keep what people found; who has passed every check is told to the ERP."""
    purchasing = writes.unit_of_work.purchasing
    applicants = purchasing.applicants({event.data.supplier_id for event in events})
    for event in events:
        data: SupplierCheckDecided = event.data
        applicant = applicants.get(data.supplier_id)
        if applicant is None or applicant.is_told:
            said = "nobody of this id has applied" if applicant is None else "it is certified"
            writes.refuse(event, CaseType.RELEASE_NOT_ASKED_FOR, said)
            continue
        status = PASSED if data.decision == "approved" else FAILED
        setattr(applicant, f"{data.check}_check", status)
        if data.check == "contract" and status == PASSED:
            applicant.contract_reference = data.reference
        _note(event, data.supplier_id, data.check, status, data.decided_by, writes)
        if data.check == "duplicate":
            writes.close_case(CaseType.SUPPLIER_DUPLICATE, data.supplier_id, data.reason)
        if applicant.has_passed:
            applicant.is_told = True
            _tell(event, applicant, writes)
    purchasing.put_applicants(list(applicants.values()))


def _note(
    event: InboxEvent, supplier_id: str, check: str, status: str, decided_by: str, writes: Writes
) -> None:
    identity = str(identify("supplier_check", event.source, event.event_id, check))
    writes.rows["supplier_check"].append(
        (identity, supplier_id, check, status, decided_by, event.occurred_at)
    )


def _tell(event: InboxEvent, applicant: ApplicantView, writes: Writes) -> None:
    """Have the ERP make a supplier of an applicant; what it says then is what we keep."""
    writes.send(
        "supplier.create",
        applicant.supplier_id,
        event,
        event.event_id,
        supplier_id=applicant.supplier_id,
        name=applicant.supplier_name,
        currency=applicant.currency_code,
        country=applicant.country_code,
        tax_id=applicant.tax_id,
        bank_account=applicant.bank_account,
        contract_reference=applicant.contract_reference,
    )
    writes.process.add(
        "supplier certified",
        applicant.supplier_id,
        event.occurred_at,
        [("supplier", applicant.supplier_id, "certified")],
    )
