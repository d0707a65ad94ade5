"""What is asked when snapshots are compared and nodes are chosen is found without reading it all.

Nothing that is stored changes.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

_INDEXES = """
create index ix_availability_published_level
on availability_published (channel, sku, effective_at);

drop index ix_inventory_snapshot_occurred_at;
create index ix_inventory_snapshot_node on inventory_snapshot (node_id, system, occurred_at)
where node_id is not null;
create index ix_inventory_snapshot_channel on inventory_snapshot (channel, system, occurred_at)
where channel is not null;
create index ix_inventory_snapshot_differing on inventory_snapshot (node_id, occurred_at)
where drift_quantity <> 0;
create index ix_stock_correction_reference_id on stock_correction (reference_id)
where reference_id is not null;

create index ix_order_placed_occurred_at on order_placed using brin (occurred_at);
create index ix_fulfilment_order_awaited on fulfilment_order (node_id)
where status in ('requested', 'accepted');
"""


def upgrade() -> None:
    """Add the indexes; one of snapshots by time alone is used no more."""
    op.execute(_INDEXES)
