"""Runs a playbook over the cases that wait for it, a batch a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import structlog

from assets.errors import EnvironmentProblem, PolicyError
from assets.exception_routing import playbooks
from assets.inventory import holding
from assets.order_to_fulfillment import remedies
from assets.ports import Action, Outcome, Playbook, StartedBy, TroubledCase
from resources.operational_store import holds
from resources.operational_store.unit_of_work import IN_THE_WAY, SqlUnitOfWork

_log = structlog.get_logger(__name__)

Does = Callable[[Sequence[TroubledCase], SqlUnitOfWork], Mapping[str, Outcome]]

#: What each playbook does.
REMEDIES: Mapping[Playbook, Does] = {
    **remedies.REMEDIES,
    Playbook.HOLD: holding.hold,
    Playbook.RELEASE_STOCK: holds.release_stock,
}


def run(
    transaction: Callable[[], AbstractContextManager[SqlUnitOfWork]],
    playbook: Playbook,
    started_by: StartedBy,
    case_ids: Sequence[str] | None,
    most_attempts: int,
) -> list[Action]:
    """Act on all cases that wait for a playbook, or on these; gives what was done.

    A case on which it fails is noted as that and left to its owner; the others go on. What another
    worker was in the way of is tried again.

    Args:
        transaction: Opens one.
        playbook: Which one.
        started_by: By whom.
        case_ids: These, whenever their next action is due; ``None`` for all that wait.
        most_attempts: Of one batch that others are in the way of.
    """
    done: list[Action] = []
    left = case_ids
    does, at_most, attempts = REMEDIES[playbook], playbooks.MOST_AT_ONCE, 1
    while left is None or left:
        try:
            with transaction() as unit_of_work:
                remedy = _bound(does, unit_of_work)
                actions = playbooks.act(
                    playbook, remedy, started_by, unit_of_work, case_ids=left, at_most=at_most
                )
        except (EnvironmentProblem, PolicyError):
            # Not a case's fault: every other one would fail on it too.
            raise
        except IN_THE_WAY:
            if attempts == most_attempts:
                raise
            attempts += 1
            continue
        except Exception as error:
            if does is _fails:
                raise
            if at_most > 1:
                at_most = 1
            else:
                _log.error("playbook_failed", playbook=playbook, error=type(error).__name__)
                does = _fails
            continue
        if not actions:
            break
        done += actions
        does, attempts = REMEDIES[playbook], 1
        if left is not None:
            acted = {one.case.case_id for one in actions}
            left = [case_id for case_id in left if case_id not in acted]
    return done


def _bound(
    does: Does, unit_of_work: SqlUnitOfWork
) -> Callable[[Sequence[TroubledCase]], Mapping[str, Outcome]]:
    return lambda cases: does(cases, unit_of_work)


def _fails(cases: Sequence[TroubledCase], unit_of_work: SqlUnitOfWork) -> dict[str, Outcome]:
    del unit_of_work
    return {case.case_id: Outcome.FAILED for case in cases}
