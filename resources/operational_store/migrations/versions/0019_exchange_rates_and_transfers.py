"""Invoices in another currency than their order, and transfers that the ERP is told of.

Nothing that is stored changes: what was matched before was in the order's own currency, and of what
was proposed to be moved nobody was told.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the columns."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
