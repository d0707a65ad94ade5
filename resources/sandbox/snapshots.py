"""What a system believes, told once a day: the book it keeps, and when it is asked for.

A system tells of an instant hours ago, when it has heard of all that happened until then, as a
nightly job does. Each system makes its lines in a method of its own, from nothing but what it was
told and did itself; what it gets wrong of them is in `stock_faults`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, TypeVar

from assets.contracts.inventory import InventorySnapshotTaken, SnapshotLine

if TYPE_CHECKING:
    from resources.sandbox.chance import Chance
    from resources.sandbox.partner import PartnerSystem, World

#: What the contract takes in one document.
MOST_LINES = 5_000
T = TypeVar("T")
#: Units that suppliers pack together.
_CASES = (4, 6, 8, 10, 12)
#: For how long a book can still say what moved; longer than anybody looks for a document.
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True)
class Reading:
    """One snapshot of a system: the instant that it is of, and when it and the next are told."""

    as_of: datetime
    told_at: datetime
    next_told_at: datetime


class StockBook:
    """Units by node and SKU as they were at an instant; instants are asked for in order."""

    def __init__(self) -> None:
        self._units: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._ahead: list[tuple[datetime, str, str, int]] = []
        self._moved: defaultdict[tuple[str, str], list[tuple[datetime, int]]] = defaultdict(list)

    def move(self, moment: datetime, node_id: str, sku: str, quantity: int) -> None:
        """Note units that come or go at a moment, which may still be ahead."""
        self._ahead.append((moment, node_id, sku, quantity))
        moved = self._moved[node_id, sku]
        if moved and moved[0][0] < moment - REMEMBERED:
            moved[:] = [one for one in moved if one[0] >= moment - REMEMBERED]
        moved.append((moment, quantity))

    def moved(self, node_id: str, sku: str, since: datetime) -> list[tuple[datetime, int]]:
        """(when, units) of all that moved or will move since an instant of the last weeks."""
        return [one for one in self._moved.get((node_id, sku), ()) if one[0] > since]

    def at(self, instant: datetime) -> dict[str, dict[str, int]]:
        """By node, the units of each SKU; what was noted late counts from now on."""
        ahead = []
        for movement in self._ahead:
            moment, node_id, sku, quantity = movement
            if moment > instant:
                ahead.append(movement)
            else:
                of_node = self._units[node_id]
                of_node[sku] = of_node.get(sku, 0) + quantity
        self._ahead = ahead
        return self._units


class Daily:
    """The instants of which a system tells, one a day at the hour that the settings name."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next: datetime | None = None

    def is_idle(self, until: datetime) -> bool:
        """Whether nothing is to be told by then."""
        due = self._due()
        return due is None or due + self._delay > until

    def take(self, until: datetime) -> Iterator[Reading]:
        """All that is due."""
        while (due := self._due()) is not None and due + self._delay <= until:
            reading = self._reading(due)
            self._next = reading.next_told_at - self._delay
            yield reading

    def first(self, instant: datetime) -> Reading:
        """The first snapshot of an instant or after it that is not told yet."""
        day = instant.astimezone(self._world.zone()).date()
        moment = self._moment(day)
        if moment < instant:
            moment = self._moment(day + timedelta(days=1))
        due = self._due()
        return self._reading(moment if due is None else max(moment, due))

    def _reading(self, as_of: datetime) -> Reading:
        following = self._moment(as_of.astimezone(self._world.zone()).date() + timedelta(days=1))
        return Reading(as_of, as_of + self._delay, following + self._delay)

    @property
    def _delay(self) -> timedelta:
        return timedelta(hours=self._world.settings.snapshot_delay_hours)

    def _due(self) -> datetime | None:
        settings = self._world.settings
        if settings.snapshot_hour is None or settings.starts_at is None:
            return None
        if self._next is None:
            day = settings.starts_at.astimezone(self._world.zone()).date()
            first = self._moment(day)
            self._next = first if first > settings.starts_at else self._moment(day + timedelta(1))
        return self._next

    def _moment(self, day: date) -> datetime:
        hour = self._world.settings.snapshot_hour or 0
        return datetime.combine(day, time(hour), self._world.zone()).astimezone(UTC)


def tell_nodes(
    system: PartnerSystem,
    reading: Reading,
    lines_by_node: Iterable[tuple[str, Sequence[SnapshotLine]]],
) -> None:
    """One document for each node and 5,000 SKUs."""
    for node_id, lines in lines_by_node:
        for number, part in enumerate(parts(lines), start=1):
            document = f"SN-{system.code}-{node_id}-{reading.as_of:%Y%m%d}-{number}"
            taken = InventorySnapshotTaken(
                document_number=document,
                system=system.code,
                as_of=reading.as_of,
                node_id=node_id,
                lines=part,
            )
            system.tell("retail.inventory.snapshot_taken.v1", reading.told_at, taken, document)


def node_lines(units: dict[str, int], chance: Chance) -> list[SnapshotLine]:
    """The lines of one node, by SKU; each says how many units come in a case."""
    return [
        SnapshotLine(
            sku=sku,
            quantity=quantity,
            units_per_case=_CASES[chance.between(0, len(_CASES) - 1, "case", sku)],
        )
        for sku, quantity in sorted(units.items())
    ]


def parts(lines: Sequence[T]) -> Iterator[list[T]]:
    """What fits into one document each."""
    for start in range(0, len(lines), MOST_LINES):
        yield list(lines[start : start + MOST_LINES])
