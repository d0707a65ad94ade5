from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa


@pytest.fixture(scope="session")
def new_database(postgres_url: str, migrated_template: str):  # type: ignore[no-untyped-def]
    """A context that gives an engine on a database of its own; for fixtures wider than a test."""

    def execute(statement: str) -> None:
        plain = sa.make_url(postgres_url).set(drivername="postgresql")
        with psycopg.connect(
            plain.render_as_string(hide_password=False), autocommit=True
        ) as connection:
            connection.execute(statement)

    @contextmanager
    def new() -> Iterator[sa.Engine]:
        name = f"analytics_{uuid.uuid4().hex}"
        execute(f"create database {name} template {migrated_template}")
        engine = sa.create_engine(sa.make_url(postgres_url).set(database=name))
        try:
            yield engine
        finally:
            engine.dispose()
            execute(f"drop database {name} with (force)")

    return new
