"""The history of the operational store's tables, run by Alembic through `migrate`."""
