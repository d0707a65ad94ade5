"""Asks for consent, takes it, and lets the event in that waited for it, all in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from assets.approvals.policy import SubjectPolicy, approvals_policy
from assets.approvals.rules import (
    content_hash,
    decoded_tiers,
    highest_amount,
    is_needed,
    tiers_of,
    way_to_consent,
)
from assets.commerce.identifiers import identify
from assets.commerce.money import to_text
from assets.contracts.registry import CONTRACTS
from assets.errors import BadInput
from assets.ports import (
    ApprovalRequest,
    Consent,
    Delegation,
    Notice,
    Occasion,
    Person,
    PolicyBook,
    StoredRequest,
    UnitOfWork,
)

MOST_AT_ONCE = 1_000
#: Events that say who decided.
_OF_DECISIONS = frozenset(
    name
    for name, contract in CONTRACTS.items()
    if "decided_by" in contract.struct.__struct_fields__
)
#: Who decides when nobody has.
NOBODY = "policy:approvals"


def subject_policy(
    policies: PolicyBook, subject_type: str, region: str, brand: str
) -> SubjectPolicy:
    """What the house says of consent to one kind of thing.

    Raises:
        BadInput: If it says nothing of it.
    """
    subjects = approvals_policy(policies.resolve("approvals", region, brand)).subjects
    if subject_type not in subjects:
        raise BadInput(f"nothing of the kind {subject_type} is approved here")
    return subjects[subject_type]


def request(
    requests: Iterable[ApprovalRequest], unit_of_work: UnitOfWork
) -> dict[str, StoredRequest]:
    """Ask for consent where the policy wants it; what it lets pass is let in at once.

    The same question again is the one that waits; another content about the same subject makes the
    old request void, and with it every consent given to it.

    Returns:
        What waits now, by subject key; what needs no consent is not there.
    """
    asked: dict[str, dict[str, ApprovalRequest]] = defaultdict(dict)
    for one in requests:
        asked[one.subject_type][one.subject_key] = one
    waiting: dict[str, StoredRequest] = {}
    for subject_type, by_key in asked.items():
        waiting |= _request(subject_type, by_key, unit_of_work)
    return waiting


def _request(
    subject_type: str, by_key: Mapping[str, ApprovalRequest], unit_of_work: UnitOfWork
) -> dict[str, StoredRequest]:
    approvals, now = unit_of_work.approvals, unit_of_work.effective_at
    keys = sorted(by_key)
    pending = approvals.pending(subject_type, keys)
    numbers = approvals.numbers(subject_type, keys)
    new: list[StoredRequest] = []
    superseded: list[str] = []
    waiting: dict[str, StoredRequest] = {}
    for key in keys:
        asked = by_key[key]
        policy = subject_policy(unit_of_work.policies, subject_type, asked.region, asked.brand)
        before = pending.get(key)
        if before is not None and before.content_hash == content_hash(asked):
            waiting[key] = before
            continue
        if before is not None:
            superseded.append(before.approval_id)
        if is_needed(asked, policy):
            number = numbers.get(key, 0) + 1
            waiting[key] = _stored(asked, policy, number, unit_of_work)
            new.append(waiting[key])
        else:
            _let_in(asked.source, asked.event, asked.requested_by, "", key, unit_of_work)
    approvals.end(superseded, "void", "something else is asked about the same subject", now)
    approvals.add(new)
    unit_of_work.notify(_wanted(one, 1) for one in new)
    return waiting


def _wanted(found: StoredRequest, tier: int) -> Notice:
    """Tell those who may consent to it now, by their role."""
    role = decoded_tiers(found)[tier - 1].role
    words = {
        "subject_type": found.subject_type.replace("_", " "),
        "subject_key": found.subject_key,
        "amount": to_text(found.amount),
        "currency_code": found.currency_code,
        "role": role,
        "expires_at": f"{found.expires_at:%Y-%m-%d %H:%M} UTC",
    }
    return Notice(
        Occasion.CONSENT_WANTED,
        found.approval_id,
        str(tier),
        role,
        words,
        found.region,
        found.brand,
        found.requested_at,
    )


def _stored(
    asked: ApprovalRequest, policy: SubjectPolicy, number: int, unit_of_work: UnitOfWork
) -> StoredRequest:
    digest, now = content_hash(asked), unit_of_work.effective_at
    identity = identify("approval", asked.subject_type, asked.subject_key, digest, str(number))
    return StoredRequest(
        str(identity),
        asked.subject_type,
        asked.subject_key,
        number,
        "pending",
        asked.summary,
        asked.source,
        msgspec.json.encode(asked.event).decode(),
        None if asked.denial is None else msgspec.json.encode(asked.denial).decode(),
        digest,
        asked.amount,
        asked.currency_code,
        asked.region,
        asked.brand,
        asked.requested_by,
        list(asked.involved),
        msgspec.json.encode(tiers_of(asked, policy)).decode(),
        1,
        unit_of_work.policies.policy_hash("approvals"),
        now,
        now + timedelta(hours=policy.expires_after_hours),
    )


def withdraw(subject_type: str, keys: Sequence[str], reason: str, unit_of_work: UnitOfWork) -> None:
    """Nothing is to be decided about these subjects any more."""
    pending = unit_of_work.approvals.pending(subject_type, keys)
    ids = [one.approval_id for one in pending.values()]
    unit_of_work.approvals.end(ids, "void", reason, unit_of_work.effective_at)


def decide(
    approval_id: str,
    person: Person,
    decision: str,
    reason: str,
    unit_of_work: UnitOfWork,
    shown_hash: str | None = None,
) -> str:
    """Take one person's word; the last one that was waited for lets the event in.

    Args:
        approval_id: Of the request.
        person: Who was authenticated.
        decision: ``approved`` or ``denied``; one denial is enough.
        reason: In their words.
        unit_of_work: The transaction.
        shown_hash: Of the content that they were shown, if they say so.

    Returns:
        The status of the request from now on.

    Raises:
        BadInput: If there is no such request, it has ended, its content is another, or the person
            may not decide about it.
    """
    approvals, now = unit_of_work.approvals, unit_of_work.effective_at
    found = approvals.lock(approval_id)
    if found is None:
        raise BadInput(f"there is no approval {approval_id}")
    if found.status != "pending":
        raise BadInput(f"approval {approval_id} is {found.status} already")
    if now >= found.expires_at:
        raise BadInput(f"approval {approval_id} expired on {found.expires_at:%Y-%m-%d %H:%M} UTC")
    if shown_hash is not None and shown_hash != found.content_hash:
        raise BadInput(f"approval {approval_id} is about another content than {shown_hash}")
    consents = approvals.consents(approval_id)
    way = way_to_consent(
        person, found, consents, approvals.people(), approvals.delegations(now), now
    )
    said = Consent(found.tier, decision, person.person_id, way)
    approvals.add_consent(found, said, len(consents) + 1, reason, now)
    if decision == "denied":
        return _end(found, "denied", person.person_id, reason, unit_of_work)
    tiers = decoded_tiers(found)
    given = sum(one.tier == found.tier for one in [*consents, said])
    if given < tiers[found.tier - 1].quorum:
        return "pending"
    if found.tier < len(tiers):
        approvals.move_to_tier(approval_id, found.tier + 1)
        unit_of_work.notify([_wanted(found, found.tier + 1)])
        return "pending"
    return _end(found, "approved", person.person_id, reason, unit_of_work)


def expire(unit_of_work: UnitOfWork) -> int:
    """Deny what nobody decided in time; gives how many."""
    expired = unit_of_work.approvals.expired(unit_of_work.effective_at, MOST_AT_ONCE)
    for one in expired:
        _end(one, "expired", NOBODY, "nobody decided in time", unit_of_work)
    return len(expired)


def _end(
    found: StoredRequest, status: str, decided_by: str, reason: str, unit_of_work: UnitOfWork
) -> str:
    """End a request, and let in the event that waited for this end, if one did."""
    unit_of_work.approvals.end([found.approval_id], status, reason, unit_of_work.effective_at)
    event = found.event if status == "approved" else found.denial
    if event is not None:
        waited = msgspec.json.decode(event)
        _let_in(found.source, waited, decided_by, reason, found.approval_id, unit_of_work)
    return status


def _let_in(
    source: str,
    event: Mapping[str, Any],
    decided_by: str,
    reason: str,
    decided_as: str,
    unit_of_work: UnitOfWork,
) -> None:
    """Bring an event through the door; one about a decision is told when and by whom it was made.

    What was true before anybody was asked, such as a count, has its own time.
    """
    now = unit_of_work.effective_at
    words: dict[str, str] = {}
    if str(event["type"]) in _OF_DECISIONS:
        words = {"decided_by": decided_by, **({"reason": reason} if reason else {})}
    told = {
        **event,
        "id": str(identify("decided", str(event["type"]), decided_as, now.isoformat())),
        "time": event.get("time", now),
        "data": {**event["data"], **words},
    }
    unit_of_work.approvals.admit(source, [told])


def delegate(delegation: Delegation, reason: str, unit_of_work: UnitOfWork) -> None:
    """Let one person decide in another's place, never above what the other may decide.

    Raises:
        BadInput: If either is nobody, the dates are over, or the amount is above the delegator's.
    """
    approvals, now = unit_of_work.approvals, unit_of_work.effective_at
    people = approvals.people()
    for name in (delegation.delegator, delegation.delegate):
        if name not in people or not people[name].is_active:
            raise BadInput(f"nobody here is called {name}")
    if delegation.delegator == delegation.delegate:
        raise BadInput("nobody stands in for themselves")
    if delegation.valid_until <= max(delegation.valid_from, now):
        raise BadInput("the delegation would be over before it begins")
    subjects = approvals_policy(unit_of_work.policies.resolve("approvals", "", "")).subjects
    kinds = list(subjects) if delegation.subject_type == "*" else [delegation.subject_type]
    giver, held = people[delegation.delegator], approvals.delegations(now)
    limits = []
    for kind in kinds:
        policy = subject_policy(unit_of_work.policies, kind, "", "")
        limits.append(highest_amount(giver, kind, policy, held))
    # Of several kinds the highest counts: each is held to its own tier when it is decided.
    if None not in limits:
        most = max(limit for limit in limits if limit is not None)
        if most < 0:
            raise BadInput(
                f"{delegation.delegator} may decide nothing of {delegation.subject_type}"
            )
        if delegation.up_to_amount > most:
            raise BadInput(
                f"{delegation.delegator} may decide up to {to_text(most)} and delegates"
                f" {to_text(delegation.up_to_amount)}"
            )
    approvals.add_delegation(delegation, reason, now)
