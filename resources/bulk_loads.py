"""What a partner sent in bulk, staged in the inbox until its gate has judged it.

The events of a poll that may become a load wait from its first page on, so that nobody consumes the
beginning of what may turn out to be wrong as a whole. When the last page has come, a poll that
turned out small goes on at once, and a load waits for the gate. Both states are rows of the inbox:
whoever is killed in between goes on from there. Nothing here imports Great Expectations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from assets.bulk_loads.policy import BulkLoadPolicy
from resources.operational_store.bulk import execute, fetch
from resources.operational_store.door import NOTIFICATION_CHANNEL

ARRIVING = "load_is_arriving"
AWAITS_GATE = "load_awaits_its_gate"


def release_condition(source: str) -> str:
    """What the events of a partner's load wait for."""
    return f"load:{source}"


@dataclass(frozen=True)
class Standing:
    """Where the polling of a partner stands: its token, and whether a load is half there."""

    token: str | None
    is_arriving: bool


def standing(connection: sa.Connection, source: str) -> Standing:
    """Where the polling of a partner stands."""
    ((token, is_arriving),) = fetch(
        connection,
        "select (select event_cursor from partner_health where partner = %s), exists ("
        "select from event_inbox where status = 'waiting' and release_condition = %s"
        " and waiting_reason = %s)",
        source,
        release_condition(source),
        ARRIVING,
    )
    return Standing(token, is_arriving)


def stage(connection: sa.Connection, source: str, event_ids: Sequence[str]) -> None:
    """Let events that were just admitted wait; those of flows that are not built do already."""
    execute(
        connection,
        "update event_inbox set status = 'waiting', waiting_reason = %s, release_condition = %s,"
        " waiting_since = occurred_at"
        " where source = %s and event_id = any(%s) and status = 'pending'",
        ARRIVING,
        release_condition(source),
        source,
        list(event_ids),
    )


def end_arrival(connection: sa.Connection, source: str, policy: BulkLoadPolicy) -> int:
    """The last page has come: let a small poll go on, and a load wait for its gate.

    Returns:
        How many events wait for the gate.
    """
    condition = release_condition(source)
    ((events, master_data),) = fetch(
        connection,
        "select count(*), count(*) filter (where consumer = 'master_data') from event_inbox"
        " where status = 'waiting' and release_condition = %s and waiting_reason = %s",
        condition,
        ARRIVING,
    )
    if not policy.is_load(events, master_data):
        _go_on(connection, "release_condition = %s and waiting_reason = %s", condition, ARRIVING)
        return 0
    return execute(
        connection,
        "update event_inbox set waiting_reason = %s"
        " where status = 'waiting' and release_condition = %s and waiting_reason = %s",
        AWAITS_GATE,
        condition,
        ARRIVING,
    )


def awaiting(connection: sa.Connection) -> list[str]:
    """Partners whose loads wait for the gate."""
    rows = fetch(
        connection,
        "select distinct source from event_inbox where status = 'waiting' and waiting_reason = %s"
        " order by source",
        AWAITS_GATE,
    )
    return [source for (source,) in rows]


def accept(connection: sa.Connection, judged: Sequence[int]) -> int:
    """What is left of a load after its gate goes on; gives how many events."""
    return _go_on(
        connection, "inbox_id = any(%s) and waiting_reason = %s", list(judged), AWAITS_GATE
    )


def _go_on(connection: sa.Connection, which: str, *arguments: object) -> int:
    released = fetch(
        connection,
        "update event_inbox set status = 'pending', waiting_reason = null,"
        " release_condition = null, waiting_since = null"
        f" where status = 'waiting' and {which} returning consumer",
        *arguments,
    )
    execute(
        connection,
        "select pg_notify(%s, consumer) from unnest(%s::text[]) as due (consumer)",
        NOTIFICATION_CHANNEL,
        sorted({consumer for (consumer,) in released}),
    )
    return len(released)
