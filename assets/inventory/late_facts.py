"""Facts that are told after a count, though they happened before it: the count knew them already.

A count is booked as the difference to what the books held. What the books learn later of the time
before it is part of that difference, so it moves stock in the ledger and takes itself back as a
correction of the count: the position stays what was counted, and the two entries say why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from assets.commerce.identifiers import identify_text
from assets.inventory.ledger import Movement, StockLedgers
from assets.inventory.rules import correct_count
from assets.ports import Count, ProductTerms, Scope, UnitOfWork

REASON = "told_after_the_count"

Key = tuple[str, str]


def counted_before_told(
    movements: Sequence[Movement], unit_of_work: UnitOfWork
) -> dict[Key, Count]:
    """The last count of each position that knew at least one of these movements."""
    if not movements:
        return {}
    earliest = min(movement.occurred_at for movement in movements)
    skus = {movement.sku for movement in movements}
    counts = {
        (count.node_id, count.sku): count
        for count in unit_of_work.stock.counted_since(skus, earliest)
    }
    return {
        (movement.node_id, movement.sku): counts[movement.node_id, movement.sku]
        for movement in movements
        if is_known_to(counts.get((movement.node_id, movement.sku)), movement)
    }


def is_known_to(count: Count | None, movement: Movement) -> bool:
    """Whether a count was taken when the movement had happened."""
    return count is not None and movement.occurred_at <= count.occurred_at


def beyond_the_count(counts: Mapping[Key, Count], unit_of_work: UnitOfWork) -> dict[Key, int]:
    """Units that the books hold above what was counted and moved since, by position.

    Books that were told of a despatch late could not fall to what was counted: units that a node
    is picking are never written off.
    """
    positions = {
        (position.node_id, position.sku): position.on_hand
        for position in unit_of_work.stock.lock_positions({sku for _, sku in counts})
    }
    excess = {}
    by_instant: dict[object, list[Key]] = defaultdict(list)
    for key, count in counts.items():
        by_instant[count.occurred_at].append(key)
    for keys in by_instant.values():
        moved = unit_of_work.stock.moved_since(keys, counts[keys[0]].occurred_at)
        for key in keys:
            expected = counts[key].quantity + moved.get(key, 0)
            excess[key] = max(0, positions.get(key, 0) - expected)
    return excess


def correct_counts(
    movements: Iterable[tuple[Scope, Movement]],
    products: Mapping[str, ProductTerms],
    ledgers: StockLedgers,
) -> None:
    """Take back, as corrections of their counts, what these movements say twice.

    Args:
        movements: What is booked in this unit of work, with whose books it is in.
        products: Terms of every SKU among them.
        ledgers: Where counts and positions are read, and what takes the corrections.
    """
    booked = list(movements)
    counts = counted_before_told([movement for _, movement in booked], ledgers.unit_of_work)
    if not counts:
        return
    # Only units that a node was picking can be more than the count knew.
    picked = {(m.node_id, m.sku) for _, m in booked if m.kind == "shipped"} & counts.keys()
    known = {key: counts[key] for key in picked}
    excess = beyond_the_count(known, ledgers.unit_of_work) if picked else {}
    for scope, movement in booked:
        key = (movement.node_id, movement.sku)
        count = counts.get(key)
        if count is None or not is_known_to(count, movement):
            continue
        settles = excess[key] if movement.kind == "shipped" else 0
        correction, left = correct_count(movement.quantity, settles)
        if settles:
            excess[key] = left
        if correction:
            terms = products[movement.sku]
            _enter(correction, movement, count, scope, terms, ledgers)


def _enter(
    correction: int,
    movement: Movement,
    count: Count,
    scope: Scope,
    terms: ProductTerms,
    ledgers: StockLedgers,
) -> None:
    """Book units (each) as a correction of a count, at its time, with their value."""
    reference = identify_text("count_correction", str(movement.reference_id))
    ledgers.rows["stock_movement"].append(
        movement._replace(
            kind="counted",
            quantity=correction,
            reason_code=REASON,
            reference_id=reference,
            order_id=None,
            occurred_at=count.occurred_at,
        )
    )
    ledgers.positions.add(movement.node_id, movement.sku, on_hand=correction)
    accounts = ledgers.journal.accounts(scope)
    value = terms.standard_cost * correction
    ledgers.journal.post(
        scope,
        "inventory_counted",
        f"{reference}/{movement.reference_line}",
        terms.currency_code,
        count.occurred_at,
        [(accounts.inventory, value), (accounts.inventory_adjustment, -value)],
    )
