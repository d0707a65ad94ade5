"""Routes cases: in the transaction that opened them, or in one that finds them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from assets.commerce.working_time import Seconds, WorkingTime, instants_of, seconds_of
from assets.exception_routing.catalogue import Catalogue, catalogue_of
from assets.exception_routing.policy import ServiceLevel
from assets.exception_routing.rules import Assignment, assign, words_of
from assets.notifications.service import policy_of
from assets.ports import (
    SEVERITIES,
    CaseRoute,
    Notice,
    Occasion,
    Playbook,
    PolicyBook,
    UnitOfWork,
    UnroutedCase,
)

#: Who does what no person did, in the ledger.
ROUTING = "exception_routing"
MOST_AT_ONCE = 5_000


def route(unit_of_work: UnitOfWork) -> int:
    """Give every case that is nobody's an owner, a due time and a first rung.

    Returns:
        How many cases were routed, at most `MOST_AT_ONCE`.
    """
    cases = unit_of_work.cases.unrouted(MOST_AT_ONCE)
    if not cases:
        return 0
    routes = _routes(cases, unit_of_work.policies)
    unit_of_work.cases.put_routes(routes, unit_of_work.effective_at)
    unit_of_work.append(
        "service_level_movement",
        {
            "case_id": [case.case_id for case in cases],
            "cycle": [case.cycle for case in cases],
            "movement_number": [1] * len(cases),
            "kind": ["started"] * len(cases),
            "calendar": [one.calendar for one in routes],
            "budget_seconds": [one.budget_seconds for one in routes],
            "consumed_seconds": [0] * len(cases),
            "due_at": [one.due_at for one in routes],
            "reason": [None] * len(cases),
            "actor": [ROUTING] * len(cases),
            "occurred_at": [case.since for case in cases],
        },
    )
    unit_of_work.notify(_urgent(cases, routes, unit_of_work.policies))
    return len(cases)


def _urgent(
    cases: Sequence[UnroutedCase], routes: Sequence[CaseRoute], policies: PolicyBook
) -> Iterator[Notice]:
    """What owners are told of at once; the rest they find in their queue."""
    for case, one in zip(cases, routes, strict=True):
        least = policy_of(policies, case.region, case.brand).routed_from_severity
        if SEVERITIES.index(one.severity) < SEVERITIES.index(least):
            continue
        words = words_of(case, one.severity, one.owner, one.due_at)
        yield Notice(
            Occasion.CASE_ROUTED,
            case.case_id,
            str(case.cycle),
            one.owner,
            words | {"service_level": one.service_level},
            case.region,
            case.brand,
            case.since,
        )


def _routes(cases: Sequence[UnroutedCase], policies: PolicyBook) -> list[CaseRoute]:
    """The route of each case, in their order."""
    catalogues: dict[tuple[str, str], Catalogue] = {}
    routes: dict[int, CaseRoute] = {}
    together: dict[tuple[tuple[str, str], str, str], list[tuple[int, Assignment]]]
    together = defaultdict(list)
    for position, case in enumerate(cases):
        scope = case.region, case.brand
        if scope not in catalogues:
            catalogues[scope] = catalogue_of(policies, *scope)
        one = assign(case, catalogues[scope])
        together[scope, one.calendar, one.service_level].append((position, one))
    for (scope, calendar, level), alike in together.items():
        catalogue = catalogues[scope]
        work = catalogue.working_time(calendar)
        since = [cases[position].since for position, _ in alike]
        starts = seconds_of(since)
        budgets = _budgets(work, catalogue.service_levels.levels[level], since, starts)
        first = catalogue.service_levels.ladder[0].at_percent_of_time
        due = instants_of(work.due(starts, budgets))
        rung = instants_of(work.due(starts, budgets * first // 100))
        for (position, one), budget, due_at, rung_at in zip(
            alike, budgets.tolist(), due, rung, strict=True
        ):
            routes[position] = CaseRoute(
                cases[position].case_id,
                one.owner,
                one.severity,
                one.handling_minutes,
                one.delay_cost_per_hour,
                one.service_level,
                one.calendar,
                budget,
                due_at,
                rung_at,
                one.playbook,
                _first_action(one.playbook, cases[position].since, catalogue),
                catalogue.policy_hash,
            )
    return [routes[position] for position in range(len(cases))]


def _first_action(
    playbook: Playbook | None, since: datetime, catalogue: Catalogue
) -> datetime | None:
    if playbook is None:
        return None
    return since + timedelta(minutes=catalogue.playbooks.playbooks[playbook].at_minutes[0])


def _budgets(
    work: WorkingTime, level: ServiceLevel, since: Sequence[datetime], starts: Seconds
) -> Seconds:
    """Working seconds that each case has; of working days those until the same time of day."""
    if level.working_minutes is not None:
        return np.full(len(starts), level.working_minutes * 60, np.int64)
    days = level.working_days or 0
    ends = seconds_of([work.same_time_on_working_day(start, days) for start in since])
    return np.maximum(work.consumed(starts, ends), 1)
