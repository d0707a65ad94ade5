"""The policies of cases as one thing, in a region and brand, and what must agree in them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from assets.commerce.money import to_ten_thousandths
from assets.commerce.working_time import WorkingTime
from assets.errors import PolicyError
from assets.exception_routing.policy import (
    ExceptionsPolicy,
    OwnersPolicy,
    PlaybooksPolicy,
    ServiceLevelsPolicy,
    TypePolicy,
    exceptions_policy,
    owners_policy,
    playbooks_policy,
    service_levels_policy,
)
from assets.ports import CaseType, PolicyBook

POLICIES = ("owners", "exceptions", "service_levels", "playbooks")


@dataclass(frozen=True)
class Catalogue:
    """What the house says of cases in one region and brand.

    Attributes:
        policy_hash: Of these policies, whatever the region and brand.
    """

    owners: OwnersPolicy
    exceptions: ExceptionsPolicy
    service_levels: ServiceLevelsPolicy
    playbooks: PlaybooksPolicy
    policy_hash: str
    _times: dict[str, WorkingTime] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def resolved(cls, policies: PolicyBook, region: str, brand: str) -> Catalogue:
        """The catalogue of a region and brand.

        Raises:
            PolicyError: If the policies contradict each other.
        """
        owners, exceptions, levels, playbooks = (
            policies.resolve(name, region, brand) for name in POLICIES
        )
        hashes = "/".join(policies.policy_hash(name) for name in POLICIES)
        catalogue = cls(
            owners_policy(owners),
            exceptions_policy(exceptions),
            service_levels_policy(levels),
            playbooks_policy(playbooks),
            hashlib.sha256(hashes.encode()).hexdigest(),
        )
        for wrong in catalogue.contradictions():
            raise PolicyError(wrong)
        return catalogue

    def owner_of(self, case_type: str, brought_by: str) -> str:
        """The queue of a type of case; of some types it is the team that brought it."""
        if case_type in self.owners.case_types_of_who_brought_them:
            return brought_by
        return next(
            name for name, queue in self.owners.queues.items() if case_type in queue.case_types
        )

    def positions(self, owner: str, who: str) -> list[str]:
        """The position that a rung names, and those above it for when nobody there is present."""
        queue = self.owners.queues[owner]
        levels = {
            "lead": queue.lead,
            "area_owner": queue.area_owner,
            "executive_on_call": self.owners.executive_on_call,
        }
        return list(levels.values())[list(levels).index(who) :]

    def calendar_of(self, queue: str) -> str:
        """The calendar by which a queue works."""
        by_queue = self.service_levels.calendar_by_queue
        return by_queue.get(queue, by_queue["*"])

    def working_time(self, calendar: str) -> WorkingTime:
        """The working time of a calendar, which remembers what it has reckoned."""
        if calendar not in self._times:
            self._times[calendar] = WorkingTime(self.service_levels.calendars[calendar])
        return self._times[calendar]

    def contradictions(self) -> Iterator[str]:
        """What does not agree, in sentences; the first words name the policy."""
        yield from self._wrong_owners()
        known = set(CaseType)
        for stranger in sorted(self.exceptions.types.keys() - known):
            yield f"exceptions: nothing can raise a case of type {stranger}"
        for missing in sorted(known - self.exceptions.types.keys()):
            yield f"exceptions: a case of type {missing} can be raised, and types has no word of it"
        for case_type, policy in self.exceptions.types.items():
            yield from self._wrong_names(case_type, policy)
        for queue in sorted(self.service_levels.calendar_by_queue.keys() - {"*"}):
            if queue not in self.owners.queues:
                yield f"service_levels: calendar_by_queue names {queue}, which is no queue"

    def _wrong_owners(self) -> Iterator[str]:
        owned = Counter(self.owners.case_types_of_who_brought_them)
        for queue in self.owners.queues.values():
            owned.update(queue.case_types)
        for case_type in sorted(CaseType):
            if owned[case_type] != 1:
                yield f"owners: cases of type {case_type} have {owned[case_type]} owners, not one"
        for stranger in sorted(owned.keys() - set(CaseType)):
            yield f"owners: nothing can raise a case of type {stranger}"

    def _wrong_names(self, case_type: str, policy: TypePolicy) -> Iterator[str]:
        levels, queues = self.service_levels.levels, self.owners.queues
        for level in (policy.service_level, *(route.service_level for route in policy.routes)):
            if level is not None and level not in levels:
                yield f"exceptions: {case_type} has the service level {level}, which is none"
        for queue in (route.queue for route in policy.routes):
            if queue is not None and queue not in queues:
                yield f"exceptions: {case_type} has a route to {queue}, which is no queue"


@lru_cache(maxsize=256)
def catalogue_of(policies: PolicyBook, region: str, brand: str) -> Catalogue:
    """The catalogue of a region and brand; a policy book never changes, so it is made once."""
    return Catalogue.resolved(policies, region, brand)


def reaches(value: int | None, currency: str | None, least: dict[str, str]) -> bool:
    """Whether a value (ten-thousandths) is as much as is asked for in its currency.

    Args:
        value: ``None`` where nothing is known to be at risk.
        currency: Of the value.
        least: Amounts by currency, ``*`` for the others.
    """
    amount = least.get(currency or "", least.get("*"))
    return value is not None and amount is not None and value >= to_ten_thousandths(amount)
