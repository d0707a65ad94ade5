"""Wakes the flows when events arrive. No business rule: the store hands events to their flow."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

import dagster as dg

from sensors.ports import InboxStore, MicroBatch
from sensors.ticks import looks

CHANNEL = "omniflow_inbox"
#: The asset under which a consumer's micro-batches are reported.
REPORTED_AS = {
    "master_data": "product",
    "inventory": "stock_movement",
    "finance": "journal_line",
    "procure_to_stock": "purchase_order_placed",
    "order_to_fulfillment": "order_placed",
    "inventory_synchronisation": "inventory_snapshot",
}
REPORT_EVERY_SECONDS = 1.0
SIMULATED = "time in this home is simulated: only a replay or a demo moves it"


class MicroBatches:
    """What was handled since the last report, by consumer.

    Dagster writes a materialisation in some thirty milliseconds, so a stream of small batches is
    told as one a second, under the flow's own asset; the other tables that grew are told once a
    tick.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._figures: dict[str, Counter[str]] = {}
        self._rows: Counter[str] = Counter()
        self._reported_at = 0.0
        self.applied = 0

    def add(self, consumer: str, tally: MicroBatch) -> None:
        """Count one in."""
        own = REPORTED_AS.get(consumer, consumer)
        self._figures.setdefault(consumer, Counter()).update(
            events_applied=tally.applied,
            events_waiting=tally.waiting,
            events_quarantined=tally.quarantined,
            cases_opened=tally.cases,
            batches=tally.batches,
            rows_added=tally.rows[own],
        )
        self._rows.update({table: rows for table, rows in tally.rows.items() if table != own})
        self.applied += tally.applied

    def report(self) -> None:
        """Report the flows, unless the last time is less than a second ago."""
        if time.monotonic() - self._reported_at >= REPORT_EVERY_SECONDS:
            self._report_flows()

    def close(self) -> None:
        """Report what is left, and every other table that grew."""
        self._report_flows()
        for table, rows in sorted(self._rows.items()):
            self._tell(table, "rows added while one tick ran", {"rows_added": rows})
        self._rows.clear()

    def _report_flows(self) -> None:
        for consumer, figures in self._figures.items():
            asset = REPORTED_AS.get(consumer, consumer)
            self._tell(asset, f"a micro-batch of {consumer}", figures)
        if self._figures:
            self._figures = {}
            self._reported_at = time.monotonic()

    def _tell(self, asset: str, description: str, figures: Mapping[str, int]) -> None:
        self._instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=asset, description=description, metadata=dict(figures)
            )
        )


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
        batches.close()


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
