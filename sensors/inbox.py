"""Wakes the flows when events arrive. No business rule: the store hands events to their flow."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import dagster as dg

from sensors.ports import InboxStore
from sensors.ticks import looks

CHANNEL = "omniflow_inbox"
#: The asset under which a consumer's micro-batches are reported.
REPORTED_AS = {
    "master_data": "product",
    "inventory": "stock_movement",
    "finance": "journal_line",
    "order_to_fulfillment": "order_placed",
}
REPORT_EVERY_SECONDS = 1.0
SIMULATED = "time in this home is simulated: only a replay or a demo moves it"


class MicroBatches:
    """What was handled since the last report, by consumer.

    Dagster writes a materialisation in some ten milliseconds, so a stream of small batches is told
    as one a second.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._figures: dict[str, Counter[str]] = {}
        self._reported_at = 0.0
        self.applied = 0

    def add(self, consumer: str, tally: Any) -> None:
        """Count one in."""
        figures = self._figures.setdefault(consumer, Counter())
        figures.update(
            events_applied=tally.applied,
            events_waiting=tally.waiting,
            events_quarantined=tally.quarantined,
            cases_opened=tally.cases,
            batches=tally.batches,
        )
        self.applied += tally.applied

    def report(self, *, now: bool = False) -> None:
        """Report, unless the last time is less than a second ago."""
        moment = time.monotonic()
        if not now and moment - self._reported_at < REPORT_EVERY_SECONDS:
            return
        for consumer, figures in self._figures.items():
            self._instance.report_runless_asset_event(
                dg.AssetMaterialization(
                    asset_key=REPORTED_AS.get(consumer, consumer),
                    description=f"a micro-batch of {consumer}",
                    metadata=dict(figures),
                )
            )
        if self._figures:
            self._figures = {}
            self._reported_at = moment


def watch(store: InboxStore, batches: MicroBatches, phase: float) -> None:
    """One tick: handle what waits, then whatever comes, until the tick's phase."""
    try:
        with store.listening(CHANNEL) as listener:
            for _ in looks(listener, phase):
                for consumer, tally in store.drain_waiting():
                    batches.add(consumer, tally)
                batches.report()
    finally:
        # Whatever ended the tick, what was handled is committed and is told.
        batches.report(now=True)


def _inbox_sensor(name: str, phase: float, partner_name: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=name,
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Hands arriving events to their flow within milliseconds and reports each micro-batch;"
            f" {partner_name} does the same while this one is between two ticks."
        ),
        tags={"omniflow/role": "stream"},
    )
    def inbox(
        context: dg.SensorEvaluationContext, operational_store: dg.ResourceParam[InboxStore]
    ) -> dg.SkipReason:
        if operational_store.time_is_simulated():
            return dg.SkipReason(SIMULATED)
        batches = MicroBatches(context.instance)
        watch(operational_store, batches, phase)
        return dg.SkipReason(f"{batches.applied} events were handled while this tick ran")

    return inbox


inbox_first_half: dg.SensorDefinition = _inbox_sensor("inbox_first_half", 0.0, "inbox_second_half")
inbox_second_half: dg.SensorDefinition = _inbox_sensor("inbox_second_half", 0.5, "inbox_first_half")
SENSORS = [inbox_first_half, inbox_second_half]
