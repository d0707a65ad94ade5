"""Parcels that a carrier has and has not delivered are found without reading all that it has.

They are asked after every few seconds, and almost all fulfilment orders of a home are at an end.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a partial index."""
    op.execute(
        "create index ix_fulfilment_order_under_way on fulfilment_order (order_id)"
        " where status = 'dispatched'"
    )
