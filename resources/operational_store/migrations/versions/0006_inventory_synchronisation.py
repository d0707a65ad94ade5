"""What other systems believe of stock and prices, and what each channel was told, line by line.

Snapshots, drift, corrections, publications, acknowledgements and shown prices are facts of their
own, append-only like the others. A position remembers since when channels have not been told.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the text that was rendered from the schema on its day; existing rows stay as they are."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
