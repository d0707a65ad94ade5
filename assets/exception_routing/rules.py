"""Whose a case is and how urgent: pure, from the case and the catalogue.

A case at a time, as a batch has few and each may be of another type, region and brand; what is
arithmetic on times is done by the service, for all cases of one calendar and level at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from assets.commerce.calendar import trading_date
from assets.exception_routing.catalogue import Catalogue, reaches
from assets.exception_routing.policy import Condition
from assets.ports import Person, Playbook, RunningCase, Severity, TroubledCase, UnroutedCase


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whose a case is and how urgent, before any time is reckoned.

    Attributes:
        delay_cost_per_hour: In ten-thousandths of the house's currency.
    """

    owner: str
    severity: Severity
    service_level: str
    calendar: str
    handling_minutes: int
    delay_cost_per_hour: int
    playbook: Playbook | None


def words_of(
    case: UnroutedCase | RunningCase | TroubledCase, severity: str, owner: str, due_at: datetime
) -> dict[str, str]:
    """What people may be told of a case."""
    return {
        "case_type": case.case_type.replace("_", " "),
        "business_key": case.business_key,
        "severity": severity,
        "owner": owner,
        "due_at": f"{due_at:%Y-%m-%d %H:%M} UTC",
    }


def assign(case: UnroutedCase, catalogue: Catalogue) -> Assignment:
    """The first route of the type whose condition holds, else what the type says.

    Raises:
        KeyError: If the catalogue does not know the type; it has been checked to know all.
    """
    policy = catalogue.exceptions.types[case.case_type]
    route = next((one for one in policy.routes if holds(one.when, case, catalogue)), None)
    owner = catalogue.owner_of(case.case_type, case.brought_by)
    severity, level = policy.severity, policy.service_level
    if route is not None:
        owner = route.queue or owner
        severity = route.severity or severity
        level = route.service_level or level
    return Assignment(
        owner,
        severity,
        level,
        catalogue.calendar_of(owner),
        policy.handling_minutes,
        policy.cost_of_delay(case.value_at_risk),
        policy.playbook,
    )


def who_answers(positions: Sequence[str], people: Mapping[str, Person], at: datetime) -> str:
    """Who it is that holds the first of these positions and is there, or stands in for them.

    A level of which nobody is there is skipped. Where the directory knows nobody in any of them,
    the first position itself is named: somebody will know who is meant.

    Args:
        positions: Roles, from the nearest level upwards; at least one.
        people: The directory.
        at: When; who is out of office then, is not there.
    """
    present = {name for name, one in people.items() if one.is_active and not one.is_away(at)}
    for position in positions:
        holders = [people[name] for name in sorted(people) if position in people[name].roles]
        active = [one for one in holders if one.is_active]
        there = [one.person_id for one in active if one.person_id in present]
        deputies = [one.deputy for one in active if one.deputy in present]
        for found in (*there, *deputies):
            if found is not None:
                return found
    return positions[0]


def holds(condition: Condition, case: UnroutedCase, catalogue: Catalogue) -> bool:
    """Whether everything that a condition says is so of a case."""
    if condition.channels and case.channel not in condition.channels:
        return False
    least = condition.value_at_least_by_currency
    if least and not reaches(case.value_at_risk, case.currency_code, least):
        return False
    if condition.promised_within_days is None:
        return True
    return _is_promised_by(case, timedelta(days=condition.promised_within_days), catalogue)


def _is_promised_by(case: UnroutedCase, within: timedelta, catalogue: Catalogue) -> bool:
    """Promises are local days; whose day it is, the owner's calendar says."""
    if case.promised_date is None:
        return False
    owner = catalogue.owner_of(case.case_type, case.brought_by)
    zone = catalogue.service_levels.calendars[catalogue.calendar_of(owner)].zone
    today: date = trading_date(case.since, zone)
    return case.promised_date <= today + within
