"""S3: the life of a reservation, from its one start to its one end."""

from __future__ import annotations

from resources.operational_store.invariants.judging import Invariant

# The rows of a reservation side by side; more than one start or end only without the primary key.
_RESERVATIONS = """
with reservation as (
    select
        order_id, line_number, node_id, sku,
        count(*) filter (where kind = 'reserved') as start_count,
        count(*) filter (where kind <> 'reserved') as end_count,
        sum(quantity)::bigint as open_quantity,
        min(ledger_sequence) filter (where kind = 'reserved') as started,
        min(ledger_sequence) filter (where kind <> 'reserved') as ended,
        max(expires_at) filter (where kind = 'reserved') as expires_at
    from reservation_movement
    group by order_id, line_number, node_id, sku
)

select order_id, line_number, node_id, sku, {columns}
from reservation
{clauses}
order by order_id, line_number, node_id
"""


def _reservations(columns: str, clauses: str) -> str:
    return _RESERVATIONS.format(columns=columns, clauses=clauses)


S3 = Invariant(
    "S3",
    "Each reservation starts once, ends at most once, and is 0 after its end",
    "select exists (select from reservation_movement)",
    {
        "does not start exactly once": _reservations("start_count", "where start_count <> 1"),
        "ends more than once": _reservations("end_count", "where end_count > 1"),
        "is not 0 after its end": _reservations(
            "open_quantity", "where start_count = 1 and end_count = 1 and open_quantity <> 0"
        ),
        "starts with nothing": _reservations(
            "open_quantity", "where end_count = 0 and open_quantity <= 0"
        ),
        "ends before it starts": _reservations("started, ended", "where ended < started"),
        # A window's end is when expiry runs, so what expired at that very instant is ended too.
        "is open past its expiry": _reservations(
            "open_quantity, expires_at",
            "where end_count = 0 and expires_at < (select effective_at from home_clock)",
        ),
    },
)
