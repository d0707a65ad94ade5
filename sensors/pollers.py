"""Asks partners that do not tell. What they say goes through the same door as everything else."""

from __future__ import annotations

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
    """Ask each partner once; one that is away does not keep us from the others."""
    if operational_store.time_is_simulated():
        return dg.SkipReason(SIMULATED)
    fetched = operational_store.poll_partners()
    for answer in fetched:
        if answer.unavailable is not None:
            context.log.warning("partner %s was not asked: %s", answer.partner, answer.unavailable)
    away = sorted(answer.partner for answer in fetched if answer.unavailable is not None)
    said = f"{sum(answer.accepted for answer in fetched)} new events of {len(fetched)} partners"
    return dg.SkipReason(f"{said}; away: {', '.join(away)}" if away else said)


SENSORS = [pollers]
