"""When marts are built: a quarter of an hour after a fact at the latest, and not without one."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

import dagster as dg

from assets.errors import RetailFlowError

#: Everything that the location can materialise, and the gates on the windows that it rests on.
publish_marts = dg.define_asset_job(
    "publish_marts",
    selection=(
        dg.AssetSelection.all()
        - (dg.AssetSelection.groups("replenishment") - dg.AssetSelection.assets("demand_spike"))
    ).materializable()
    | dg.AssetSelection.all_asset_checks(),
    description="Judges closed windows, exports the lake, builds and publishes the marts; looks for"
    " spikes.",
)

#: A retailer that trades has facts each day, and a quarter of an hour later they are published.
PUBLISHED_DAILY = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(days=1), warn_window=timedelta(hours=12)
)


class Facts(Protocol):
    """What the schedule asks before it starts a run."""

    def has_unexported_facts(self) -> bool:
        """Whether the lake lacks a fact that is committed."""
        ...


@dg.schedule(
    name="publish_every_quarter_of_an_hour",
    job=publish_marts,
    cron_schedule="*/15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Publishes the marts when there are facts that they do not know.",
)
def publish_every_quarter_of_an_hour(
    operational_store: dg.ResourceParam[Facts],
) -> dg.RunRequest | dg.SkipReason:
    """No run key: whether there is something to do is asked of the data, not of past runs."""
    try:
        if not operational_store.has_unexported_facts():
            return dg.SkipReason("every committed fact is in the lake")
    except RetailFlowError as error:
        return dg.SkipReason(str(error))
    return dg.RunRequest()
