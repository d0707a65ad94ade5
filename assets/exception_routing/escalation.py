"""What happens when nobody sees to a case in time, and how its time is stopped and given away.

A rung is a row of `case_escalated`: whoever writes it has taken it, in the transaction in which the
case changes hands, so a kill leaves it untaken and a second worker finds it taken. Where time made
a leap, every rung that was passed is taken, in the order of their times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from assets.commerce.working_time import Seconds, instants_of, seconds_of
from assets.exception_routing.catalogue import Catalogue, catalogue_of, reaches
from assets.exception_routing.policy import Rung
from assets.exception_routing.rules import who_answers, words_of
from assets.ports import Notice, Occasion, Person, RunningCase, ServiceTime, UnitOfWork

MOST_AT_ONCE = 5_000


@dataclass(frozen=True)
class Taken:
    """A rung that a case has come to."""

    at: datetime
    case: RunningCase
    number: int
    rung: Rung
    told: tuple[str, ...]
    assigned_to: str | None


def escalate(unit_of_work: UnitOfWork) -> int:
    """Take every rung whose time has come; gives how many."""
    now = unit_of_work.effective_at
    cases = unit_of_work.cases.on_a_rung(now, MOST_AT_ONCE)
    if not cases:
        return 0
    taken: list[Taken] = []
    times: list[ServiceTime] = []
    people = unit_of_work.approvals.people()
    for catalogue, alike in _by_calendar(cases, unit_of_work):
        rungs = rung_times(alike, catalogue)
        for case, at in zip(alike, rungs, strict=True):
            passed, time = _climb(case, at, now, catalogue, people)
            taken += passed
            times.append(time)
    taken.sort(key=lambda one: (one.at, one.case.case_id, one.number))
    _record(taken, unit_of_work)
    unit_of_work.cases.put_times(times)
    return len(taken)


def _by_calendar(
    cases: Sequence[RunningCase], unit_of_work: UnitOfWork
) -> list[tuple[Catalogue, list[RunningCase]]]:
    """Cases of one region, brand and calendar together, with what the house says of them."""
    together: dict[tuple[str, str, str], list[RunningCase]] = defaultdict(list)
    for case in cases:
        together[case.region, case.brand, case.calendar].append(case)
    return [
        (catalogue_of(unit_of_work.policies, region, brand), alike)
        for (region, brand, _), alike in together.items()
    ]


def rung_times(cases: Sequence[RunningCase], catalogue: Catalogue) -> list[list[datetime]]:
    """When each case comes to each rung of the ladder, all by one calendar."""
    ladder = catalogue.service_levels.ladder
    percents = np.array([rung.at_percent_of_time for rung in ladder], np.int64)
    budgets = np.array([case.budget_seconds for case in cases], np.int64)
    consumed = np.array([case.consumed_seconds for case in cases], np.int64)
    left: Seconds = np.maximum(np.outer(budgets, percents) // 100 - consumed[:, None], 0)
    starts = np.repeat(seconds_of([case.running_since for case in cases]), len(ladder))
    work = catalogue.working_time(cases[0].calendar)
    at = instants_of(work.due(starts, left.reshape(-1)))
    return [at[n : n + len(ladder)] for n in range(0, len(at), len(ladder))]


def _climb(
    case: RunningCase,
    at: Sequence[datetime],
    now: datetime,
    catalogue: Catalogue,
    people: Mapping[str, Person],
) -> tuple[list[Taken], ServiceTime]:
    """The rungs that a case has passed by now, and what its time is after them."""
    taken: list[Taken] = []
    assigned_to = case.assigned_to
    number = case.next_rung
    ladder = catalogue.service_levels.ladder
    while number < len(ladder) and at[number] <= now:
        rung = ladder[number]
        least = rung.from_value_by_currency
        if not least or reaches(case.value_at_risk, case.currency_code, least):
            if rung.assign_to is not None:
                above = catalogue.positions(case.owner, rung.assign_to)
                assigned_to = who_answers(above, people, at[number])
            told = tuple(
                case.owner
                if who == "owner"
                else who_answers(catalogue.positions(case.owner, who), people, at[number])
                for who in rung.tell
            )
            taken.append(Taken(at[number], case, number, rung, told, assigned_to))
        number += 1
    time = ServiceTime(
        case.case_id,
        case.owner,
        assigned_to,
        case.calendar,
        case.due_at,
        number,
        at[number] if number < len(ladder) else None,
        None,
        None,
    )
    return taken, time


def _record(taken: Sequence[Taken], unit_of_work: UnitOfWork) -> None:
    if not taken:
        return
    unit_of_work.append(
        "case_escalated",
        {
            "case_id": [one.case.case_id for one in taken],
            "cycle": [one.case.cycle for one in taken],
            "rung": [one.number for one in taken],
            "percent_of_budget": [one.rung.at_percent_of_time for one in taken],
            "told": [list(one.told) for one in taken],
            "assigned_to": [one.assigned_to for one in taken],
            "is_breach": [one.rung.is_breach for one in taken],
            "occurred_at": [one.at for one in taken],
        },
    )
    unit_of_work.notify(_notices(taken))


def _notices(taken: Sequence[Taken]) -> Iterator[Notice]:
    for one in taken:
        case = one.case
        words = words_of(case, case.severity, case.owner, case.due_at) | {
            "percent_of_time": str(one.rung.at_percent_of_time),
            "assigned_to": one.assigned_to or case.owner,
        }
        for recipient in one.told:
            yield Notice(
                Occasion.CASE_ESCALATED,
                case.case_id,
                f"{case.cycle}/{one.number}",
                recipient,
                words,
                case.region,
                case.brand,
                one.at,
            )
