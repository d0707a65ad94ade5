"""Quality holds, inspections, back-orders, put-away; suppliers' standings and order channels.

Nothing that is stored changes: what came before waits for no inspection and nothing of it is said
to be put away.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the tables and columns, and what keeps facts from being changed."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
