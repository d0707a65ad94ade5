"""S1 to S4: what the stock ledgers, the positions and the channels must agree on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from assets.decisions.policy_document import PolicyDocument
from assets.errors import PolicyError
from assets.inventory.policy import inventory_policy
from resources.operational_store.invariants.judging import Invariant, Violation

# What every ledger row does to (on hand, reserved, allocated) of its position.
_EFFECTS = """
effect as (
    select
        node_id, sku, recorded_xid, ledger_sequence,
        quantity as on_hand,
        0 as reserved,
        case when kind = 'shipped' and order_id is not null then quantity else 0 end as allocated
    from stock_movement
    union all
    select
        node_id, sku, recorded_xid, ledger_sequence,
        0,
        quantity,
        case when kind = 'consumed' then -quantity else 0 end
    from reservation_movement
    union all
    select node_id, sku, recorded_xid, ledger_sequence, 0, 0, -quantity
    from deallocation
)
"""

# The state of a position after each transaction that touched it. A transaction holds the lock of
# its positions until it ends, so the order of its last row is the order of the transactions.
_INSTANTS = f"""
with {_EFFECTS},

transaction_effect as (
    select
        node_id, sku, recorded_xid,
        max(ledger_sequence) as ledger_sequence,
        sum(on_hand)::bigint as on_hand,
        sum(reserved)::bigint as reserved,
        sum(allocated)::bigint as allocated
    from effect
    group by node_id, sku, recorded_xid
),

instant as (
    select
        node_id, sku, recorded_xid, ledger_sequence,
        sum(on_hand) over position_so_far as on_hand,
        sum(reserved) over position_so_far as reserved,
        sum(allocated) over position_so_far as allocated
    from transaction_effect
    window position_so_far as (
        partition by node_id, sku
        order by ledger_sequence
        rows unbounded preceding
    )
)
"""

# Only the first broken instant of a position: all later ones follow from it.
_BROKEN_INSTANTS = f"""
{_INSTANTS}

select distinct on (node_id, sku)
    case
        when reserved + allocated > on_hand then 'promised more than is on hand'
        else 'promises below zero'
    end as wrong,
    node_id, sku, ledger_sequence,
    on_hand as on_hand_quantity,
    reserved as reserved_quantity,
    allocated as allocated_quantity
from instant
where reserved + allocated > on_hand or reserved < 0 or allocated < 0
order by node_id, sku, ledger_sequence
"""

_POSITIONS_THAT_DIFFER = f"""
with {_EFFECTS},

ledger as (
    select
        node_id, sku,
        sum(on_hand)::bigint as on_hand,
        sum(reserved)::bigint as reserved,
        sum(allocated)::bigint as allocated
    from effect
    group by node_id, sku
)

select
    compared.what || ' is not what the ledger says' as wrong,
    coalesce(ledger.node_id, held.node_id) as node_id,
    coalesce(ledger.sku, held.sku) as sku,
    compared.position_quantity,
    compared.ledger_quantity
from ledger
full join stock_position as held
    on ledger.node_id = held.node_id and ledger.sku = held.sku
cross join lateral (
    values
        ('on hand', coalesce(held.on_hand_quantity, 0), coalesce(ledger.on_hand, 0)),
        ('reserved', coalesce(held.reserved_quantity, 0), coalesce(ledger.reserved, 0)),
        ('allocated', coalesce(held.allocated_quantity, 0), coalesce(ledger.allocated, 0))
) as compared (what, position_quantity, ledger_quantity)
where compared.position_quantity <> compared.ledger_quantity
order by 2, 3, 1
"""


S1 = Invariant(
    "S1",
    "No oversell: reserved + allocated ≤ on hand after every transaction",
    """
    select
        exists (select from stock_position)
        or exists (select from reservation_movement)
        or exists (select from deallocation)
    """,
    {
        "promised more than is on hand": _BROKEN_INSTANTS,
        "a position is not what the ledger says": _POSITIONS_THAT_DIFFER,
        "an order line holds more than was ordered": """
            with held as (
                select order_id, line_number, sku, quantity
                from reservation_movement
                where kind <> 'consumed'
                union all
                select order_id, line_number, sku, -quantity
                from deallocation
            ),

            line as (
                select order_id, line_number, sku, sum(quantity)::bigint as held_quantity
                from held
                group by order_id, line_number, sku
            )

            select
                line.order_id, line.line_number, line.sku, line.held_quantity,
                order_line.ordered_quantity
            from line
            left join order_line
                on line.order_id = order_line.order_id
                    and line.line_number = order_line.line_number
                    and line.sku = order_line.sku
            where line.held_quantity > coalesce(order_line.ordered_quantity, 0)
            order by line.order_id, line.line_number
        """,
    },
)

S2 = Invariant(
    "S2",
    "Conservation: on hand = received + counted and adjusted differences − shipped",
    "select exists (select from stock_movement)",
    {
        "on hand is not the sum of its movements": """
            with moved as (
                select
                    node_id, sku,
                    sum(quantity) filter (where kind = 'received') as received,
                    sum(quantity) filter (where kind in ('counted', 'adjusted')) as corrected,
                    sum(quantity) filter (where kind = 'shipped') as shipped
                from stock_movement
                group by node_id, sku
            ),

            summed as (
                select
                    node_id, sku,
                    coalesce(received, 0) as received_quantity,
                    coalesce(corrected, 0) as corrected_quantity,
                    coalesce(shipped, 0) as shipped_quantity
                from moved
            )

            select
                coalesce(summed.node_id, held.node_id) as node_id,
                coalesce(summed.sku, held.sku) as sku,
                held.on_hand_quantity,
                summed.received_quantity, summed.corrected_quantity, summed.shipped_quantity
            from summed
            full join stock_position as held
                on summed.node_id = held.node_id and summed.sku = held.sku
            where
                coalesce(held.on_hand_quantity, 0)
                <> coalesce(received_quantity + corrected_quantity + shipped_quantity, 0)
            order by 1, 2
        """,
        "a movement has the wrong sign for its kind": """
            select ledger_sequence, node_id, sku, kind, quantity
            from stock_movement
            where
                kind = 'shipped' and quantity >= 0
                or kind = 'received' and quantity <= 0
                or kind not in ('received', 'counted', 'adjusted', 'shipped')
            order by ledger_sequence
        """,
        "on hand below zero": """
            with movement as (
                select
                    node_id, sku, recorded_xid,
                    max(ledger_sequence) as ledger_sequence,
                    sum(quantity)::bigint as quantity
                from stock_movement
                group by node_id, sku, recorded_xid
            ),

            instant as (
                select
                    node_id, sku, ledger_sequence,
                    sum(quantity) over (
                        partition by node_id, sku
                        order by ledger_sequence
                        rows unbounded preceding
                    ) as on_hand_quantity
                from movement
            )

            select distinct on (node_id, sku) node_id, sku, ledger_sequence, on_hand_quantity
            from instant
            where on_hand_quantity < 0
            order by node_id, sku, ledger_sequence
        """,
        "shipped without a shipment": """
            select movement.ledger_sequence, movement.node_id, movement.sku, movement.order_id
            from stock_movement as movement
            left join shipment_dispatched as shipment
                on movement.reference_id = shipment.shipment_id
                    and movement.order_id = shipment.order_id
                    and movement.node_id = shipment.node_id
            where movement.kind = 'shipped' and shipment.shipment_id is null
            order by movement.ledger_sequence
        """,
        "a shipment is not the sum of its movements": """
            with shipped as (
                select reference_id as shipment_id, -sum(quantity)::bigint as moved_quantity
                from stock_movement
                where kind = 'shipped'
                group by reference_id
            )

            select shipment.shipment_id, shipment.shipped_quantity, shipped.moved_quantity
            from shipment_dispatched as shipment
            left join shipped on shipment.shipment_id = shipped.shipment_id
            where shipment.shipped_quantity <> coalesce(shipped.moved_quantity, 0)
            order by shipment.shipment_id
        """,
        "shipped or given up more than was allocated": """
            with left_allocation as (
                select order_id, reference_line as line_number, node_id, sku, -quantity as quantity
                from stock_movement
                where kind = 'shipped'
                union all
                select order_id, line_number, node_id, sku, quantity
                from deallocation
            ),

            gone as (
                select order_id, line_number, node_id, sku, sum(quantity)::bigint as gone_quantity
                from left_allocation
                group by order_id, line_number, node_id, sku
            ),

            allocation as (
                select order_id, line_number, node_id, sku, -sum(quantity)::bigint as quantity
                from reservation_movement
                where kind = 'consumed'
                group by order_id, line_number, node_id, sku
            )

            select
                gone.order_id, gone.line_number, gone.node_id, gone.sku, gone.gone_quantity,
                coalesce(allocation.quantity, 0) as allocated_quantity
            from gone
            left join allocation
                on gone.order_id = allocation.order_id
                    and gone.line_number = allocation.line_number
                    and gone.node_id = allocation.node_id
                    and gone.sku = allocation.sku
            where gone.gone_quantity > coalesce(allocation.quantity, 0)
            order by gone.order_id, gone.line_number, gone.node_id
        """,
    },
)

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

_PUBLISHED_OF_NO_POLICY = """
select told.channel, told.sku, told.policy_hash
from channel_availability as told
left join policy_version as policy
    on told.policy_hash = policy.policy_hash and policy.policy = 'inventory'
where policy.policy_hash is null
order by told.channel, told.sku
"""

_PUBLISHED_TOO_MUCH = f"""
with {_EFFECTS},

watermark as (
    select distinct sku, ledger_watermark
    from channel_availability
),

-- Each channel row has seen the ledger up to its own watermark; rows told together share one.
position as (
    select
        watermark.sku, watermark.ledger_watermark, effect.node_id,
        sum(effect.on_hand - effect.reserved - effect.allocated)::bigint as unpromised_quantity
    from watermark
    inner join effect
        on watermark.sku = effect.sku and effect.ledger_sequence <= watermark.ledger_watermark
    group by watermark.sku, watermark.ledger_watermark, effect.node_id
),

buffer as (
    select policy_hash, channel, node_id, safety_quantity
    from
        jsonb_to_recordset(cast(:buffers as jsonb))
        as buffer (policy_hash text, channel text, node_id text, safety_quantity bigint)
),

available as (
    select
        told.channel, told.sku,
        sum(greatest(0, position.unpromised_quantity - buffer.safety_quantity))::bigint as quantity
    from channel_availability as told
    inner join position
        on told.sku = position.sku and told.ledger_watermark = position.ledger_watermark
    inner join buffer
        on told.policy_hash = buffer.policy_hash
            and told.channel = buffer.channel
            and position.node_id = buffer.node_id
    group by told.channel, told.sku
)

select
    told.channel, told.sku, told.published_quantity,
    coalesce(available.quantity, 0) as available_quantity, told.ledger_watermark
from channel_availability as told
left join available on told.channel = available.channel and told.sku = available.sku
where told.published_quantity > coalesce(available.quantity, 0)
order by told.channel, told.sku
"""


def _buffers(connection: sa.Connection) -> list[dict[str, Any]]:
    """Safety of each node that a channel may sell from, under each policy that was used.

    Nodes that have stopped since then count as well: they were asked when the channel was told.
    """
    nodes = connection.execute(
        sa.text("select node_id from node union select node_id from stock_position order by 1")
    )
    node_ids: list[str] = [row.node_id for row in nodes]
    used = connection.execute(
        sa.text(
            """
            select told.policy_hash, told.channel, policy.document
            from (select distinct policy_hash, channel from channel_availability) as told
            inner join policy_version as policy
                on told.policy_hash = policy.policy_hash and policy.policy = 'inventory'
            """
        )
    )
    result = []
    for row in used:
        # Availability is told for the whole house, so that is the scope its policy was asked for.
        document = msgspec.convert(row.document, PolicyDocument)
        policy = inventory_policy(document.resolve("all", "house"))
        buffer = policy.channels.get(row.channel)
        excluded = buffer.excluded_nodes if buffer else []
        result += [
            {
                "policy_hash": row.policy_hash,
                "channel": row.channel,
                "node_id": node_id,
                "safety_quantity": policy.node_safety(node_id),
            }
            for node_id in node_ids
            if node_id not in excluded
        ]
    return result


def _published_too_much(connection: sa.Connection) -> Iterator[Violation]:
    try:
        buffers = _buffers(connection)
    except (PolicyError, msgspec.ValidationError) as error:
        yield {"wrong": "a stored policy cannot be read", "reason": str(error)}
        return
    rows = connection.execute(
        sa.text(_PUBLISHED_TOO_MUCH), {"buffers": msgspec.json.encode(buffers).decode()}
    )
    for row in rows.mappings():
        yield {"wrong": "told more than the nodes had", **row}


S4 = Invariant(
    "S4",
    "A channel is told at most Σ over nodes of max(0, unpromised − node safety)",
    "select exists (select from channel_availability)",
    {"told under a policy that is not stored": _PUBLISHED_OF_NO_POLICY},
    _published_too_much,
)
