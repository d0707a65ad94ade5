"""Stock positions and their ledgers. Positions are locked in one order, so nobody deadlocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from assets.facts import in_columns
from assets.ports import Columns, Components, Count, LostLine, Reservation, StockPosition
from resources.operational_store.bulk import copy_into, execute, fetch, upsert
from resources.operational_store.master_data import by_bundle

_CHANGES = (
    "unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[])"
    " as c (node_id, sku, on_hand, reserved, allocated, since)"
)


class SqlStock:
    """Stock of one transaction; ``earliest`` gives when what it applies happened first, by SKU."""

    def __init__(
        self,
        connection: sa.Connection,
        effective_at: datetime,
        policy_hash: str,
        earliest: Callable[[], Mapping[str, datetime]],
    ) -> None:
        self._connection = connection
        self._effective_at = effective_at
        self._policy_hash = policy_hash
        self._earliest = earliest

    def lock_positions(self, skus: Iterable[str]) -> list[StockPosition]:
        """Every node's position of these SKUs, ordered by node and SKU."""
        rows = fetch(
            self._connection,
            "select node_id, sku, on_hand_quantity, reserved_quantity, allocated_quantity"
            " from stock_position where sku = any(%s) order by node_id, sku for update",
            list(skus),
        )
        return list(map(StockPosition._make, rows))

    def change_positions(self, changes: Mapping[tuple[str, str], tuple[int, int, int]]) -> None:
        """Add to (on hand, reserved, allocated) of each (node_id, sku), new positions included."""
        if not changes:
            return
        since = self._earliest()
        arguments = (
            [node for node, _ in changes],
            [sku for _, sku in changes],
            [on_hand for on_hand, _, _ in changes.values()],
            [reserved for _, reserved, _ in changes.values()],
            [allocated for _, _, allocated in changes.values()],
            [since.get(sku, self._effective_at) for _, sku in changes],
        )
        # An update locks in the order in which it comes across the rows, so they are locked before.
        fetch(
            self._connection,
            "select 1 from stock_position p join unnest(%s::text[], %s::text[]) as c (node_id, sku)"
            " on p.node_id = c.node_id and p.sku = c.sku"
            " order by p.node_id, p.sku for update of p",
            *arguments[:2],
        )
        # Units that are promised and leave as promised change nothing that a channel may sell.
        changes_the_offer = "c.on_hand <> c.reserved + c.allocated"
        updated = execute(
            self._connection,
            "update stock_position p set"
            " on_hand_quantity = p.on_hand_quantity + c.on_hand,"
            " reserved_quantity = p.reserved_quantity + c.reserved,"
            " allocated_quantity = p.allocated_quantity + c.allocated,"
            f" is_unpublished = p.is_unpublished or {changes_the_offer},"
            f" unpublished_since = case when {changes_the_offer}"
            " then least(p.unpublished_since, c.since) else p.unpublished_since end"
            f" from {_CHANGES} where p.node_id = c.node_id and p.sku = c.sku",
            *arguments,
        )
        if updated < len(changes):
            execute(
                self._connection,
                "insert into stock_position"
                " (node_id, sku, on_hand_quantity, reserved_quantity, allocated_quantity,"
                f" unpublished_since) select c.* from {_CHANGES}"
                " where not exists (select from stock_position p"
                " where p.node_id = c.node_id and p.sku = c.sku) order by 1, 2",
                *arguments,
            )

    def open_reservations(self, order_ids: Sequence[str]) -> list[Reservation]:
        """Reservations of these orders that have no end yet."""
        if not order_ids:
            return []
        rows = fetch(
            self._connection,
            "select order_id::text, line_number, node_id, min(sku), sum(quantity)::bigint"
            " from reservation_movement where order_id = any(%s::uuid[])"
            " group by order_id, line_number, node_id having count(*) = 1"
            " order by order_id, line_number, node_id",
            list(order_ids),
        )
        return list(map(Reservation._make, rows))

    def open_reservations_of_positions(
        self, positions: Iterable[tuple[str, str]]
    ) -> list[Reservation]:
        """Open reservations at (node_id, sku), the newest first."""
        wanted = list(positions)
        rows = fetch(
            self._connection,
            "select r.order_id::text, r.line_number, r.node_id, r.sku, r.quantity"
            " from order_state s join reservation_movement r on r.order_id = s.order_id"
            " join unnest(%s::text[], %s::text[]) as w (node_id, sku)"
            " on w.node_id = r.node_id and w.sku = r.sku"
            " where s.expires_at is not null and r.is_start and not exists ("
            " select from reservation_movement e where e.order_id = r.order_id"
            " and e.line_number = r.line_number and e.node_id = r.node_id and not e.is_start)"
            " order by r.ledger_sequence desc",
            [node for node, _ in wanted],
            [sku for _, sku in wanted],
        )
        return list(map(Reservation._make, rows))

    def open_with(self, order_id: str, component_number: int) -> list[tuple[Reservation, int]]:
        """Open reservations of the bundle that a component is of, its own included."""
        rows = fetch(
            self._connection,
            "select r.order_id::text, r.line_number, r.node_id, r.sku, r.quantity,"
            " c.quantity_per_bundle"
            " from order_line_component part join order_line_component c"
            " on c.order_id = part.order_id and c.line_number = part.line_number"
            " join reservation_movement r"
            " on r.order_id = c.order_id and r.line_number = c.component_number and r.is_start"
            " where part.order_id = %s::uuid and part.component_number = %s and not exists ("
            " select from reservation_movement e where e.order_id = r.order_id"
            " and e.line_number = r.line_number and e.node_id = r.node_id and not e.is_start)"
            " order by r.line_number, r.node_id",
            order_id,
            component_number,
        )
        return [(Reservation(*reservation), each) for *reservation, each in rows]

    def lost_to_shortage(self, order_ids: Sequence[str]) -> dict[tuple[str, int], LostLine]:
        """By (order_id, line_number): units whose reservation gave way, not replaced yet."""
        rows = fetch(
            self._connection,
            "with lost as (select order_id, line_number, min(ledger_sequence) as since"
            " from reservation_movement"
            " where order_id = any(%s::uuid[]) and kind = 'moved_to_shortage' group by 1, 2)"
            " select order_id::text, line_number, min(r.sku), -sum(r.quantity) filter"
            " (where r.kind = 'moved_to_shortage' or r.is_start and r.ledger_sequence > lost.since)"
            "::bigint, (min(line.unit_price) * 10000)::bigint, array_agg(distinct r.node_id)"
            " from lost join reservation_movement r using (order_id, line_number)"
            " join order_line line using (order_id, line_number) group by 1, 2",
            list(order_ids),
        )
        return {(row[0], row[1]): LostLine(*row[2:]) for row in rows if row[3] > 0}

    def hold_sale(self, holds: Sequence[tuple[str, str, str, int]], at: datetime) -> None:
        """From now on a channel may not sell a SKU, by (channel, sku, case_id, cycle)."""
        execute(
            self._connection,
            "insert into sale_hold (channel, sku, case_id, cycle, held_at)"
            " select *, %s from unnest(%s::text[], %s::text[], %s::uuid[], %s::integer[])"
            " on conflict do nothing",
            at,
            *map(list, zip(*holds, strict=True)),
        )
        self.mark_unpublished({sku for _, sku, _, _ in holds})

    def held_from_sale(self) -> set[tuple[str, str]]:
        """(channel, sku) that may not be sold; what is over since the last call ends here."""
        over = fetch(
            self._connection,
            "update sale_hold h set ended_at = c.closed_at, recorded_at = now(),"
            " recorded_xid = pg_current_xact_id() from exception_case c"
            " where h.ended_at is null and c.case_id = h.case_id and c.status = 'closed'"
            " returning h.sku",
        )
        if over:
            self.mark_unpublished({row[0] for row in over})
        return set(
            fetch(self._connection, "select channel, sku from sale_hold where ended_at is null")
        )

    def moved_since(
        self, positions: Iterable[tuple[str, str]], instant: datetime
    ) -> dict[tuple[str, str], int]:
        """Σ stock movements per (node_id, sku) that happened after an instant."""
        wanted = list(positions)
        rows = fetch(
            self._connection,
            "select m.node_id, m.sku, sum(m.quantity)::bigint from stock_movement m"
            " join unnest(%s::text[], %s::text[]) as w (node_id, sku)"
            " on w.node_id = m.node_id and w.sku = m.sku"
            " where m.occurred_at > %s group by m.node_id, m.sku",
            [node for node, _ in wanted],
            [sku for _, sku in wanted],
            instant,
        )
        return {(node, sku): quantity for node, sku, quantity in rows}

    def counted_since(self, skus: Iterable[str], instant: datetime) -> list[Count]:
        """The last count of each position of these SKUs, if it is of that instant or later."""
        rows = fetch(
            self._connection,
            "select distinct on (node_id, sku) node_id, sku, counted_quantity, occurred_at"
            " from inventory_counted where sku = any(%s) and occurred_at >= %s"
            " order by node_id, sku, occurred_at desc, reference_id",
            list(skus),
            instant,
        )
        return list(map(Count._make, rows))

    def take_unpublished(self) -> tuple[Columns, dict[str, datetime]]:
        """Node, SKU and unpromised quantity of every node of SKUs that changed; marks them.

        Also when the earliest change of each of these SKUs happened.
        """
        changed = fetch(
            self._connection,
            "with changed as (select node_id, sku, unpublished_since from stock_position"
            " where is_unpublished order by node_id, sku for update)"
            " update stock_position p set is_unpublished = false, unpublished_since = null"
            " from changed c where p.node_id = c.node_id and p.sku = c.sku"
            " returning c.sku, c.unpublished_since",
        )
        if not changed:
            return {}, {}
        since: dict[str, datetime] = {}
        for sku, instant in changed:
            moment = instant or self._effective_at
            since[sku] = min(moment, since.get(sku, moment))
        return self.unpromised(since), since

    def unpromised(self, skus: Iterable[str]) -> Columns:
        """``node_id``, ``sku`` and ``unpromised_quantity`` of all nodes, unlocked."""
        # Whole columns at once: tens of thousands of rows would be taken apart one by one.
        node_ids, found, unpromised = fetch(
            self._connection,
            "select coalesce(array_agg(node_id), '{}'), coalesce(array_agg(sku), '{}'),"
            " coalesce(array_agg(on_hand_quantity - reserved_quantity - allocated_quantity), '{}')"
            " from stock_position where sku = any(%s)",
            list(skus),
        )[0]
        return {"node_id": node_ids, "sku": found, "unpromised_quantity": unpromised}

    def take_unpublished_bundles(self, skus: Iterable[str]) -> dict[str, Components]:
        """What is in bundles of these SKUs, and in those that changed themselves, by their SKU."""
        return by_bundle(
            fetch(
                self._connection,
                "with changed as (update bundle_component set is_unpublished = false"
                " where is_unpublished returning bundle_sku)"
                " select bundle_sku, component_sku, quantity from bundle_component"
                " where bundle_sku in (select bundle_sku from bundle_component"
                " where component_sku = any(%s) union all select bundle_sku from changed)"
                " order by bundle_sku, component_number",
                list(skus),
            )
        )

    def waiting(self, skus: Iterable[str]) -> dict[str, int]:
        """Units that order lines wait for, by SKU; those for which nobody waits are left out."""
        rows = fetch(
            self._connection,
            "select sku, sum(open_quantity)::bigint from supply_pool"
            " where sku = any(%s) and open_quantity > 0 group by sku",
            list(skus),
        )
        return dict(rows)

    def mark_unpublished(self, skus: Iterable[str]) -> None:
        """What channels may sell of these SKUs, now or later, is to be told again if it changed."""
        execute(
            self._connection,
            "update stock_position set is_unpublished = true,"
            " unpublished_since = least(unpublished_since, %s) where sku = any(%s)",
            self._effective_at,
            sorted(skus),
        )

    def outlook(self, skus: Iterable[str]) -> dict[tuple[str, str], list[tuple[datetime, int]]]:
        """What each (channel, sku) was last told of later: (expected at, units) by time."""
        rows = fetch(
            self._connection,
            "select channel, sku, expected_at, available_quantity from availability_outlook"
            " where sku = any(%s) order by channel, sku, expected_at",
            list(skus),
        )
        told: dict[tuple[str, str], list[tuple[datetime, int]]] = defaultdict(list)
        for channel, sku, expected_at, quantity in rows:
            told[channel, sku].append((expected_at, quantity))
        return told

    def put_outlook(self, told: Mapping[tuple[str, str], Sequence[tuple[datetime, int]]]) -> None:
        """Replace what these (channel, sku) are told of later."""
        if not told:
            return
        execute(
            self._connection,
            "delete from availability_outlook o using unnest(%s::text[], %s::text[])"
            " as c (channel, sku) where o.channel = c.channel and o.sku = c.sku",
            [channel for channel, _ in told],
            [sku for _, sku in told],
        )
        rows = [
            (*key, *later, self._effective_at) for key, of_key in told.items() for later in of_key
        ]
        if rows:
            names = ("channel", "sku", "expected_at", "available_quantity", "effective_at")
            copy_into(self._connection, "availability_outlook", in_columns(names, rows))

    def forget_published(self, channel: str, skus: Sequence[str]) -> None:
        """Let a channel be told of these SKUs again, whatever it was told last."""
        execute(
            self._connection,
            "delete from channel_availability where channel = %s and sku = any(%s)",
            channel,
            list(skus),
        )
        self.mark_unpublished(skus)

    def published(self, skus: Iterable[str]) -> dict[tuple[str, str], int]:
        """What each (channel, sku) was last told."""
        rows = fetch(
            self._connection,
            "select channel, sku, published_quantity from channel_availability where sku = any(%s)",
            list(skus),
        )
        return {(channel, sku): quantity for channel, sku, quantity in rows}

    def put_published(self, columns: Columns) -> None:
        """Keep what channels are told, and at which point of the ledgers it was true."""
        count = len(columns["sku"])
        watermark = fetch(self._connection, "select last_value from stock_ledger_sequence")[0][0]
        upsert(
            self._connection,
            "channel_availability",
            {
                **columns,
                "policy_hash": [self._policy_hash] * count,
                "ledger_watermark": [watermark] * count,
                "effective_at": [self._effective_at] * count,
            },
            ["channel", "sku"],
        )
