"""Where an order is about which nothing was decided yet: in the inbox, or refused.

A person who asks for an order's decisions by its number is told this instead, with what moves it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from assets.commerce.calendar import utc_text

# Whose number it is, its own event first: what came after an order waits for it.
_IN_INBOX = """
select
    inbox.event_type, inbox.channel, inbox.status, inbox.waiting_reason, inbox.release_condition,
    coalesce(inbox.waiting_since, inbox.recorded_at) as since,
    refused.quarantine_id, refused.reason_code, refused.reason
from event_inbox as inbox
left join quarantined_event as refused
    on inbox.status = 'quarantined' and refused.status = 'open'
    and inbox.source = refused.source and inbox.event_id = refused.event_id
where inbox.status <> 'applied'
    and (
        inbox.subject = :name
        or inbox.data ->> 'order_number' = :name
        or inbox.release_condition = 'order:' || :name
    )
order by inbox.event_type <> 'retail.order.placed.v1', inbox.occurred_at, inbox.inbox_id
"""
# A body that has the number anywhere in it; which of them is about the order is looked at here.
_REFUSED = """
select refused.quarantine_id, refused.source, refused.reason_code, refused.reason, stored.body
from quarantined_event as refused
inner join quarantined_body as stored
    on refused.source = stored.source and refused.body_hash = stored.body_hash
where refused.status = 'open' and position(convert_to(:name, 'UTF8') in stored.body) > 0
order by refused.quarantine_id
"""


def where_it_is(connection: sa.Connection, name: str) -> str | None:
    """What became of an order's events that no flow has applied, in a sentence; never a body.

    Args:
        connection: To the operational store.
        name: The order's number, or its id.

    Returns:
        ``None`` where nothing of it waits and nothing was refused.
    """
    said = [*_in_inbox(connection, name), *_refused(connection, name)]
    return f"nothing was decided about {name}: {'; '.join(said)}" if said else None


def _in_inbox(connection: sa.Connection, name: str) -> Iterator[str]:
    for row in connection.execute(sa.text(_IN_INBOX), {"name": name}):
        what = f"{row.event_type} of {row.channel}"
        match row.status:
            case "waiting":
                yield (
                    f"{what} waits for {row.release_condition} ({row.waiting_reason}) since"
                    f" {utc_text(row.since)}, see `omniflow waiting list`"
                )
            case "pending":
                yield (
                    f"{what} is pending since {utc_text(row.since)}, see `omniflow status` for"
                    " what moves it"
                )
            case _:
                yield f"{what} {_quarantined(row)}"


def _refused(connection: sa.Connection, name: str) -> Iterator[str]:
    for row in connection.execute(sa.text(_REFUSED), {"name": name}):
        if _is_about(bytes(row.body), name):
            yield f"what {row.source} said of it {_quarantined(row)}"


def _quarantined(row: sa.Row[Any]) -> str:
    if row.quarantine_id is None:
        return "is in quarantine, see `omniflow quarantine list`"
    return (
        f"is in quarantine as number {row.quarantine_id} because of {row.reason_code}:"
        f" {row.reason}, see `omniflow quarantine list`"
    )


def _is_about(body: bytes, name: str) -> bool:
    """Whether a refused body is the event of that number, or has rows of it."""
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        rows = csv.reader(body.decode("utf-8", "replace").replace("\0", "").splitlines())
        try:
            return any(name in row for row in rows)
        except csv.Error:
            return False
    if not isinstance(event, dict):
        return False
    data = event.get("data")
    number = data.get("order_number") if isinstance(data, dict) else None
    return name in {str(event.get("subject")), str(number)}
