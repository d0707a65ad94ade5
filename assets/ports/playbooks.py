"""What is done about a case before a person is asked: by which playbook, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from assets.ports.unit_of_work import UnitOfWork


class Playbook(StrEnum):
    """Every playbook. Which type of case has which, and when it acts, are policies."""

    ASK_SUPPLIER = "ask_supplier"
    CUSTOMER_MESSAGE = "customer_message"
    HOLD = "hold"
    RELEASE_STOCK = "release_stock"
    RE_SOURCE = "re_source"
    RETRY_PAYMENT = "retry_payment"


class Outcome(StrEnum):
    """What came of one action about one case."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    OVER_CAP = "over_cap"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TroubledCase:
    """An open case that a playbook is to act on.

    Attributes:
        action_number: Of its cycle, from 1.
        due_at: When the action was to be taken.
        spent: What earlier actions of the cycle cost (ten-thousandths of the house's currency).
    """

    case_id: str
    cycle: int
    action_number: int
    case_type: str
    business_key: str
    order_id: str | None
    node_id: str | None
    region: str
    brand: str
    channel: str
    due_at: datetime
    spent: int

    @property
    def occasion(self) -> str:
        """What tells this action's commands from all others: with it a partner knows a repeat."""
        return f"{self.case_type}/{self.cycle}/{self.action_number}"


@dataclass(frozen=True, slots=True)
class Action:
    """What a playbook did about a case, as it is kept (cost in ten-thousandths)."""

    case: TroubledCase
    outcome: Outcome
    cost: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class StartedBy:
    """Which run acts, and on whose word: a sensor's, or a person's."""

    run_id: str
    actor: str


class Remedy(Protocol):
    """What one playbook does about cases, in one transaction of the flow that they are of."""

    def __call__(
        self, cases: Sequence[TroubledCase], unit_of_work: UnitOfWork
    ) -> Mapping[str, Outcome]:
        """Act on these cases; gives what came of it by case id."""
        ...
