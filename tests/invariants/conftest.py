"""The story is told once; each test breaks it inside a transaction that is rolled back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.invariants.ledger_story import LedgerStory


@pytest.fixture(scope="package")
def story_engine(postgres_url: str, migrated_template: str) -> Iterator[sa.Engine]:
    name = f"story_{uuid.uuid4().hex}"
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"create database {name} template {migrated_template}")
    url = sa.make_url(postgres_url).set(database=name)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    LedgerStory(engine).tell()
    yield engine
    with server.connect() as connection:
        connection.exec_driver_sql(f"drop database {name} with (force)")


@pytest.fixture
def story(story_engine: sa.Engine) -> Iterator[sa.Connection]:
    """The stored story, with triggers out of force: what corrupts rows asks no trigger."""
    with story_engine.connect() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        yield connection
        connection.rollback()
