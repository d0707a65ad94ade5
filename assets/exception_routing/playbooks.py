"""What is done about cases without a person: when, how often, for how much, and what came of it.

A run acts on a batch of cases of one playbook in one transaction. What it did to a case is a row
of `playbook_action` with the key (case, cycle, action): two runs at once take different cases, and
one that dies has done nothing. What partners are told goes through the outbox under an id that
follows from that key, so that an action that is tried again has effect once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from assets.commerce.money import to_ten_thousandths
from assets.exception_routing.catalogue import Catalogue, catalogue_of
from assets.exception_routing.rules import words_of
from assets.ports import (
    Action,
    Notice,
    Occasion,
    Outcome,
    Playbook,
    RunningCase,
    StartedBy,
    TroubledCase,
    UnitOfWork,
)

#: Of one transaction.
MOST_AT_ONCE = 500
#: After these a playbook does no more about a case, and its owner hears of it.
_STOPS = frozenset({Outcome.OVER_CAP, Outcome.FAILED})


def act(
    playbook: Playbook,
    remedy: Callable[[Sequence[TroubledCase]], Mapping[str, Outcome]],
    started_by: StartedBy,
    unit_of_work: UnitOfWork,
    *,
    case_ids: Sequence[str] | None = None,
    at_most: int = MOST_AT_ONCE,
) -> list[Action]:
    """Act on cases whose next action is due, or on these; gives what was done about each.

    Args:
        playbook: Which one.
        remedy: What it does in this transaction; gives what came of it by case id.
        started_by: By whom.
        unit_of_work: The transaction.
        case_ids: These, whenever their next action is due.
        at_most: So many cases.
    """
    now = unit_of_work.effective_at
    cases = unit_of_work.cases.awaiting_action(playbook, now, at_most, case_ids)
    if not cases:
        return []
    affordable, too_dear = _within_caps(playbook, cases, unit_of_work)
    came = dict(remedy(affordable)) if affordable else {}
    came |= dict.fromkeys((case.case_id for case in too_dear), Outcome.OVER_CAP)
    return _record(playbook, cases, came, started_by, unit_of_work)


def _within_caps(
    playbook: Playbook, cases: Sequence[TroubledCase], unit_of_work: UnitOfWork
) -> tuple[list[TroubledCase], list[TroubledCase]]:
    """Cases whose next action stays within what it may cost, and those where it would not."""
    day = unit_of_work.effective_at - timedelta(days=1)
    spent = unit_of_work.cases.spent_on(playbook, day)
    affordable: list[TroubledCase] = []
    too_dear: list[TroubledCase] = []
    for case in cases:
        policy = _catalogue(case, unit_of_work).playbooks.playbooks[playbook]
        cost = to_ten_thousandths(policy.cost_per_action)
        per_case = to_ten_thousandths(policy.most_cost_per_case)
        if case.spent + cost > per_case or spent + cost > to_ten_thousandths(
            policy.most_cost_per_day
        ):
            too_dear.append(case)
        else:
            spent += cost
            affordable.append(case)
    return affordable, too_dear


def _record(
    playbook: Playbook,
    cases: Sequence[TroubledCase],
    came: dict[str, Outcome],
    started_by: StartedBy,
    unit_of_work: UnitOfWork,
) -> list[Action]:
    """Keep what came of each case, when it is acted on next, and tell owners where it stops."""
    now = unit_of_work.effective_at
    actions = [_action(playbook, case, came[case.case_id], now, unit_of_work) for case in cases]
    unit_of_work.append(
        "playbook_action",
        {
            "case_id": [one.case.case_id for one in actions],
            "cycle": [one.case.cycle for one in actions],
            "action_number": [one.case.action_number for one in actions],
            "playbook": [playbook] * len(actions),
            "outcome": [one.outcome for one in actions],
            "cost": [one.cost for one in actions],
            "run_id": [started_by.run_id] * len(actions),
            "actor": [started_by.actor] * len(actions),
            "policy_hash": [unit_of_work.policies.policy_hash("playbooks")] * len(actions),
            "occurred_at": [now] * len(actions),
        },
    )
    unit_of_work.cases.put_actions(actions)
    stopped = [one for one in actions if one.outcome in _STOPS]
    if stopped:
        unit_of_work.notify(_notices(playbook, stopped, unit_of_work))
    return actions


def _action(
    playbook: Playbook,
    case: TroubledCase,
    outcome: Outcome,
    now: datetime,
    unit_of_work: UnitOfWork,
) -> Action:
    policy = _catalogue(case, unit_of_work).playbooks.playbooks[playbook]
    cost = to_ten_thousandths(policy.cost_per_action) if outcome == Outcome.DONE else 0
    at, number = policy.at_minutes, case.action_number
    if outcome in _STOPS or number >= len(at):
        return Action(case, outcome, cost, None)
    # The distance between two actions is kept where the first was late.
    return Action(case, outcome, cost, now + timedelta(minutes=at[number] - at[number - 1]))


def _notices(
    playbook: Playbook, stopped: Sequence[Action], unit_of_work: UnitOfWork
) -> Iterator[Notice]:
    by_id = {one.case.case_id: one for one in stopped}
    running: list[RunningCase] = unit_of_work.cases.running(list(by_id))
    for case in running:
        action = by_id[case.case_id]
        words = words_of(case, case.severity, case.owner, case.due_at) | {
            "playbook": playbook.replace("_", " "),
            "outcome": action.outcome.replace("_", " "),
        }
        yield Notice(
            Occasion.PLAYBOOK_STOPPED,
            case.case_id,
            f"{case.cycle}/{action.case.action_number}",
            case.owner,
            words,
            case.region,
            case.brand,
            unit_of_work.effective_at,
        )


def _catalogue(case: TroubledCase, unit_of_work: UnitOfWork) -> Catalogue:
    return catalogue_of(unit_of_work.policies, case.region, case.brand)
