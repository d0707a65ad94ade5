"""Who may wait for supply, until when, and who is served first when it comes. Pure.

These rules go line by line: what one line is given is what the next may no longer have. Only lines
that lack stock come here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

POOL_IS_FULL = "pool_is_full"
NO_SUPPLY = "no_supply_announced"
SUPPLY_IS_TOO_LATE = "supply_is_too_late"
NOT_RELEASED = "not_released"


@dataclass
class _Cover:
    """Supply of one SKU by time: running sums of units, and from when on they are there."""

    sums: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)

    def first(self, units: int) -> datetime | None:
        """When so many units are there."""
        position = int(np.searchsorted(self.sums, units))
        return self.times[position] if position < len(self.times) else None


def accept_into_pools(
    lines: pd.DataFrame,
    pools: Mapping[tuple[str, str], int],
    waiting: Mapping[str, int],
    supply: pd.DataFrame,
) -> pd.DataFrame:
    """Take order lines into pools as long as cap and announced supply allow it.

    Args:
        lines: In the order in which they were placed: ``sku``, ``pool``, ``quantity`` and
            ``cap_quantity`` (each), ``put_away`` (from the dock to the shelf), ``latest_at`` (UTC;
            supply after it is too late) and ``not_before_at`` (UTC or missing; nothing leaves
            earlier).
        pools: Units in each (sku, pool) so far.
        waiting: Units of each SKU that lines before these wait for, in all its pools.
        supply: ``sku``, ``expected_at`` and ``quantity`` (each): what may be promised, in which
            stock that nobody else may have counts as expected now.

    Returns:
        ``lines`` in its own order with ``available_from`` (UTC, missing where it is not taken in)
        and ``refusal_code`` (missing where it is).
    """
    covers = _covers(supply)
    taken, ahead = dict(pools), dict(waiting)
    available: list[datetime | None] = []
    refusals: list[str | None] = []
    columns = ("sku", "pool", "quantity", "cap_quantity", "put_away", "not_before_at", "latest_at")
    for sku, pool, units, cap, put_away, first_day, latest in _rows(lines, *columns):
        when, refusal = None, None
        if taken.get((sku, pool), 0) + units > cap:
            refusal = POOL_IS_FULL
        else:
            when = covers[sku].first(ahead.get(sku, 0) + units)
            if when is None:
                refusal = NO_SUPPLY
            else:
                when += put_away
                when = when if pd.isna(first_day) else max(when, first_day)
                if when > latest:
                    when, refusal = None, SUPPLY_IS_TOO_LATE
        if when is not None:
            taken[sku, pool] = taken.get((sku, pool), 0) + units
            ahead[sku] = ahead.get(sku, 0) + units
        available.append(when)
        refusals.append(refusal)
    return lines.assign(
        available_from=pd.Series(available, lines.index, dtype="datetime64[us, UTC]"),
        refusal_code=pd.Series(refusals, lines.index, dtype="object"),
    )


def expect_again(waiting: pd.DataFrame, supply: pd.DataFrame) -> pd.Series:
    """When each line that waits can be served, by what is announced now.

    Args:
        waiting: ``sku``, ``quantity`` (each) and ``put_away``, the longest waiting first.
        supply: ``sku``, ``expected_at`` and ``quantity`` (each), by SKU and time.

    Returns:
        An instant (UTC) for each row, missing where nothing is announced for it.
    """
    covers = _covers(supply)
    ahead = waiting.groupby("sku")["quantity"].cumsum()
    found = [
        covers[str(sku)].first(int(units)) for sku, units in zip(waiting["sku"], ahead, strict=True)
    ]
    return pd.Series(found, waiting.index, dtype="datetime64[us, UTC]") + waiting["put_away"]


def share_supply(
    waiting: pd.DataFrame, now: datetime, may_be_overtaken: timedelta
) -> tuple[list[int], set[str]]:
    """Which lines are served from what is there: the longest waiting first, each whole.

    A line that is larger than what is there lets smaller ones pass until it has waited for longer
    than it may be overtaken; then everything behind it waits with it.

    Args:
        waiting: ``sku``, ``quantity``, ``available_quantity`` (each; what its policy may give of
            the SKU before anybody here is served) and ``opened_at``, the longest waiting first.
        now: The instant of the decision.
        may_be_overtaken: For how long.

    Returns:
        Positions of the lines that are served, and SKUs at which nobody passes any more.
    """
    given: dict[str, int] = defaultdict(int)
    served: list[int] = []
    closed: set[str] = set()
    columns = ("sku", "quantity", "available_quantity", "opened_at")
    for position, (sku, units, available, opened_at) in enumerate(_rows(waiting, *columns)):
        if sku in closed:
            continue
        if given[sku] + units <= available:
            given[sku] += units
            served.append(position)
        elif now - opened_at > may_be_overtaken:
            closed.add(sku)
    return served, closed


def _rows(frame: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[name].tolist() for name in columns), strict=True)


def _covers(supply: pd.DataFrame) -> dict[str, _Cover]:
    covers: dict[str, _Cover] = defaultdict(_Cover)
    ordered = supply.sort_values("expected_at", kind="stable")
    for sku, expected_at, quantity in _rows(ordered, "sku", "expected_at", "quantity"):
        cover = covers[sku]
        cover.sums.append((cover.sums[-1] if cover.sums else 0) + quantity)
        cover.times.append(expected_at)
    return covers
