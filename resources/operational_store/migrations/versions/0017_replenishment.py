"""What suppliers sell, proposals, requisitions, despatches, receiving slots and spikes.

Nothing that is stored changes; products get a class and orders the requisition that they are of.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the tables and columns, and what keeps facts from being changed."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
