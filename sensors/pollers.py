"""Asks partners that do not tell. What they say goes through the same door as everything else."""

from __future__ import annotations

import json

import dagster as dg

from sensors.inbox import SIMULATED
from sensors.ports import PartnerStore


@dg.sensor(
    name="pollers",
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks partners without webhooks for their events.",
)
def pollers(
    context: dg.SensorEvaluationContext, operational_store: dg.ResourceParam[PartnerStore]
) -> dg.SkipReason:
    """Ask each partner once; one that is away does not keep us from the others.

    It is warned of when it goes away and not six times a minute: `omniflow status` says who is.
    """
    if operational_store.time_is_simulated():
        return dg.SkipReason(SIMULATED)
    fetched = operational_store.poll_partners()
    reasons = {answer.partner: answer.unavailable for answer in fetched if answer.unavailable}
    away = sorted(reasons)
    known: list[str] = json.loads(context.cursor or "[]")
    for partner in away:
        if partner not in known:
            context.log.warning("partner %s was not asked: %s", partner, reasons[partner])
    if away != known:
        context.update_cursor(json.dumps(away))
    said = f"{sum(answer.accepted for answer in fetched)} new events of {len(fetched)} partners"
    return dg.SkipReason(f"{said}; away: {', '.join(away)}" if away else said)


SENSORS = [pollers]
