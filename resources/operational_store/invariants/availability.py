"""S4: what channels were told against what the ledger and the policies of the time allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from assets.decisions.policy_document import PolicyDocument
from assets.errors import PolicyError
from assets.inventory.policy import inventory_policy
from resources.operational_store.invariants.judging import Invariant, Violation
from resources.operational_store.invariants.stock_effects import EFFECTS
from resources.operational_store.invariants.synchronisation import PUBLICATION_FINDINGS

_PUBLISHED_OF_NO_POLICY = """
select told.channel, told.sku, told.policy_hash
from channel_availability as told
left join policy_version as policy
    on told.policy_hash = policy.policy_hash and policy.policy = 'inventory'
where policy.policy_hash is null
order by told.channel, told.sku
"""

_PUBLISHED_TOO_MUCH = f"""
with {EFFECTS},

-- A bundle is made of its components; what is none, of itself. One that was told before its last
-- change was made of others, and is told anew with the next publication.
part as (
    select
        told.channel, told.sku, told.policy_hash, told.ledger_watermark, told.published_quantity,
        coalesce(component.component_sku, told.sku) as part_sku,
        coalesce(component.quantity, 1) as quantity_each
    from channel_availability as told
    left join bundle_component as component on told.sku = component.bundle_sku
    where not coalesce(component.is_unpublished, false)
),

watermark as (
    select distinct part_sku as sku, ledger_watermark
    from part
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
        part.channel, part.sku, part.part_sku,
        sum(greatest(0, position.unpromised_quantity - buffer.safety_quantity))::bigint as quantity
    from part
    inner join position
        on part.part_sku = position.sku and part.ledger_watermark = position.ledger_watermark
    inner join buffer
        on part.policy_hash = buffer.policy_hash
            and part.channel = buffer.channel
            and position.node_id = buffer.node_id
    group by part.channel, part.sku, part.part_sku
)

select
    part.channel, part.sku, part.published_quantity,
    min(coalesce(available.quantity, 0) / part.quantity_each) as available_quantity,
    part.ledger_watermark
from part
left join available
    on part.channel = available.channel
        and part.sku = available.sku
        and part.part_sku = available.part_sku
group by part.channel, part.sku, part.published_quantity, part.ledger_watermark
having part.published_quantity > min(coalesce(available.quantity, 0) / part.quantity_each)
order by part.channel, part.sku
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
        document = msgspec.convert(row.document, PolicyDocument)
        # The house's own values say whose a channel is, and that scope's what it may sell.
        scope = inventory_policy(document.resolve("", "")).channels.get(row.channel)
        where = (scope.region, scope.brand) if scope else ("", "")
        policy = inventory_policy(document.resolve(*where))
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
    {"told under a policy that is not stored": _PUBLISHED_OF_NO_POLICY, **PUBLICATION_FINDINGS},
    _published_too_much,
)
