"""Lets cases climb the ladder when their time is used up. Which rung is when, is policy."""

from __future__ import annotations

import dagster as dg

from sensors.inbox import SIMULATED
from sensors.ports import CaseStore


@dg.sensor(
    name="sla",
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes each rung of the escalation ladder once, when its time has come.",
)
def sla(operational_store: dg.ResourceParam[CaseStore]) -> dg.SkipReason:
    """A rung is a row: a tick that dies has taken none, and two at once take it once."""
    if operational_store.time_is_simulated():
        return dg.SkipReason(SIMULATED)
    return dg.SkipReason(f"{operational_store.escalate()} rungs were taken")


SENSORS = [sla]
