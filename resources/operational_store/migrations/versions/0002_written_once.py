"""What a decision rests on is written once, and the sign of a movement follows from its kind.

A policy is known by the hash of its content: a document edited in place would make every decision
taken under it impossible to recompute, so `policy_version` becomes append-only like the facts. A
despatch that adds stock, or a receipt that takes some away, is refused as it is written instead
of being found by a later check.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add a trigger and a constraint; rows that break it stop the upgrade, unchanged."""
    op.execute(
        "create trigger refuse_change before update or delete or truncate on policy_version"
        " for each statement execute function refuse_change()"
    )
    op.execute(
        "alter table stock_movement add constraint ck_stock_movement_sign check ("
        "(kind <> 'shipped' or quantity < 0) and (kind <> 'received' or quantity > 0))"
    )
