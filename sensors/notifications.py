"""Has people told what waits to be told. Who hears of what is policy."""

from __future__ import annotations

import dagster as dg

from sensors.inbox import SIMULATED
from sensors.ports import NotificationStore

ASSET = "notification"


@dg.sensor(
    name="notifications",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Delivers messages to people, and again where a sink did not take one.",
)
def notifications(
    operational_store: dg.ResourceParam[NotificationStore],
) -> dg.SensorResult | dg.SkipReason:
    """Deliver what waits; a message that a tick died on is delivered by the next."""
    if operational_store.time_is_simulated():
        return dg.SkipReason(SIMULATED)
    told = operational_store.deliver_notifications()
    if not (told.delivered or told.retried or told.dead):
        return dg.SkipReason("nobody is to be told anything")
    shown = dg.AssetMaterialization(
        asset_key=ASSET,
        description="messages delivered",
        metadata={
            "messages_delivered": told.delivered,
            "messages_retried": told.retried,
            "messages_given_up": told.dead,
        },
    )
    return dg.SensorResult(asset_events=[shown])


SENSORS = [notifications]
