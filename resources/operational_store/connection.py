"""Reaching a PostgreSQL at all: making a database on it, and saying clearly why it cannot be.

Only problems of the machine and the server are translated here; what a statement got wrong stays
the defect it is.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import psycopg.sql
import sqlalchemy as sa

from assets.errors import EnvironmentProblem

CONNECT_TIMEOUT_SECONDS = 10


@contextmanager
def connect(url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """One psycopg connection in autocommit, for commands and probes outside any flow.

    Args:
        url: SQLAlchemy URL of the database, with any PostgreSQL driver.

    Raises:
        EnvironmentProblem: If the server does not answer, or its disk is full.
    """
    parsed = sa.make_url(url).set(drivername="postgresql")
    plain = parsed.render_as_string(hide_password=False)
    try:
        with psycopg.connect(
            plain, autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS
        ) as connection:
            yield connection
    except psycopg.Error as error:
        problem = as_environment_problem(error, parsed.render_as_string(hide_password=True))
        if problem is None:
            raise
        raise problem from error


def create_database(url: str) -> bool:
    """Create the database that the URL names on its server, unless it is there.

    Returns:
        Whether it was created.

    Raises:
        EnvironmentProblem: If the server cannot be reached or does not let us.
    """
    parsed = sa.make_url(url)
    name = parsed.database or ""
    try:
        with connect(url):
            return False
    except EnvironmentProblem as problem:
        if not isinstance(problem.__cause__, psycopg.Error) or "does not exist" not in str(
            problem.__cause__
        ):
            raise
    statement = psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name))
    maintenance = parsed.set(database="postgres").render_as_string(hide_password=False)
    with connect(maintenance) as connection:
        try:
            connection.execute(statement)
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return False
        except psycopg.errors.InsufficientPrivilege as error:
            where = parsed.render_as_string(hide_password=True)
            raise EnvironmentProblem(
                f"the database {name!r} does not exist and we may not create it at {where}"
            ) from error
    return True


def await_reachable(url: str, timeout_seconds: float = 5.0) -> None:
    """Wait until the server answers; a managed one may just be failing over."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            with connect(url) as connection:
                connection.execute("select 1")
        except EnvironmentProblem:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def rows(
    connection: psycopg.Connection[tuple[Any, ...]], statement: LiteralString
) -> list[tuple[Any, ...]] | None:
    """The rows of a report's statement, ``None`` while its tables do not exist yet."""
    try:
        return connection.execute(statement).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return None


def as_environment_problem(
    error: BaseException, where: str = "the database"
) -> EnvironmentProblem | None:
    """What a person is told about a failure of machine or server; ``None`` for any other."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, EnvironmentProblem):
            return seen
        if isinstance(seen, psycopg.errors.DiskFull):
            return EnvironmentProblem(f"the disk of {where} is full")
        if isinstance(seen, OSError) and seen.errno == errno.ENOSPC:
            return EnvironmentProblem("the disk is full")
        if isinstance(seen, psycopg.errors.ReadOnlySqlTransaction):
            return EnvironmentProblem(f"{where} takes no writes at the moment")
        if isinstance(seen, psycopg.OperationalError) and _is_connection_loss(seen):
            reason = str(seen).strip().splitlines() or [type(seen).__name__]
            return EnvironmentProblem(f"{where} cannot be reached: {reason[0]}")
        seen = seen.__cause__ or getattr(seen, "orig", None)
    return None


def _is_connection_loss(error: psycopg.OperationalError) -> bool:
    # No SQL state: the failure happened before the server could name one.
    return error.sqlstate is None or error.sqlstate[:2] in {"08", "28", "3D", "53", "57"}
