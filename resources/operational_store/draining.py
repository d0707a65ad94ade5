"""What a drain takes of the inbox, and the count of what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from assets.ports import InboxEvent
from resources.operational_store.unit_of_work import SqlUnitOfWork


@dataclass(frozen=True)
class Claim:
    """What a drain takes: a consumer's events of until then, all of them or only some."""

    consumer: str
    until: datetime
    among: Sequence[int] | None

    def take(self, unit_of_work: SqlUnitOfWork, limit: int) -> list[InboxEvent]:
        """The next of them, locked."""
        return unit_of_work.inbox.claim(self.consumer, self.until, limit, self.among)


@dataclass
class DrainTally:
    """What a drain did; ``rows`` counts the facts that it appended, by table."""

    applied: int = 0
    waiting: int = 0
    quarantined: int = 0
    cases: int = 0
    commands: int = 0
    batches: int = 0
    rows: Counter[str] = field(default_factory=Counter)

    def add(self, unit_of_work: SqlUnitOfWork) -> None:
        """Count one batch in."""
        applied, waiting, quarantined = unit_of_work.inbox.tally
        self.applied += applied
        self.waiting += waiting
        self.quarantined += quarantined
        self.cases += unit_of_work.cases_opened
        self.commands += unit_of_work.commands_sent
        self.batches += 1
        self.rows += unit_of_work.rows

    def __add__(self, other: DrainTally) -> DrainTally:
        """The sum of two tallies."""
        return DrainTally(
            self.applied + other.applied,
            self.waiting + other.waiting,
            self.quarantined + other.quarantined,
            self.cases + other.cases,
            self.commands + other.commands,
            self.batches + other.batches,
            self.rows + other.rows,
        )
