"""How people stop a case's time, let it run on, and give the case to somebody else.

The ledger says what was used up until then; the due time follows from what is left. Working time
that passes while a case is paused is nobody's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from assets.commerce.working_time import instants_of, seconds_of
from assets.errors import BadInput
from assets.exception_routing.catalogue import Catalogue, catalogue_of
from assets.exception_routing.escalation import rung_times
from assets.ports import RunningCase, ServiceTime, UnitOfWork


def pause(case_id: str, actor: str, reason: str, unit_of_work: UnitOfWork) -> None:
    """Stop a case's time while somebody outside is waited for.

    Raises:
        BadInput: If no such case is open, or its time stands still already.
    """
    case = _open(case_id, unit_of_work)
    if case.is_paused:
        raise BadInput(f"the time of case {case_id} stands still already")
    stopped = _used_up(case, unit_of_work)
    _enter("paused", stopped, None, actor, reason, unit_of_work)
    unit_of_work.cases.put_times(
        [
            ServiceTime(
                case.case_id,
                case.owner,
                case.assigned_to,
                case.calendar,
                case.due_at,
                case.next_rung,
                None,
                unit_of_work.effective_at,
                reason,
            )
        ]
    )


def resume(case_id: str, actor: str, reason: str, unit_of_work: UnitOfWork) -> datetime:
    """Let a case's time run on; gives when it is due now.

    Raises:
        BadInput: If no such case is open, or its time is running.
    """
    case = _open(case_id, unit_of_work)
    if not case.is_paused:
        raise BadInput(f"the time of case {case_id} is running")
    return _run_on("resumed", case, actor, reason, unit_of_work)


def assign(
    case_id: str,
    queue: str | None,
    person: str | None,
    actor: str,
    reason: str,
    unit_of_work: UnitOfWork,
) -> datetime:
    """Give a case to a queue, a person, or both; its time goes on by the queue's calendar.

    Returns:
        When it is due now.

    Raises:
        BadInput: If no such case is open, its time stands still, or the queue is none.
    """
    case = _open(case_id, unit_of_work)
    if case.is_paused:
        raise BadInput(f"the time of case {case_id} stands still; let it run on first")
    catalogue = _catalogue(case, unit_of_work)
    if queue is not None and queue not in catalogue.owners.queues:
        raise BadInput(f"{queue} is no queue; there are {', '.join(catalogue.owners.queues)}")
    owner = queue or case.owner
    given = replace(
        _used_up(case, unit_of_work),
        owner=owner,
        assigned_to=person,
        calendar=catalogue.calendar_of(owner),
    )
    return _run_on("moved", given, actor, reason, unit_of_work)


def _open(case_id: str, unit_of_work: UnitOfWork) -> RunningCase:
    found = unit_of_work.cases.running([case_id])
    if not found:
        raise BadInput(f"no case {case_id} is open")
    return found[0]


def _catalogue(case: RunningCase, unit_of_work: UnitOfWork) -> Catalogue:
    return catalogue_of(unit_of_work.policies, case.region, case.brand)


def _used_up(case: RunningCase, unit_of_work: UnitOfWork) -> RunningCase:
    """The case with what is used up of its time by now."""
    now = unit_of_work.effective_at
    work = _catalogue(case, unit_of_work).working_time(case.calendar)
    (more,) = work.consumed(seconds_of([case.running_since]), seconds_of([now]))
    return replace(case, consumed_seconds=case.consumed_seconds + int(more), running_since=now)


def _run_on(
    kind: str, case: RunningCase, actor: str, reason: str, unit_of_work: UnitOfWork
) -> datetime:
    """Write that a case's time runs from now on, with what is left of it."""
    now = unit_of_work.effective_at
    running = replace(case, running_since=now)
    catalogue = _catalogue(case, unit_of_work)
    left = np.array([max(0, case.budget_seconds - case.consumed_seconds)])
    work = catalogue.working_time(case.calendar)
    (due_at,) = instants_of(work.due(seconds_of([now]), left))
    _enter(kind, running, due_at, actor, reason, unit_of_work)
    (rungs,) = rung_times([running], catalogue)
    next_at = rungs[case.next_rung] if case.next_rung < len(rungs) else None
    time = ServiceTime(
        case.case_id,
        case.owner,
        case.assigned_to,
        case.calendar,
        due_at,
        case.next_rung,
        next_at,
        None,
        None,
    )
    unit_of_work.cases.put_times([time])
    return due_at


def _enter(
    kind: str,
    case: RunningCase,
    due_at: datetime | None,
    actor: str,
    reason: str,
    unit_of_work: UnitOfWork,
) -> None:
    unit_of_work.append(
        "service_level_movement",
        {
            "case_id": [case.case_id],
            "cycle": [case.cycle],
            "movement_number": [case.movement_number + 1],
            "kind": [kind],
            "calendar": [case.calendar],
            "budget_seconds": [case.budget_seconds],
            "consumed_seconds": [case.consumed_seconds],
            "due_at": [due_at],
            "reason": [reason],
            "actor": [actor],
            "occurred_at": [unit_of_work.effective_at],
        },
    )
