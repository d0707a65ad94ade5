"""One real PostgreSQL for the whole session, a database of its own for each test that asks."""

from __future__ import annotations

import importlib.util
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
import sqlalchemy as sa

from resources.operational_store import embedded

# A machine that does something else for a moment makes no rule wrong.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: whoever runs the short ones is never the last to be ready."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def _execute(url: str, statement: str) -> None:
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement)


def _database(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    # Not pytest's tmp_path: as root the server runs as a user who may not enter it.
    with tempfile.TemporaryDirectory(prefix="omniflow-test-") as folder:
        Path(folder).chmod(0o755)
        data_dir = Path(folder) / "postgres"
        try:
            yield embedded.start(data_dir, durable=False)
        finally:
            embedded.stop(data_dir, immediately=True)


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """Migrating once and copying the result is much cheaper than migrating for every test."""
    name = "migrated_template"
    _execute(postgres_url, f"create database {name}")
    if importlib.util.find_spec("resources.operational_store.migrate") is not None:
        from resources.operational_store.migrate import upgrade

        upgrade(_database(postgres_url, name))
    return name


@pytest.fixture
def database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    _execute(postgres_url, f"create database {name} template {migrated_template}")
    yield _database(postgres_url, name)
    _execute(postgres_url, f"drop database {name} with (force)")
