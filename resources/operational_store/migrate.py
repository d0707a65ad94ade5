"""Bring a database to the schema of this version, and refuse one that a newer version made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from assets.errors import EnvironmentProblem

# Any number will do that no other program locks in this database.
_LOCK = 6_170_401_982


def upgrade(url: str, revision: str = "head") -> str:
    """Bring the database to ``revision``, in one transaction; whoever comes second waits.

    Args:
        url: SQLAlchemy URL of the database.
        revision: A revision of ours, or ``head``.

    Returns:
        The revision that the database has now.

    Raises:
        EnvironmentProblem: If the database cannot be reached or a newer version made it.
    """
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    with _transaction(url) as connection:
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = MigrationContext.configure(connection).get_current_revision()
        _refuse_unknown(found, scripts)
        if found is None or found != scripts.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            found = MigrationContext.configure(connection).get_current_revision()
    return str(found)


def current(url: str) -> str | None:
    """The revision of the database, ``None`` for an empty one.

    Raises:
        EnvironmentProblem: If the database cannot be reached or a newer version made it.
    """
    with _transaction(url) as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    _refuse_unknown(found, ScriptDirectory.from_config(_config()))
    return found


def head() -> str:
    """The newest revision that this version knows."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _refuse_unknown(found: str | None, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        raise EnvironmentProblem(
            f"this home was made by a newer version of omniflow (schema {found}, this version"
            f" knows up to {scripts.get_current_head()}): install that version"
        )


def _config() -> Config:
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    # A percent sign of a folder's name would be taken for an interpolation.
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _transaction(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    try:
        connection = engine.connect()
    except sa.exc.OperationalError as error:
        where = engine.url.render_as_string(hide_password=True)
        reason = str(error.orig).strip().splitlines()[0]
        raise EnvironmentProblem(f"the database {where} does not answer: {reason}") from error
    with connection, connection.begin():
        yield connection
