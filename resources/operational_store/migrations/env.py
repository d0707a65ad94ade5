"""What Alembic runs: always on the connection that `migrate` (or a test) hands over."""

from __future__ import annotations

from alembic import context

from resources.operational_store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # One transaction for the whole way: a home is at its old version or at the new one.
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
