"""What the house says of cases: whose and how urgent they are, by when, and what is done first.

Four policies, because four people answer for them: who owns what (``owners``), what a case of a
type is (``exceptions``), what a service level is (``service_levels``), and what is done without a
person, when and for how much (``playbooks``).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assets.commerce.money import to_ten_thousandths
from assets.commerce.working_time import WorkingCalendar
from assets.decisions.typed_policy import Amount, Name, policy_reader
from assets.ports import Playbook, Severity

Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]


class Queue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A team, and the cases that are its own.

    Attributes:
        lead: Who is asked when the team is late; a person of the directory.
        area_owner: Who is asked when the lead is late too.
        case_types: Of which it is the owner, unless a route says otherwise.
    """

    lead: Name
    area_owner: Name
    case_types: list[Name] = []


class OwnersPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who owns what.

    Attributes:
        queues: By name.
        case_types_of_who_brought_them: Those that go to the team whose contract, command or gate
            it is.
        executive_on_call: Who hears of late cases about much money.
    """

    queues: dict[Name, Queue]
    case_types_of_who_brought_them: list[Name]
    executive_on_call: Name


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must be so for a route to be taken; all of what is said, and what is not said is free.

    Attributes:
        channels: One of these.
        value_at_least_by_currency: As much or more is at risk, in its own currency.
        promised_within_days: The promised day is so near, or over (days from when it opened).
    """

    channels: list[str] = []
    value_at_least_by_currency: dict[str, Amount] = {}
    promised_within_days: int | None = None

    def __post_init__(self) -> None:
        said = self.channels or self.value_at_least_by_currency
        if not said and self.promised_within_days is None:
            raise ValueError("a route needs a condition; what always holds is the type's own")


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a case goes instead, under a condition; what is not said stays the type's."""

    when: Condition
    queue: Name | None = None
    severity: Severity | None = None
    service_level: Name | None = None


class TypePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a case of a type is, in one region and brand.

    Attributes:
        handling_minutes: What one usually takes.
        delay_cost_per_hour: Of one case, whatever its value (the house's currency).
        delay_cost_basis_points_per_hour: Of the value at risk.
        routes: Exceptions; the first whose condition holds is taken.
        playbook: What is done about it without a person, if anything is.
    """

    severity: Severity
    service_level: Name
    handling_minutes: Positive
    delay_cost_per_hour: Amount
    delay_cost_basis_points_per_hour: Count
    routes: list[Route] = []
    playbook: Playbook | None = None

    def cost_of_delay(self, value_at_risk: int | None) -> int:
        """What an hour more costs (ten-thousandths of the house's currency), rounded down.

        A value in another currency counts at par: it orders a queue and books nothing.
        """
        share = (value_at_risk or 0) * self.delay_cost_basis_points_per_hour // 10_000
        return to_ten_thousandths(self.delay_cost_per_hour) + share


class QueueOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which order a team is shown its cases.

    Attributes:
        by: What delay costs a minute of handling, or, while a system is away and everything is
            late, what was promised first and then what is worth most.
        oldest_every_cases: One of so many is the oldest, whatever it costs, so that none starves.
    """

    by: Literal["delay_cost", "commitment"]
    oldest_every_cases: Annotated[int, Meta(ge=2)]


class ExceptionsPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a case of each type is, and which is seen to first."""

    queue_order: QueueOrder
    types: dict[Name, TypePolicy]


class ServiceLevel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a case may take: working minutes, or working days.

    A working day ends at the time of day at which it began, on the next day that is one.
    """

    working_minutes: Positive | None = None
    working_days: Positive | None = None

    def __post_init__(self) -> None:
        if (self.working_minutes is None) == (self.working_days is None):
            raise ValueError("a service level is either working_minutes or working_days")


class Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of the ladder, taken when so much of the time is used up.

    Attributes:
        tell: Who hears of it.
        assign_to: Whose the case is from then on.
        from_value_by_currency: Only where as much or more is at risk.
    """

    at_percent_of_time: Positive
    tell: list[Literal["owner", "lead", "area_owner", "executive_on_call"]]
    assign_to: Literal["lead", "area_owner"] | None = None
    is_breach: bool = False
    from_value_by_currency: dict[str, Amount] = {}


class ServiceLevelsPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calendars, service levels and the ladder.

    Attributes:
        calendar_by_queue: Name of the calendar by which a queue works; ``*`` for the others.
        ladder: In ascending order; exactly one rung is the breach.
    """

    calendars: dict[Name, WorkingCalendar]
    calendar_by_queue: dict[str, Name]
    levels: dict[Name, ServiceLevel]
    ladder: list[Rung]

    def __post_init__(self) -> None:
        if "*" not in self.calendar_by_queue:
            raise ValueError("calendar_by_queue has no calendar for a queue that is not named")
        for queue, calendar in self.calendar_by_queue.items():
            if calendar not in self.calendars:
                raise ValueError(f"calendar_by_queue sets {queue} to {calendar}, which is none")
        at = [rung.at_percent_of_time for rung in self.ladder]
        if at != sorted(set(at)):
            raise ValueError("the rungs of the ladder must ascend")
        if [rung.at_percent_of_time for rung in self.ladder if rung.is_breach] != [100]:
            raise ValueError("the ladder needs one breach, at 100 percent of the time")


class PlaybookPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a playbook acts, and how much it may cost.

    Attributes:
        at_minutes: After a case opened, of each action; ascending.
        cost_per_action: In the house's currency, as are the caps; no action goes beyond one.
    """

    at_minutes: list[Count]
    cost_per_action: Amount
    most_cost_per_case: Amount
    most_cost_per_day: Amount

    def __post_init__(self) -> None:
        if not self.at_minutes or self.at_minutes != sorted(set(self.at_minutes)):
            raise ValueError("at_minutes must ascend, and name one minute at least")
        cost = to_ten_thousandths(self.cost_per_action)
        if cost * len(self.at_minutes) > to_ten_thousandths(self.most_cost_per_case):
            raise ValueError("most_cost_per_case does not cover the actions of one case")
        if cost > to_ten_thousandths(self.most_cost_per_day):
            raise ValueError("most_cost_per_day does not cover one action")


class PlaybooksPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done about cases without a person."""

    playbooks: dict[Playbook, PlaybookPolicy]

    def __post_init__(self) -> None:
        missing = set(Playbook) - self.playbooks.keys()
        if missing:
            raise ValueError(f"playbooks has no word of {', '.join(sorted(missing))}")


#: The typed policies, from their values.
owners_policy = policy_reader("owners", OwnersPolicy)
exceptions_policy = policy_reader("exceptions", ExceptionsPolicy)
service_levels_policy = policy_reader("service_levels", ServiceLevelsPolicy)
playbooks_policy = policy_reader("playbooks", PlaybooksPolicy)
