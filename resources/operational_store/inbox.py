"""Claiming what waits in the inbox, and saying afterwards what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec
import sqlalchemy as sa

from assets.contracts.personal import join
from assets.contracts.registry import CONTRACTS
from assets.ports import About, Case, CaseType, InboxEvent
from resources.operational_store.bulk import execute, fetch
from resources.operational_store.cases import close_cases, open_cases

_CLAIM = """
    select
        inbox_id, source, event_id, event_type, subject, legal_entity, brand, region, channel,
        correlation_id, occurred_at, data::text, has_personal_data
    from event_inbox
    where status = 'pending' and consumer = %s and occurred_at <= %s{among}
    order by phase, occurred_at, source, event_id
    limit %s
    for update skip locked
"""

CLAIM = _CLAIM.format(among="")
CLAIM_AMONG = _CLAIM.format(among=" and inbox_id = any(%s)")


#: Not what waits for a person (``case:``) or for a flow that is not built yet (``flow:``).
WAITS_FOR_A_PREDECESSOR = (
    "status = 'waiting' and split_part(release_condition, ':', 1)"
    " in ('order', 'shipment', 'sku', 'node', 'supplier', 'purchase_order', 'goods')"
)

RELEASE_MET = f"""
    update event_inbox i set status = 'pending', release_condition = null
    where {WAITS_FOR_A_PREDECESSOR} and case split_part(release_condition, ':', 1)
        when 'order' then exists (
            select from order_placed o
            where o.order_id = substr(i.release_condition, 7)::uuid
        )
        when 'shipment' then exists (
            select from shipment_dispatched s
            join order_placed o on o.order_id = s.order_id
            where o.channel = i.channel and o.order_number = i.data ->> 'order_number'
            and 'shipment:' || s.shipment_number = i.release_condition
        )
        when 'sku' then exists (
            select from product p where p.sku = substr(i.release_condition, 5)
        )
        when 'node' then exists (
            select from node n where n.is_active and n.node_id = substr(i.release_condition, 6)
        )
        when 'supplier' then exists (
            select from supplier s where s.supplier_id = substr(i.release_condition, 10)
        )
        when 'purchase_order' then exists (
            select from purchase_order_placed p
            where p.purchase_order_id = substr(i.release_condition, 16)
        )
        when 'goods' then exists (
            select from goods_received g
            where g.purchase_order_id || '/' || g.purchase_order_line_id
                = substr(i.release_condition, 7)
        )
    end
"""


@cache
def _decoder(event_type: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(CONTRACTS[event_type].struct)


def _event(row: tuple[Any, ...], fields: Mapping[tuple[str, str], str]) -> InboxEvent:
    *attributes, data, has_personal_data = row
    # Where a person was erased meanwhile, the event goes on without them.
    if has_personal_data and (found := fields.get((attributes[1], attributes[2]))):
        data = join(data, found)
    return InboxEvent(*attributes, _decoder(attributes[3]).decode(data))  # type: ignore[call-arg]


class SqlInbox:
    """The events of one unit of work. What is not parked or quarantined is applied at the end."""

    def __init__(self, connection: sa.Connection, effective_at: datetime) -> None:
        self._connection = connection
        self._effective_at = effective_at
        self._claimed: dict[int, InboxEvent] = {}
        self._parked: dict[int, tuple[str, str]] = {}
        self._quarantined: dict[int, tuple[str, str]] = {}
        self._personal: set[int] = set()
        self._released: set[str] = set()

    def claim(
        self, consumer: str, until: datetime, limit: int, among: Sequence[int] | None = None
    ) -> list[InboxEvent]:
        """Lock up to ``limit`` pending events of a consumer that happened by ``until``.

        Args:
            consumer: Whose.
            until: When they happened at the latest.
            limit: How many at most.
            among: Only those of these inbox ids.
        """
        if among is None:
            rows = fetch(self._connection, CLAIM, consumer, until, limit)
        else:
            rows = fetch(self._connection, CLAIM_AMONG, consumer, until, list(among), limit)
        personal = [row for row in rows if row[-1]]
        self._personal.update(row[0] for row in personal)
        fields = self._fields_of(personal) if personal else {}
        events = [_event(row, fields) for row in rows]
        self._claimed.update((event.inbox_id, event) for event in events)
        return events

    def _fields_of(self, rows: list[tuple[Any, ...]]) -> dict[tuple[str, str], str]:
        found = fetch(
            self._connection,
            "select source, event_id, fields::text from event_personal_data"
            " join unnest(%s::text[], %s::text[]) as wanted (source, event_id)"
            " using (source, event_id)",
            [row[1] for row in rows],
            [row[2] for row in rows],
        )
        return {(source, event_id): fields for source, event_id, fields in found}

    def earliest(self) -> dict[str, datetime]:
        """When the first of the claimed events happened that names a SKU, by SKU."""
        first: dict[str, datetime] = {}
        for event in self._claimed.values():
            for line in getattr(event.data, "lines", ()):
                # A line of a receipt or invoice names its order's line instead.
                sku: str | None = getattr(line, "sku", None)
                if sku is not None:
                    first[sku] = min(event.occurred_at, first.get(sku, event.occurred_at))
        return first

    def park(self, event: InboxEvent, reason: str, release_condition: str) -> None:
        """Let an event wait until its condition is released."""
        self._parked[event.inbox_id] = (reason, release_condition)

    def quarantine(self, event: InboxEvent, reason_code: str, reason: str) -> None:
        """Set an event aside for a person."""
        self._quarantined[event.inbox_id] = (reason_code, reason)

    def release(self, conditions: Iterable[str]) -> None:
        """What waited for one of these is pending again when the transaction commits."""
        self._released.update(conditions)

    def waiting_scopes(self) -> list[tuple[str, str]]:
        """(region, brand) of what waits for a predecessor."""
        return fetch(
            self._connection,
            f"select distinct region, brand from event_inbox where {WAITS_FOR_A_PREDECESSOR}"
            " order by region, brand",
        )

    def report_overdue(self, deadlines: Mapping[tuple[str, str], datetime]) -> int:
        """Open one case for each event of a (region, brand) that has waited since its deadline.

        An event is reported once: one that has a case already, open or closed, is left alone.
        """
        if not deadlines:
            return 0
        rows = fetch(
            self._connection,
            "select i.source, i.event_id, i.event_type, i.release_condition, i.waiting_since,"
            " i.region, i.brand, i.channel"
            " from event_inbox i"
            " join unnest(%s::text[], %s::text[], %s::timestamptz[])"
            " as late (region, brand, deadline)"
            " on i.region = late.region and i.brand = late.brand"
            f" where {WAITS_FOR_A_PREDECESSOR} and i.waiting_since <= late.deadline"
            " and not exists (select from exception_case c where c.case_type = %s"
            " and c.business_key = i.source || '/' || i.event_id)"
            " order by i.source, i.event_id",
            [region for region, _ in deadlines],
            [brand for _, brand in deadlines],
            list(deadlines.values()),
            CaseType.PREDECESSOR_MISSING,
        )
        cases = [
            Case(
                CaseType.PREDECESSOR_MISSING,
                f"{source}/{event_id}",
                f"{event_type} has waited for {condition} since {since:%Y-%m-%d %H:%M} UTC",
                About(*scope),
            )
            for source, event_id, event_type, condition, since, *scope in rows
        ]
        return open_cases(self._connection, cases, self._effective_at)

    @property
    def tally(self) -> tuple[int, int, int]:
        """(applied, waiting, quarantined) of the claimed events so far."""
        waiting, quarantined = len(self._parked), len(self._quarantined)
        return len(self._claimed) - waiting - quarantined, waiting, quarantined

    def finish(self) -> None:
        """Write what became of every claimed event, as a few sets."""
        self._release()
        applied = [
            inbox_id
            for inbox_id in self._claimed
            if inbox_id not in self._parked and inbox_id not in self._quarantined
        ]
        if applied:
            self._end_waiting(applied)
            execute(
                self._connection,
                "update event_inbox set status = 'applied', effective_at = %s,"
                " waiting_reason = null, release_condition = null, waiting_since = null,"
                " has_personal_data = false where inbox_id = any(%s)",
                self._effective_at,
                applied,
            )
            self._forget(applied)
        if self._parked:
            execute(
                self._connection,
                "update event_inbox set status = 'waiting', waiting_reason = new.reason,"
                " release_condition = new.condition,"
                " waiting_since = coalesce(waiting_since, %s)"
                " from unnest(%s::bigint[], %s::text[], %s::text[])"
                " as new (id, reason, condition) where inbox_id = new.id",
                self._effective_at,
                list(self._parked),
                [reason for reason, _ in self._parked.values()],
                [condition for _, condition in self._parked.values()],
            )
        if self._quarantined:
            set_aside(self._connection, self._quarantined, self._effective_at)

    def _end_waiting(self, applied: list[int]) -> None:
        """What some of these waited for has come: nobody need look for it any more."""
        rows = fetch(
            self._connection,
            "select source || '/' || event_id from event_inbox"
            " where inbox_id = any(%s) and waiting_since is not null",
            applied,
        )
        if rows:
            keys = [key for (key,) in rows]
            said = "what it waited for has come"
            close_cases(
                self._connection, CaseType.PREDECESSOR_MISSING, keys, said, self._effective_at
            )

    def _forget(self, applied: list[int]) -> None:
        """The flow has put what is personal of these where a customer's contact belongs."""
        done = [self._claimed[i] for i in applied if i in self._personal]
        if done:
            execute(
                self._connection,
                "delete from event_personal_data where (source, event_id) in"
                " (select * from unnest(%s::text[], %s::text[]))",
                [event.source for event in done],
                [event.event_id for event in done],
            )

    def _release(self) -> None:
        if not self._released:
            return
        execute(
            self._connection,
            "update event_inbox set status = 'pending', release_condition = null"
            " where status = 'waiting' and release_condition = any(%s)",
            list(self._released),
        )
        # A condition may have been met in the very batch in which somebody began to wait for it.
        met = {i for i, (_, condition) in self._parked.items() if condition in self._released}
        for inbox_id in met:
            del self._parked[inbox_id]
            del self._claimed[inbox_id]


def set_aside(
    connection: sa.Connection,
    aside: Mapping[int, tuple[str, str]],
    at: datetime,
    positions: Mapping[int, str] = MappingProxyType({}),
) -> None:
    """Quarantine events that the door let in.

    Args:
        connection: In the caller's transaction.
        aside: Reason code and reason, by inbox id.
        at: Effective time.
        positions: Where each one stood, by inbox id; by default its business key is told.
    """
    execute(
        connection,
        "update event_inbox set status = 'quarantined', effective_at = %s,"
        " waiting_reason = null, release_condition = null, waiting_since = null"
        " where inbox_id = any(%s)",
        at,
        list(aside),
    )
    execute(
        connection,
        "insert into quarantined_event"
        " (source, event_id, event_type, reason_code, reason, position, body_hash)"
        " select i.source, i.event_id, i.event_type, new.code, new.reason,"
        " coalesce(new.position, 'inbox ' || i.subject), e.body_hash"
        " from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])"
        " as new (id, code, reason, position)"
        " join event_inbox i on i.inbox_id = new.id"
        " join event_identity e on e.source = i.source and e.event_id = i.event_id"
        " on conflict (source, body_hash, reason_code, position) do update set status = 'open'",
        list(aside),
        [code for code, _ in aside.values()],
        [reason for _, reason in aside.values()],
        [positions.get(inbox_id) for inbox_id in aside],
    )


def release_met(connection: sa.Connection) -> int:
    """Make pending again what waits for something that is there; gives how many events."""
    return execute(connection, RELEASE_MET)


def try_again(connection: sa.Connection, quarantine_ids: list[int]) -> int:
    """Give what a flow set aside back to it: its cause may have been mended; gives how many."""
    return execute(
        connection,
        "with again as ("
        " update quarantined_event set status = 'replayed' where quarantine_id = any(%s)"
        " returning source, event_id)"
        " update event_inbox i set status = 'pending', effective_at = null from again"
        " where i.source = again.source and i.event_id = again.event_id"
        " and i.status = 'quarantined'",
        quarantine_ids,
    )
