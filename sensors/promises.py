"""Lets promises of stock end in time, and channels hear of it. How is the flows' business."""

from __future__ import annotations

import dagster as dg

from sensors.inbox import SIMULATED
from sensors.ports import PromiseStore


@dg.sensor(
    name="promises",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Ends reservations that were not paid in time, serves who waits for supply, promises anew"
        " what is late, compares stock with what other systems believe, and tells channels what"
        " they may sell."
    ),
)
def promises(operational_store: dg.ResourceParam[PromiseStore]) -> dg.SkipReason:
    """Expire and compare, then publish: what was freed can be sold. Ask after what is late."""
    if operational_store.time_is_simulated():
        return dg.SkipReason(SIMULATED)
    overdue = operational_store.report_overdue()
    silent = operational_store.report_silence()
    expired = operational_store.expire_reservations()
    moved = operational_store.keep_promises()
    compared = operational_store.reconcile()
    lines = operational_store.publish_availability()
    return dg.SkipReason(
        f"{expired} orders expired, {moved} promises moved, {lines} lines of availability told,"
        f" {compared} snapshots compared, {overdue} events overdue, {silent} parcels not heard of"
    )


SENSORS = [promises]
