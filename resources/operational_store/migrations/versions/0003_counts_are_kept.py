"""Counts are kept line by line, with or without a difference.

A fact that is told after a count though it happened before it must not move stock again, and a
count without a difference left no row that could say so. Counts of the time before this version
are taken from the events that told them, which the inbox still holds.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from assets.commerce.identifiers import identify

revision = "0003"
down_revision = "0002"

TABLE = """
create table inventory_counted (
    reference_id uuid not null,
    reference_line integer not null,
    node_id varchar not null,
    sku varchar not null,
    counted_quantity bigint not null,
    occurred_at timestamp with time zone not null,
    effective_at timestamp with time zone not null,
    recorded_at timestamp with time zone default now() not null,
    recorded_xid xid8 default pg_current_xact_id() not null,
    constraint pk_inventory_counted primary key (reference_id, reference_line),
    constraint ck_inventory_counted_counted_is_not_negative check (counted_quantity >= 0)
)
"""

COUNTS = """
select source, data, occurred_at, effective_at
from event_inbox
where event_type = 'retail.inventory.counted.v1' and status = 'applied'
"""

KEEP = sa.text("""
insert into inventory_counted
    (reference_id, reference_line, node_id, sku, counted_quantity, occurred_at, effective_at)
values (:reference_id, :number, :node_id, :sku, :quantity, :occurred_at, :effective_at)
on conflict do nothing
""")


def upgrade() -> None:
    """Make the table, and fill it with the counts that were applied."""
    op.execute(TABLE)
    op.execute("create index ix_inventory_counted_sku on inventory_counted (sku, occurred_at)")
    op.execute("create index ix_inventory_counted_recorded_xid on inventory_counted (recorded_xid)")
    connection = op.get_bind()
    counts: list[Any] = list(connection.exec_driver_sql(COUNTS))
    for source, count, occurred_at, effective_at in counts:
        reference_id = identify("stock_document", source, count["document_number"])
        lines = [
            {
                "reference_id": reference_id,
                "number": number,
                "node_id": count["node_id"],
                "sku": line["sku"],
                "quantity": line["quantity"],
                "occurred_at": occurred_at,
                "effective_at": effective_at,
            }
            for number, line in enumerate(count["lines"], start=1)
        ]
        if lines:
            connection.execute(KEEP, lines)
    op.execute(
        "create trigger refuse_change before update or delete or truncate on inventory_counted"
        " for each statement execute function refuse_change()"
    )
