"""Suppliers, purchase orders, receipts and invoices, and why an invoice is held.

Nothing that is stored changes.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the tables and what keeps facts from being changed."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
