"""Ends what nobody has consented to in time. Who consents to what is the people's business."""

from __future__ import annotations

import dagster as dg

from sensors.inbox import SIMULATED
from sensors.ports import ApprovalStore


@dg.sensor(
    name="approvals",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Denies what nobody has consented to before it expired.",
)
def approvals(operational_store: dg.ResourceParam[ApprovalStore]) -> dg.SkipReason:
    """Expiry is a denial; what was approved is an event, which the inbox sensor sees."""
    if operational_store.time_is_simulated():
        return dg.SkipReason(SIMULATED)
    return dg.SkipReason(f"{operational_store.expire_approvals()} approvals expired")


SENSORS = [approvals]
