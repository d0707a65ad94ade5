"""When the light code location does by itself what no event asks for."""

from __future__ import annotations

import dagster as dg

from orchestration.jobs import check_laws
from orchestration.retention import retention

hourly_laws = dg.ScheduleDefinition(
    name="hourly_laws",
    job=check_laws,
    cron_schedule="20 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Conservation laws, every hour; they read whole tables.",
)
nightly_retention = dg.ScheduleDefinition(
    name="nightly_retention",
    job=retention,
    cron_schedule="40 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="What is no fact and too old goes, every night.",
)
SCHEDULES = [hourly_laws, nightly_retention]
