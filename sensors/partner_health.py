"""Shows in Dagster when a partner's breaker opens or closes; one that stays away is a case."""

from __future__ import annotations

import json

import dagster as dg

from sensors.ports import PartnerStore

ASSET = "partner_health"


@dg.sensor(
    name="partner_health",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Observes the circuit breakers of all partners whenever one of them changes, and opens a"
        " case for a partner that stays away."
    ),
)
def partner_health(
    context: dg.SensorEvaluationContext, operational_store: dg.ResourceParam[PartnerStore]
) -> dg.SensorResult | dg.SkipReason:
    """Compare with what the last tick saw; the cursor is only that."""
    if not operational_store.time_is_simulated():
        operational_store.report_partners()
    states = dict(sorted(operational_store.breakers().items()))
    seen = json.dumps(states)
    if seen == (context.cursor or "{}"):
        return dg.SkipReason(f"the breakers of {len(states)} partners are as they were")
    away = sorted(partner for partner, state in states.items() if state != "closed")
    if away:
        context.log.warning("breakers are not closed: %s", ", ".join(away))
    observation = dg.AssetObservation(
        asset_key=ASSET,
        metadata={**states, "partners_away": len(away)},
    )
    return dg.SensorResult(asset_events=[observation], cursor=seen)


SENSORS = [partner_health]
