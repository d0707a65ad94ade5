"""Lines of new orders that lack stock: taken into a pool where supply is announced for them.

A line is reserved whole or waits whole: what it was given of its units goes back to the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from assets.commerce.money import to_ten_thousandths
from assets.contracts.order import OrderLine
from assets.inventory.inbound import believed_supply
from assets.order_to_fulfillment.backordering.decision import KIND, decide_pools, keep, pools_hash
from assets.order_to_fulfillment.backordering.policy import BACKORDER, PREORDER
from assets.order_to_fulfillment.backordering.rules import NOT_RELEASED
from assets.order_to_fulfillment.intake import Candidate
from assets.order_to_fulfillment.sourcing.lacking import OUT_OF_STOCK, PROTECTED_STORE_STOCK
from assets.order_to_fulfillment.writes import Writes
from assets.ports import PooledLine, ProductTerms

#: What more stock would cure.
CURED_BY_SUPPLY = frozenset({OUT_OF_STOCK, PROTECTED_STORE_STOCK})


@dataclass(frozen=True)
class _Short:
    """A line that lacks stock, or may not leave yet."""

    candidate: Candidate
    line: OrderLine
    index: int
    pool: str


def pool_short_lines(
    candidates: list[Candidate], products: dict[str, ProductTerms], writes: Writes
) -> None:
    """Decide which lines wait for supply; fills ``pooled`` of the candidates.

    Where no policy lets anything wait, or nothing is announced, nothing is decided.
    """
    short = [found for candidate in candidates for found in _short(candidate, products)]
    # What is collected is collected today or ordered again.
    short = [found for found in short if not found.candidate.store_id and _cap(found, writes)]
    if not short:
        return
    tables, scopes = _tables(short, products, writes)
    if tables["supply"].empty:
        return
    decided = decide_pools(tables, scopes, writes.backorder_policy)
    said = []
    for found, available_from, refusal in zip(
        short, decided["available_from"], decided["refusal_code"], strict=True
    ):
        key = f"{found.candidate.order_id}/{found.line.line_number}"
        if refusal is None:
            _pool(found, available_from.to_pydatetime())
            said.append((key, "waits", [found.pool]))
        else:
            said.append((key, "refused", [refusal]))
    keep(KIND, tables, scopes, pools_hash(decided), said, writes)


def _short(candidate: Candidate, products: dict[str, ProductTerms]) -> list[_Short]:
    """Plain lines that may wait; of what has its first day still to come nothing leaves before.

    A bundle does not wait: its components would come at different times.
    """
    found = []
    for line, indexes in candidate.stretches():
        parts = candidate.bundled.get(line.line_number)
        skus = [line.sku, *(part.sku for part in parts or ())]
        if any(_is_to_come(products[sku], candidate) for sku in skus):
            for index in indexes:
                candidate.sourced.pop(index, None)
                candidate.unmet[index] = NOT_RELEASED
            pool = PREORDER
        elif candidate.unmet.get(indexes.start) in CURED_BY_SUPPLY:
            pool = BACKORDER
        else:
            continue
        if parts is None:
            found.append(_Short(candidate, line, indexes.start, pool))
    return found


def _is_to_come(terms: ProductTerms, candidate: Candidate) -> bool:
    first_day = terms.available_from
    return first_day is not None and first_day > candidate.event.occurred_at


def _cap(found: _Short, writes: Writes) -> int:
    event = found.candidate.event
    return writes.backorder_policy(event.region, event.brand).cap(found.pool, event.channel)


def _pool(found: _Short, available_from: datetime) -> None:
    candidate, line = found.candidate, found.line
    candidate.sourced.pop(found.index, None)
    del candidate.unmet[found.index]
    candidate.pooled[found.index] = PooledLine(
        candidate.order_id,
        line.line_number,
        line.sku,
        found.pool,
        line.quantity,
        to_ten_thousandths(line.unit_price),
        available_from,
        candidate.event.occurred_at,
    )


def _tables(
    short: list[_Short], products: dict[str, ProductTerms], writes: Writes
) -> tuple[dict[str, pd.DataFrame], list[tuple[str, str, str]]]:
    events = [found.candidate.event for found in short]
    scopes = list(dict.fromkeys((e.channel, e.region, e.brand) for e in events))
    lines = pd.DataFrame(
        [
            (
                found.candidate.order_id,
                found.line.line_number,
                found.line.sku,
                found.pool,
                found.line.quantity,
                scopes.index((event.channel, event.region, event.brand)),
                event.occurred_at,
                products[found.line.sku].available_from if found.pool == PREORDER else None,
            )
            for found, event in zip(short, events, strict=True)
        ],
        columns=[
            "order_id", "line_number", "sku", "pool", "quantity", "scope", "opened_at",
            "not_before_at",
        ],
    )  # fmt: skip
    instants = dict.fromkeys(("opened_at", "not_before_at"), "datetime64[us, UTC]")
    skus = set(lines["sku"])
    pools = writes.unit_of_work.supply.pools(skus)
    return {
        "lines": lines.astype(instants),
        "pools": pd.DataFrame(
            [(*key, units) for key, units in sorted(pools.items())],
            columns=["sku", "pool", "open_quantity"],
        ).astype({"open_quantity": "int64"}),
        "supply": promisable(skus, {f.line.sku for f in short if f.pool == PREORDER}, writes),
    }, scopes


def promisable(skus: set[str], shelved: set[str], writes: Writes) -> pd.DataFrame:
    """``sku``, ``expected_at``, ``quantity`` that may be promised: supply, and shelves of some.

    Args:
        skus: Of which supply is asked for.
        shelved: SKUs of which what is on the shelves counts as supply too, since nobody may have
            it before its first day.
        writes: The transaction.
    """
    now = writes.unit_of_work.effective_at
    supply = believed_supply(skus, writes.unit_of_work)
    positions = writes.unit_of_work.stock.lock_positions(shelved) if shelved else []
    shelves = pd.DataFrame(
        [(held.sku, now, held.unpromised) for held in positions if held.unpromised > 0],
        columns=["sku", "expected_at", "quantity"],
    )
    return pd.concat([shelves.astype(supply.dtypes.to_dict()), supply], ignore_index=True)
