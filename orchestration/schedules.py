"""When the light code location does by itself what no event asks for."""

from __future__ import annotations

import dagster as dg

from orchestration.jobs import check_laws

hourly_laws = dg.ScheduleDefinition(
    name="hourly_laws",
    job=check_laws,
    cron_schedule="20 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Conservation laws, every hour; they read whole tables.",
)
SCHEDULES = [hourly_laws]
