"""Promises and what they rest on: inbound supply, pools of orders that wait for it, new promises.

Every order that is there already has its first promise from here on as a row of its own.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the tables and columns, and give the orders that are there their first promise."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
