"""What systems get wrong about stock and prices: books, counts, levels and shown prices.

A system that is wrong is so in what it tells, and puts itself right after a while, as somebody who
was asked about it would; what lies on the shelves and what was sold is the same as without. One
subject of one system is struck once, and only where nothing else is under way, so that each fault
can be told from the others and from what is merely late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assets.commerce.money import to_ten_thousandths, to_text
from assets.contracts.inventory import SnapshotLine
from assets.contracts.master_data import ShownPrice
from resources.sandbox.answer_key import ABSORBED, Drift

if TYPE_CHECKING:
    from resources.sandbox.partner import World
    from resources.sandbox.snapshots import Reading, StockBook

#: A case that the product opens for whoever has to put a feed or a book right.
DRIFT_CASE = "case:stock_drift"
#: How long a SKU has lain still that is counted wrongly: word of what moved it has come.
_STILL = timedelta(days=2)
#: Units that nobody waits for, of what is counted wrongly: nothing that was promised is gone.
_PLENTY = 12
_MISCOUNTS = (2, 3, 4, 5)
#: A document that was not booked for so long is lost, whoever is asked.
_LOST_FOR = timedelta(days=3)
#: A book is put right after its third snapshot that is wrong.
_NOTICED_AFTER = timedelta(days=2)
_SOON = timedelta(hours=1)
_BASIS_POINTS = (-2_000, -1_000, -500, 500, 1_000, 2_000)

Booking = tuple[datetime, int]


@dataclass
class _Shown:
    """A level that a channel shows in place of the one that it was told."""

    quantity: int
    since: datetime


class StockFaults:
    """Strikes what one sandbox's systems believe, and notes it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._struck: set[str] = set()
        self._levels: dict[tuple[str, str], _Shown] = {}

    def book(
        self,
        system: str,
        document: str,
        place: str,
        sku: str,
        units: int,
        moment: datetime,
        reading: Callable[[datetime], Reading],
    ) -> list[Booking]:
        """When and how a system enters a document: once, at its own time, unless it is struck.

        Args:
            system: Whose book it is.
            document: What tells it from all others.
            place: The node that it is about.
            sku: With ``units`` (each, signed), its line.
            units: What it does to stock.
            moment: Its own time.
            reading: Gives the first snapshot of that system at an instant or after it.
        """
        plain = [(moment, units)]
        strikes, reference = self._world.faults.strikes, f"{document}/{sku}"
        key = f"{system}/{place}/{sku}"
        kind = next(
            (
                kind
                for kind in ("stock_late", "stock_lost", "stock_duplicate")
                if strikes(kind, reference)
            ),
            None,
        )
        if kind is None or not self._is_first(key):
            return plain
        first = reading(moment)
        if kind == "stock_late":
            drift = Drift(first.as_of, first.as_of, "late", -units)
            self._note(kind, system, key, reference, first, drift, ABSORBED)
            return [(first.as_of + _SOON, units)]
        if kind == "stock_lost":
            first = reading(first.as_of + _LOST_FOR)
            last = reading(first.as_of + _NOTICED_AFTER)
            drift = Drift(first.as_of, last.as_of, "lost", -units)
            self._note(kind, system, key, reference, last, drift)
            return [(last.as_of + _SOON, units)]
        last = reading(first.as_of + _NOTICED_AFTER)
        drift = Drift(first.as_of, last.as_of, "duplicate", units)
        self._note(kind, system, key, reference, last, drift)
        return [*plain, (moment, units), (last.as_of + _SOON, -units)]

    def stated(
        self,
        system: str,
        place: str,
        reading: Reading,
        lines: Sequence[SnapshotLine],
        shelves: StockBook,
    ) -> list[SnapshotLine]:
        """The lines of a node's snapshot as whoever counts there tells them."""
        if not any(map(self._world.faults.injects, ("stock_unit_of_measure", "stock_miscount"))):
            return list(lines)
        return [self._stated(system, place, reading, line, shelves) for line in lines]

    def _stated(
        self, system: str, place: str, reading: Reading, line: SnapshotLine, shelves: StockBook
    ) -> SnapshotLine:
        drawn = (system, place, line.sku, f"{reading.as_of:%Y%m%d}")
        if self._world.faults.strikes("stock_unit_of_measure", *drawn):
            return self._in_cases(system, place, reading, line, shelves)
        if self._world.faults.strikes("stock_miscount", *drawn):
            return self._miscounted(system, place, reading, line, shelves)
        return line

    def _in_cases(
        self, system: str, place: str, reading: Reading, line: SnapshotLine, shelves: StockBook
    ) -> SnapshotLine:
        """Cases where units are meant, or each unit taken for a case where that gives no whole."""
        key, size = f"{system}/{place}/{line.sku}", line.units_per_case
        is_quiet = not shelves.moved(place, line.sku, reading.as_of - _STILL)
        if size is None or line.quantity < 1 or not is_quiet or not self._is_first(key):
            return line
        is_whole = line.quantity % size == 0
        wrong = line.quantity // size if is_whole else line.quantity * size
        drift = Drift(reading.as_of, reading.as_of, "unit_of_measure", wrong - line.quantity)
        self._note("stock_unit_of_measure", system, key, key, reading, drift)
        return SnapshotLine(sku=line.sku, quantity=wrong, units_per_case=size)

    def _miscounted(
        self, system: str, place: str, reading: Reading, line: SnapshotLine, shelves: StockBook
    ) -> SnapshotLine:
        """A few more or fewer than there are, and no number that a document would explain."""
        world, key = self._world, f"{system}/{place}/{line.sku}"
        moved = shelves.moved(place, line.sku, reading.as_of - timedelta(days=15))
        waited_for = -sum(min(units, 0) for moment, units in moved if moment > reading.as_of)
        known = {abs(units) for _, units in moved}
        possible = [units for units in _MISCOUNTS if units not in known]
        is_quiet = all(abs(moment - reading.as_of) > _STILL for moment, _ in moved)
        is_plenty = line.quantity - waited_for >= _PLENTY
        if not (possible and is_quiet and is_plenty and self._is_first(key)):
            return line
        by = possible[world.chance.between(0, len(possible) - 1, "miscount", key)]
        off = by if world.chance.happens(0.5, "found", key) else -by
        limit = world.settings.corrected_up_to
        is_asked = limit is not None and by * world.costs[line.sku] > to_ten_thousandths(limit)
        expected = "case:stock_correction" if is_asked else ABSORBED
        drift = Drift(reading.as_of, reading.as_of, "miscount", off)
        self._note("stock_miscount", system, key, key, reading, drift, expected)
        return SnapshotLine(
            sku=line.sku, quantity=line.quantity + off, units_per_case=line.units_per_case
        )

    def offered(
        self, channel: str, reading: Reading, levels: Mapping[str, Sequence[tuple[datetime, int]]]
    ) -> dict[str, int]:
        """What a channel shows of each SKU.

        Args:
            channel: Which.
            reading: The snapshot.
            levels: By SKU what it was told, and as of when; the last is what it should show.
        """
        offered = {sku: told[-1][1] for sku, told in levels.items()}
        for (of_channel, sku), shown in self._levels.items():
            # What it is told anew it shows.
            if of_channel == channel and levels[sku][-1][0] <= shown.since:
                offered[sku] = shown.quantity
        for kind in ("stock_out_of_order", "stock_oversell"):
            if not self._world.faults.injects(kind):
                continue
            for sku, told in levels.items():
                if self._world.faults.strikes(kind, channel, sku, f"{reading.as_of:%Y%m%d}"):
                    self._mislead(kind, channel, sku, reading, told, offered)
        return offered

    def _mislead(
        self,
        kind: str,
        channel: str,
        sku: str,
        reading: Reading,
        told: Sequence[tuple[datetime, int]],
        offered: dict[str, int],
    ) -> None:
        key = f"{channel}/{channel}/{sku}"
        told_of, level = told[-1]
        if kind == "stock_out_of_order":
            # One that it took up in this week, and after it the one before that.
            since = reading.as_of - timedelta(days=7)
            former = [quantity for at, quantity in told if at > since and quantity != level]
            if not former or told_of > reading.as_of - timedelta(hours=1):
                return
            wrong, reason = former[-1], "out_of_order"
        else:
            beyond = self._world.chance.between(3, 12, "oversell", key)
            wrong, reason = max(quantity for _, quantity in told) + beyond, "oversell"
        if not self._is_first(key):
            return
        offered[sku] = wrong
        self._levels[channel, sku] = _Shown(wrong, reading.as_of)
        drift = Drift(reading.as_of, reading.as_of, reason, wrong - level)
        self._note(kind, channel, key, key, reading, drift)

    def shown(
        self, channel: str, reading: Reading, prices: Sequence[ShownPrice]
    ) -> list[ShownPrice]:
        """The prices that a channel's customers see."""
        if not self._world.faults.injects("price_mismatch"):
            return list(prices)
        return [self._shown(channel, reading, price) for price in prices]

    def _shown(self, channel: str, reading: Reading, right: ShownPrice) -> ShownPrice:
        faults, key = self._world.faults, f"{channel}/{right.sku}"
        is_struck = faults.strikes("price_mismatch", key, f"{reading.as_of:%Y%m%d}")
        if not is_struck or not self._is_first(key):
            return right
        turn = self._world.chance.between(0, len(_BASIS_POINTS) - 1, "mismatch", key)
        amount = to_ten_thousandths(right.unit_price)
        wrong = amount * (10_000 + _BASIS_POINTS[turn]) // 10_000 // 100 * 100
        # Of a few pence a share may be nothing.
        wrong += 100 * (wrong == amount)
        expected, over_at = "case:price_parity", reading.next_told_at
        faults.note("price_mismatch", reading.told_at, channel, key, key, expected, over_at=over_at)
        return ShownPrice(sku=right.sku, unit_price=to_text(wrong))

    def _is_first(self, key: str) -> bool:
        """Whether nothing has struck this subject before; from now on something has."""
        if key in self._struck:
            return False
        self._struck.add(key)
        return True

    def _note(
        self,
        kind: str,
        system: str,
        key: str,
        reference: str,
        reading: Reading,
        drift: Drift,
        expected: str = DRIFT_CASE,
    ) -> None:
        self._world.faults.note(
            kind,
            reading.told_at,
            system,
            key,
            reference,
            expected,
            drift=drift,
            over_at=reading.next_told_at,
        )
