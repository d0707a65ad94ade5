"""How long what is no fact is kept: bodies, payloads, personal data, Dagster's history."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from assets.decisions.typed_policy import policy_reader

Days = Annotated[int, Meta(ge=1, le=36_500)]


class TickDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days that a tick of a Dagster sensor or schedule is kept, by how it ended."""

    skipped: Days
    success: Days
    failure: Days


class RetentionPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days by what is kept. Facts, identities, reasons and decisions are kept for ever."""

    applied_event_body_days: Days
    delivered_command_payload_days: Days
    replayed_quarantine_body_days: Days
    open_quarantine_body_days: Days
    set_aside_personal_data_days: Days
    waiting_personal_data_days: Days
    dagster_run_days: Days
    dagster_tick_days_by_status: TickDays


#: The typed policy of retention, from its values.
retention_policy = policy_reader("retention", RetentionPolicy)
