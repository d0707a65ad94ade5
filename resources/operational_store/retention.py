"""Removes what is no fact and too old, as the policy says: bodies, payloads, personal data.

A row stays where a law counts it; what goes is its content, but for the keys that the laws ask
for. So completeness, idempotency and digests are after a removal what they were before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from assets.retention_policy import RetentionPolicy
from resources.operational_store.invariants.idempotency import (
    ASKED_OF_COMMANDS,
    ASKED_OF_EVENTS,
    ASKED_WHOLE,
    event_types,
)
from resources.operational_store.store import OperationalStore

#: Rows of one transaction: nobody waits for long, and little is done again after a crash.
BATCH_ROWS = 5_000


@dataclass(frozen=True)
class Removal:
    """What of one kind was too old.

    Attributes:
        what: The kind, as the policy names it.
        days: How long it is kept.
        older_than: What came before then is too old.
        count: How many were.
    """

    what: str
    days: int
    older_than: datetime
    count: int


@dataclass(frozen=True)
class _Kind:
    """One kind.

    Attributes:
        what: As the policy names it.
        key: Columns of a unique index, in whose order the rows are walked through.
        found: The rows that are too old, with their key.
        remove: Statements that remove those that ``old`` holds of them.
    """

    what: str
    key: tuple[str, ...]
    found: str
    remove: tuple[str, ...]


def _keys_of(content: str, asked: str) -> str:
    """SQL: a JSON object with nothing left in it but the keys that laws ask for."""
    return f"""(
        select coalesce(json_object_agg(part.key, part.value), '{{}}'::json)
        from json_each({content}) as part
        where part.key = any(%({asked})s)
    )"""


def _bodies(what: str, *, is_open: bool) -> _Kind:
    """What the door refused, by whether anybody may still try it again."""
    return _Kind(
        what,
        ("source", "body_hash"),
        f"""
        select source, body_hash
        from quarantined_body as stored
        where
            recorded_at < %(older_than)s
            and exists (
                select
                from quarantined_event as kept
                where
                    kept.source = stored.source and kept.body_hash = stored.body_hash
                    and kept.status = 'open'
            ) = {is_open}
        """,
        (
            """
            delete from quarantined_body as stored
            using old
            where stored.source = old.source and stored.body_hash = old.body_hash
            """,
        ),
    )


def _personal_data(what: str, status: str) -> _Kind:
    """What is personal in events that stay as long in one state."""
    return _Kind(
        what,
        ("source", "event_id"),
        f"""
        select told.source, told.event_id, inbox.inbox_id
        from event_personal_data as told
        inner join event_inbox as inbox using (source, event_id)
        where inbox.status = '{status}' and told.recorded_at < %(older_than)s
        """,
        (
            """
            delete from event_personal_data as told
            using old
            where told.source = old.source and told.event_id = old.event_id
            """,
            """
            update event_inbox set has_personal_data = false
            from old
            where event_inbox.inbox_id = old.inbox_id
            """,
        ),
    )


_KINDS = (
    _Kind(
        "applied_event_body",
        ("inbox_id",),
        """
        select inbox_id
        from event_inbox
        where
            status = 'applied' and body_removed_at is null and recorded_at < %(older_than)s
            and event_type <> all(%(asked_whole)s)
        """,
        (
            f"""
            update event_inbox
            set data = {_keys_of("event_inbox.data", "asked_of_events")}, body_removed_at = %(now)s
            from old
            where event_inbox.inbox_id = old.inbox_id
            """,
        ),
    ),
    _Kind(
        "delivered_command_payload",
        ("outbox_sequence",),
        """
        select outbox_sequence
        from command_outbox
        where
            status = 'delivered' and removed_payload_md5 is null and delivered_at < %(older_than)s
        """,
        (
            f"""
            update command_outbox
            set
                payload = {_keys_of("command_outbox.payload", "asked_of_commands")},
                removed_payload_md5 = md5(payload::text)
            from old
            where command_outbox.outbox_sequence = old.outbox_sequence
            """,
        ),
    ),
    _bodies("replayed_quarantine_body", is_open=False),
    _bodies("open_quarantine_body", is_open=True),
    _personal_data("set_aside_personal_data", "quarantined"),
    _personal_data("waiting_personal_data", "waiting"),
)


def find_old(store: OperationalStore, policy: RetentionPolicy, now: datetime) -> list[Removal]:
    """What is too old, by kind; nothing is removed."""

    def count(kind: _Kind, values: dict[str, Any]) -> int:
        with store.transaction() as connection:
            found = connection.exec_driver_sql(
                f"select count(*) from ({kind.found}) as old", values
            )
            return int(found.scalar_one())

    return [_judged(kind, policy, now, count) for kind in _KINDS]


def remove_old(store: OperationalStore, policy: RetentionPolicy, now: datetime) -> list[Removal]:
    """Remove what is too old, in batches of a transaction each; safe to break off and repeat."""

    def remove(kind: _Kind, values: dict[str, Any]) -> int:
        removed, after = 0, None
        while True:
            with store.transaction() as connection:
                count, after = _remove_batch(connection, kind, values, after)
            removed += count
            if count < BATCH_ROWS:
                return removed

    return [_judged(kind, policy, now, remove) for kind in _KINDS]


def _remove_batch(
    connection: sa.Connection,
    kind: _Kind,
    values: dict[str, Any],
    after: Sequence[Any] | None,
) -> tuple[int, Sequence[Any] | None]:
    """Remove the next rows in the order of their key.

    A batch starts where the last one ended: read from the front each would pass by all that were
    removed before it.

    Returns:
        How many rows, and the key of the last one.
    """
    key = ", ".join(kind.key)
    names = [f"after_{number}" for number in range(len(kind.key))]
    beyond = f"where ({key}) > ({', '.join(f'%({name})s' for name in names)})" if after else ""
    old = f"select * from ({kind.found}) as found {beyond} order by {key} limit {BATCH_ROWS}"
    ctes = [f"old as materialized ({old})"]
    ctes += [f"removed_{number} as ({said})" for number, said in enumerate(kind.remove)]
    last = ", ".join(f"{column} desc" for column in kind.key)
    row = connection.exec_driver_sql(
        f"with {', '.join(ctes)} select count(*) over (), {key} from old order by {last} limit 1",
        values | dict(zip(names, after or (), strict=bool(after))),
    ).fetchone()
    return (row[0], tuple(row[1:])) if row else (0, after)


def _judged(
    kind: _Kind,
    policy: RetentionPolicy,
    now: datetime,
    act: Callable[[_Kind, dict[str, Any]], int],
) -> Removal:
    days = int(getattr(policy, f"{kind.what}_days"))
    older_than = now - timedelta(days=days)
    values = {
        "older_than": older_than,
        "now": now,
        "asked_of_events": sorted(ASKED_OF_EVENTS),
        "asked_of_commands": sorted(ASKED_OF_COMMANDS),
        "asked_whole": [kind for name in sorted(ASKED_WHOLE) for kind in event_types(name)],
    }
    return Removal(kind.what, days, older_than, act(kind, values))
