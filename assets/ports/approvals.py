"""What needs consent: an event that waits before the door, who may consent, and who has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """Something that is to happen if it is approved.

    Attributes:
        subject_type: Which of the house's rules it falls under.
        subject_key: Of what, as people name it; one request of a subject waits at a time.
        summary: In a sentence.
        source: Who sends the event, for the door.
        event: The event without its id and time; ``decided_by`` and ``reason`` of its data are
            filled in by whoever decides last.
        denial: The event of a denial, if anything is to happen then.
        amount: In ten-thousandths of ``currency_code``; never negative.
        requested_by: A person, or ``policy:NAME`` where a rule asks.
        involved: Whoever edited it or gains by it; they decide nothing of it.
        attributes: What else the rules may ask: a category, a supplier's risk.
    """

    subject_type: str
    subject_key: str
    summary: str
    source: str
    event: Mapping[str, Any]
    amount: int
    currency_code: str
    region: str
    brand: str
    requested_by: str
    denial: Mapping[str, Any] | None = None
    involved: Sequence[str] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as it is stored.

    Attributes:
        event: JSON, as is ``denial`` and ``tiers``.
        tier: The one whose consent is waited for, from 1.
    """

    approval_id: str
    subject_type: str
    subject_key: str
    request_number: int
    status: str
    summary: str
    source: str
    event: str
    denial: str | None
    content_hash: str
    amount: int
    currency_code: str
    region: str
    brand: str
    requested_by: str
    involved: list[str]
    tiers: str
    tier: int
    policy_hash: str
    requested_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """One person's word on a request; ``on_behalf_of`` leads from the role's holder to them."""

    tier: int
    decision: str
    person_id: str
    on_behalf_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may act."""

    person_id: str
    roles: frozenset[str]
    queues: frozenset[str]
    is_active: bool
    absent_from: datetime | None
    absent_until: datetime | None
    deputy: str | None

    def is_away(self, at: datetime) -> bool:
        """Whether they are out of office."""
        if self.absent_from is None or self.absent_until is None:
            return False
        return self.absent_from <= at < self.absent_until


@dataclass(frozen=True, slots=True)
class Delegation:
    """That one person may decide in another's place, up to an amount (ten-thousandths).

    Attributes:
        subject_type: Of what; ``*`` of everything.
    """

    delegator: str
    delegate: str
    subject_type: str
    up_to_amount: int
    valid_from: datetime
    valid_until: datetime

    def covers(self, subject_type: str, amount: int, at: datetime) -> bool:
        """Whether it holds for a subject of that amount at an instant."""
        is_meant = self.subject_type in ("*", subject_type)
        return is_meant and amount <= self.up_to_amount and self.valid_from <= at < self.valid_until


class Approvals(Protocol):
    """Requests, consents and delegations, within one transaction."""

    def pending(self, subject_type: str, keys: Sequence[str]) -> dict[str, StoredRequest]:
        """What waits of these subjects, by key; locked until the transaction ends."""
        ...

    def numbers(self, subject_type: str, keys: Sequence[str]) -> dict[str, int]:
        """How often each of these subjects was asked about before."""
        ...

    def lock(self, approval_id: str) -> StoredRequest | None:
        """One request, locked until the transaction ends."""
        ...

    def consents(self, approval_id: str) -> list[Consent]:
        """What was said of a request, in order."""
        ...

    def add(self, requests: Sequence[StoredRequest]) -> None: ...
    def add_consent(
        self, request: StoredRequest, consent: Consent, number: int, reason: str, at: datetime
    ) -> None: ...
    def move_to_tier(self, approval_id: str, tier: int) -> None: ...
    def end(self, approval_ids: Sequence[str], status: str, reason: str, at: datetime) -> None: ...
    def expired(self, at: datetime, limit: int) -> list[StoredRequest]:
        """What nobody decided in time, locked; without what another worker holds."""
        ...

    def people(self) -> dict[str, Person]:
        """Everybody, by id."""
        ...

    def delegations(self, at: datetime) -> list[Delegation]:
        """Those that hold at an instant."""
        ...

    def add_delegation(self, delegation: Delegation, reason: str, at: datetime) -> None: ...
    def admit(self, source: str, events: Sequence[Mapping[str, Any]]) -> None:
        """Bring events through the door; they are in when the transaction is.

        Raises:
            ContractViolation: If one of them is not let in; nothing of the transaction is stored.
        """
        ...
