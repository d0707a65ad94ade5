"""A supplier who ships for the retailer: his own goods, from his own place, to the customer.

He is asked as a warehouse is and answers as one, but never on the same day. What he has is his own
word: a count when a SKU is listed, then each night what he has made and what he has sold to others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from assets.contracts.inventory import (
    AdjustedLine,
    CountedLine,
    InventoryAdjusted,
    InventoryCounted,
)
from resources.sandbox.erp import Item
from resources.sandbox.partner import World
from resources.sandbox.settings import NodeSetting
from resources.sandbox.snapshots import StockBook
from resources.sandbox.wms import FulfilmentOrder, Wms

_FEED_AT = time(1)
#: Others buy these few units at a time, where he has more than he would keep for them.
_SOLD_ELSEWHERE = (1, 3)
_KEPT = 12
_SOLD_RATE = 0.03


class Supplier(Wms):
    """Holds the SKUs that only he has."""

    CANNOT = "out_of_stock"

    def __init__(self, code: str, world: World) -> None:
        super().__init__(code, world)
        self._shelves = StockBook()
        #: By SKU where it is, and what he has of it when he has made it anew.
        self._usual: dict[str, tuple[str, int]] = {}
        #: What he has of each when all that he was asked for has left.
        self._free: defaultdict[str, int] = defaultdict(int)
        self._uncounted: list[Item] = []
        self._next_feed: datetime | None = None

    @property
    def shelves(self) -> StockBook:
        """His own; nobody else's goods lie there."""
        return self._shelves

    def shelve(self, moment: datetime, node_id: str, sku: str, quantity: int) -> None:
        """Put units on his shelves, or take them off."""
        self._free[sku] += quantity
        super().shelve(moment, node_id, sku, quantity)

    def works_at(self, node: NodeSetting) -> bool:
        """Only where the retailer holds nothing."""
        return node.kind == "drop_ship"

    def list_items(self, items: Iterable[Item]) -> None:
        """Take up what the retailer lists of his, once."""
        for item in items:
            node_id = item.supplied_by
            is_his = node_id is not None and self.works_at(self.world.node(node_id))
            if node_id is not None and is_his and item.sku not in self._usual:
                self._usual[item.sku] = (node_id, item.opening_quantity or _KEPT)
                self._uncounted.append(item)

    def is_idle(self, until: datetime) -> bool:
        """Whether no count, no feed and no snapshot is due."""
        feed = self._feed_due()
        return (
            super().is_idle(until)
            and not any(item.first_seen_at <= until for item in self._uncounted)
            and (feed is None or feed > until)
        )

    def prepare(self, until: datetime) -> None:
        """Count what is new, tell each night what has changed, and each day what there is."""
        while (feed := self._feed_due()) is not None and feed <= until:
            self._count(feed)
            self._feed(feed)
            self._next_feed = self._night_after(feed)
        self._count(until)
        super().prepare(until)

    def _leaves_at(self, decided: datetime, wanted: FulfilmentOrder) -> datetime:
        return self._next_working_day(decided, wanted)

    def _count(self, until: datetime) -> None:
        """Say once what there is of each SKU that is listed by then."""
        due: dict[tuple[str, datetime], list[CountedLine]] = {}
        for item in sorted(self._uncounted, key=lambda item: item.sku):
            if item.first_seen_at <= until:
                node_id, units = self._usual[item.sku]
                line = CountedLine(sku=item.sku, quantity=units)
                due.setdefault((node_id, item.first_seen_at), []).append(line)
                self.shelve(item.first_seen_at, node_id, item.sku, units)
        self._uncounted = [item for item in self._uncounted if item.first_seen_at > until]
        for (node_id, at), lines in due.items():
            number = f"SC-{node_id}-{at:%Y%m%d%H%M}"
            counted = InventoryCounted(
                document_number=number, node_id=node_id, lines=lines, is_synthetic=True
            )
            self.tell("retail.inventory.counted.v1", at, counted, number)

    def _feed(self, at: datetime) -> None:
        """What he has made since the night before, and what others have bought."""
        changed: dict[str, list[tuple[str, int]]] = {}
        for sku, (node_id, usual) in sorted(self._usual.items()):
            units = self._change(sku, usual, at)
            if units:
                changed.setdefault(node_id, []).append((sku, units))
                self.shelve(at, node_id, sku, units)
        for node_id, lines in changed.items():
            number = f"SF-{node_id}-{at:%Y%m%d}"
            adjusted = InventoryAdjusted(
                document_number=number,
                node_id=node_id,
                reason="supplier_feed",
                lines=[
                    AdjustedLine(line_number=n, sku=sku, quantity=units)
                    for n, (sku, units) in enumerate(lines, 1)
                ],
            )
            self.tell("retail.inventory.adjusted.v1", at, adjusted, number)

    def _change(self, sku: str, usual: int, at: datetime) -> int:
        """Units (each, signed); what the retailer has asked for is not sold to others."""
        free = self._free[sku]
        if free <= usual // 3:
            return usual - free
        chance = self.world.chance
        if free > _KEPT and chance.happens(_SOLD_RATE, "elsewhere", sku, f"{at:%Y%m%d}"):
            return -chance.between(*_SOLD_ELSEWHERE, "bought", sku, f"{at:%Y%m%d}")
        return 0

    def _feed_due(self) -> datetime | None:
        if self._next_feed is None and self._usual:
            listed = [item.first_seen_at for item in self._uncounted]
            starts_at = self.world.settings.starts_at or min(listed, default=None)
            self._next_feed = None if starts_at is None else self._night_after(starts_at)
        return self._next_feed

    def _night_after(self, instant: datetime) -> datetime:
        zone = self.world.zone()
        day = instant.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(day, _FEED_AT, zone).astimezone(UTC)
