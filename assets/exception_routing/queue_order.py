"""Which case a team sees to first: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from assets.exception_routing.policy import QueueOrder

_NOTHING = Decimal(0)


def in_order(cases: Sequence[Mapping[str, Any]], order: QueueOrder) -> list[Mapping[str, Any]]:
    """The cases of one or more queues in the order in which they are best seen to.

    Args:
        cases: Each has ``case_id``, ``opened_at``, ``delay_cost_per_hour`` (money),
            ``handling_minutes``, ``promised_date`` and ``value_at_risk`` (money); the last four are
            ``None`` where they are not known.
        order: By what, and how often it is the oldest's turn.

    Returns:
        All of them; among equals the older first.
    """
    oldest = sorted(cases, key=lambda case: (case["opened_at"], str(case["case_id"])))
    by = _by_cost if order.by == "delay_cost" else _by_commitment
    dearest = iter(sorted(oldest, key=by))
    waiting = iter(oldest)
    taken: set[str] = set()
    ordered: list[Mapping[str, Any]] = []
    while len(ordered) < len(oldest):
        turn = (len(ordered) + 1) % order.oldest_every_cases == 0
        case = next(one for one in (waiting if turn else dearest) if one["case_id"] not in taken)
        taken.add(case["case_id"])
        ordered.append(case)
    return ordered


def _by_cost(case: Mapping[str, Any]) -> Decimal:
    """Delay cost per hour ÷ handling minutes, the dearest first; what is not routed goes last."""
    return -(case["delay_cost_per_hour"] or _NOTHING) / (case["handling_minutes"] or 1)


def _by_commitment(case: Mapping[str, Any]) -> tuple[date, Decimal]:
    """What was promised first, and then what is worth most."""
    return case["promised_date"] or date.max, -(case["value_at_risk"] or _NOTHING)
