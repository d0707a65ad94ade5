"""Wakes the dispatcher when commands wait. In what order they go is the dispatcher's business."""

from __future__ import annotations

from collections import Counter

import dagster as dg

from sensors.inbox import SIMULATED
from sensors.ports import OutboxStore
from sensors.ticks import looks

CHANNEL = "omniflow_outbox"
ASSET = "command_outbox"


def watch(store: OutboxStore, phase: float) -> Counter[str]:
    """One tick: send what waits, then whatever comes, until the tick's phase."""
    figures: Counter[str] = Counter()
    with store.listening(CHANNEL) as listener:
        for _ in looks(listener, phase):
            sent = store.dispatch()
            figures.update(delivered=sent.delivered, retried=sent.retried, dead=sent.dead)
            figures["remaining"] = sent.remaining
    return figures


@dg.sensor(
    name="outbox",
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends commands to partners as they are written, and again when their time comes.",
    tags={"omniflow/role": "stream"},
)
def outbox(
    context: dg.SensorEvaluationContext, operational_store: dg.ResourceParam[OutboxStore]
) -> dg.SkipReason:
    """Dispatch for a tick, and tell once what was sent."""
    if operational_store.time_is_simulated():
        return dg.SkipReason(SIMULATED)
    figures = watch(operational_store, 0.25)
    if figures["delivered"] or figures["dead"]:
        context.instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=ASSET,
                description="commands sent while one tick ran",
                metadata={f"commands_{name}": count for name, count in figures.items()},
            )
        )
    return dg.SkipReason(
        f"{figures['delivered']} commands delivered, {figures['remaining']} waiting"
    )


SENSORS = [outbox]
