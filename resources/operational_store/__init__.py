"""PostgreSQL: tables, migrations, the door, repositories, invariants."""
