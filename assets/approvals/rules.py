"""Whose consent is needed, who may give it, and what a request is made of: pure."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from assets.approvals.policy import SubjectPolicy, Tier
from assets.decisions.typed_policy import amount_in
from assets.errors import BadInput
from assets.ports import ApprovalRequest, Consent, Delegation, Person, StoredRequest

_tiers = msgspec.json.Decoder(list[Tier])


def is_needed(request: ApprovalRequest, policy: SubjectPolicy) -> bool:
    """Whether anybody has to consent at all."""
    least = amount_in(request.currency_code, policy.needed_from_amount_by_currency)
    return request.amount >= least


def tiers_of(request: ApprovalRequest, policy: SubjectPolicy) -> list[Tier]:
    """Every tier up to the one that covers the amount, the lowest first."""
    said = request.attributes
    tiers = next(
        (
            variant.tiers
            for variant in policy.variants
            if all(said.get(name) in values for name, values in variant.when.items())
        ),
        policy.tiers,
    )
    asked: list[Tier] = []
    for tier in tiers:
        asked.append(tier)
        limits = tier.up_to_amount_by_currency
        if limits is None or request.amount <= amount_in(request.currency_code, limits):
            break
    return asked


def content_hash(request: ApprovalRequest) -> str:
    """What is approved, in one word: another event, amount or sentence is another content."""
    content = [
        request.subject_type,
        request.subject_key,
        request.summary,
        request.source,
        request.event,
        request.denial,
        request.amount,
        request.currency_code,
    ]
    encoded = msgspec.json.encode(content, order="deterministic")
    return hashlib.sha256(encoded).hexdigest()


def decoded_tiers(request: StoredRequest) -> list[Tier]:
    """The tiers of a request, as they were when it was made."""
    return _tiers.decode(request.tiers)


def way_to_consent(
    person: Person,
    request: StoredRequest,
    consents: Sequence[Consent],
    people: Mapping[str, Person],
    delegations: Collection[Delegation],
    at: datetime,
) -> tuple[str, ...]:
    """By whose right a person may decide now, from the role's holder to the last who delegated.

    Returns:
        Nobody else where they have the role themselves.

    Raises:
        BadInput: If they may not, with the reason.
    """
    barred = {request.requested_by, *request.involved}
    if person.person_id in barred:
        raise BadInput(f"{person.person_id} asked for it, edited it or gains by it")
    counted = {name for one in consents for name in (one.person_id, *one.on_behalf_of)}
    if person.person_id in counted:
        raise BadInput(f"{person.person_id} has decided about it already, or somebody for them")
    role = decoded_tiers(request)[request.tier - 1].role
    if role in person.roles:
        return ()
    ways = _ways_to(person.person_id, role, request, people, delegations, at)
    if not ways:
        raise BadInput(
            f"tier {request.tier} is for {role}, which {person.person_id} is not, nor stands in for"
        )
    free = [way for way in ways if not {*way} & (barred | counted)]
    if not free:
        raise BadInput(
            f"{person.person_id} stands in for somebody who asked for it, edited it, gains by it or"
            " has decided already"
        )
    return free[0]


def _ways_to(
    person_id: str,
    role: str,
    request: StoredRequest,
    people: Mapping[str, Person],
    delegations: Collection[Delegation],
    at: datetime,
) -> list[tuple[str, ...]]:
    """Chains of delegations that end at a person and begin at a holder of a role, short ones first.

    Everybody in a chain is active, and every link holds for the subject, its amount and the time.
    """
    links = [one for one in delegations if one.covers(request.subject_type, request.amount, at)]
    found: list[tuple[str, ...]] = []
    waiting: deque[tuple[str, ...]] = deque([(person_id,)])
    while waiting:
        chain = waiting.popleft()
        for link in links:
            giver = people.get(link.delegator)
            is_next = link.delegate == chain[0] and link.delegator not in chain
            if not is_next or giver is None or not giver.is_active:
                continue
            longer = (link.delegator, *chain)
            if role in giver.roles:
                found.append(longer[:-1])
            else:
                waiting.append(longer)
    return found


def highest_amount(
    person: Person, subject_type: str, policy: SubjectPolicy, delegations: Collection[Delegation]
) -> int | None:
    """Up to which amount (ten-thousandths, currency ``*``) a person may consent at all.

    ``None`` where there is no limit; -1 where they may decide nothing of it.
    """
    highest = -1
    for tiers in (policy.tiers, *(variant.tiers for variant in policy.variants)):
        for tier in tiers:
            if tier.role in person.roles:
                if tier.up_to_amount_by_currency is None:
                    return None
                highest = max(highest, amount_in("*", tier.up_to_amount_by_currency))
    lent = [
        one.up_to_amount
        for one in delegations
        if one.delegate == person.person_id and one.subject_type in ("*", subject_type)
    ]
    return max([highest, *lent])
