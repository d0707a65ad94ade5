"""Sees to cases that whoever opened them could not route, and shows how many there are."""

from __future__ import annotations

import json

import dagster as dg

from sensors.inbox import SIMULATED
from sensors.ports import CaseStore

ASSET = "exception_case"


@dg.sensor(
    name="exceptions",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Gives cases of the dispatcher and the gates an owner and a due time; a flow's cases have"
        " theirs from the first moment. Shows open and overdue cases whenever they change."
    ),
)
def exceptions(
    context: dg.SensorEvaluationContext, operational_store: dg.ResourceParam[CaseStore]
) -> dg.SensorResult | dg.SkipReason:
    """Route, and compare with what the last tick saw; the cursor is only that."""
    if operational_store.time_is_simulated():
        return dg.SkipReason(SIMULATED)
    operational_store.report_policies()
    operational_store.report_lag()
    operational_store.report_quarantine()
    routed = operational_store.route_cases()
    figures = operational_store.case_figures()
    seen = json.dumps(figures, sort_keys=True)
    if seen == context.cursor:
        return dg.SkipReason(f"{routed} cases routed, {figures['cases_open']} open as before")
    shown = dg.AssetMaterialization(
        asset_key=ASSET, description="cases changed", metadata=dict(figures)
    )
    return dg.SensorResult(asset_events=[shown], cursor=seen)


SENSORS = [exceptions]
