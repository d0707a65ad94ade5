"""The warehouse of one home, as everybody else sees it: built, published, read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from assets.errors import BadInput, EnvironmentProblem
from resources.analytics_store.catalogue import (
    MART_SCHEMA,
    columns_of,
    fetch,
    read_catalogue,
    rows_by_table,
    write_catalogue,
)
from resources.analytics_store.dbt_project import DBT
from resources.analytics_store.reports import BuildReport, Gate, Held, MartInfo, Publication
from resources.analytics_store.versions import Versions
from resources.analytics_store.warehouse import Warehouse
from resources.lake.lake import Lake


class AnalyticsStore:
    """The warehouse of one home.

    Args:
        home: Its folder; made when it is missing.
        lake: Where the facts are.
    """

    def __init__(self, home: Path, lake: Lake) -> None:
        self.home = home.absolute()
        self.lake = lake
        self._warehouse = Warehouse(self.home, lake)
        self._versions = Versions(self.home)

    @property
    def build_path(self) -> Path:
        """Where dbt builds; for nobody else's eyes."""
        return self._warehouse.path

    @property
    def manifest_path(self) -> Path:
        """The manifest of the dbt project, written by `parse`."""
        return self._warehouse.project.manifest_path

    def parse(self) -> Path:
        """Read the dbt project, unless this store has read it as it is now.

        Returns:
            The path of the manifest.
        """
        with DBT:
            self._warehouse.project.load()
        return self.manifest_path

    def build(
        self,
        full_refresh: bool = False,
        select: Sequence[str] | None = None,
        *,
        data_tests: bool = True,
        unit_tests: bool = False,
    ) -> BuildReport:
        """Bring the warehouse up to the lake's watermark and test it, aside from readers.

        Everything is built anew when the project has changed or the lake was started again.

        Args:
            full_refresh: Build everything anew.
            select: Names of models to build; what they rest on is always built with them,
                because a model goes by what it has taken in itself.
            data_tests: Test what was built; what is not tested cannot be published.
            unit_tests: Run dbt's unit tests too; they test the project, not the data.

        Raises:
            EnvironmentProblem: If the disk is full or the files cannot be used.
        """
        return self._warehouse.build(
            full_refresh, select, data_tests=data_tests, unit_tests=unit_tests
        )

    def publish(self, gate: Gate | None = None) -> Publication:
        """Show readers what was built, except for marts that the build or the gate holds.

        Args:
            gate: Judges the marts in a copy of the build (schema ``marts``); what it names keeps
                its former version, or stays away if there is none.

        Raises:
            EnvironmentProblem: If nothing was built yet, or the disk is full.
        """
        with self._warehouse.locked():
            if not self.build_path.exists():
                raise EnvironmentProblem("nothing was built yet, so nothing can be published")
            former = self._versions.current()
            number = self._versions.next_number()
            candidate = self._versions.candidate(number)
            try:
                self._warehouse.settle()
                self._versions.remove_leftovers()
                shutil.copyfile(self.build_path, candidate)
                marts, held, rows = self._prepare(candidate, former, gate)
                target = self._versions.switch(candidate, number)
            except (OSError, duckdb.IOException) as error:
                raise EnvironmentProblem(f"cannot publish in {self.home}: {error}") from error
            finally:
                candidate.unlink(missing_ok=True)
            self._versions.remove_unused(target, former)
        return Publication(number, target, marts, held, rows)

    def list_marts(self) -> list[MartInfo]:
        """The published marts by name; none when nothing is published yet."""
        if self._versions.current() is None:
            return []
        with self.reading() as connection:
            return read_catalogue(connection)

    def mart(self, mart: str) -> MartInfo:
        """What a reader should know of a published mart.

        Raises:
            BadInput: If nothing is published yet, or there is no such mart.
        """
        with self._reading_mart(mart) as connection:
            return next(info for info in read_catalogue(connection) if info.name == mart)

    def columns(self, mart: str) -> list[tuple[str, str]]:
        """Names and DuckDB types of a published mart's columns, in order.

        Raises:
            BadInput: If nothing is published yet, or there is no such mart.
        """
        with self._reading_mart(mart) as connection:
            return columns_of(connection, mart)

    def rows(self, mart: str, limit: int | None = None) -> list[dict[str, Any]]:
        """The rows of a published mart in the order of its first columns.

        Raises:
            BadInput: If nothing is published yet, or there is no such mart.
        """
        with self._reading_mart(mart) as connection:
            # The grain comes first in every mart, so this order is the same on every machine.
            names = [f'"{name}"' for name, _ in columns_of(connection, mart)]
            query = f'select {", ".join(names)} from {MART_SCHEMA}."{mart}" order by '
            query += ", ".join(names[:7])
            if limit is not None:
                query += f" limit {int(limit)}"
            return fetch(connection, query)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to what is published now; a later publication does not touch it.

        Raises:
            BadInput: If nothing is published yet.
        """
        for attempt in range(10):
            path = self._versions.current()
            if path is None:
                raise BadInput("no mart is published yet; run a replay or the demo first")
            try:
                connection = duckdb.connect(path, read_only=True)
                break
            except duckdb.IOException as error:
                # Two publications came between reading the pointer and opening the file.
                if path.exists() or attempt == 9:
                    raise EnvironmentProblem(f"cannot open {path}: {error}") from error
        try:
            connection.execute("set timezone = 'UTC'")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def reading_built(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to what was built last and nobody was shown yet; core, no marts.

        Raises:
            BadInput: If nothing is built yet.
        """
        if not self.build_path.exists():
            raise BadInput("nothing is built yet")
        connection = duckdb.connect(self.build_path, read_only=True)
        try:
            connection.execute("set timezone = 'UTC'")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _reading_mart(self, mart: str) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.reading() as connection:
            known = [info.name for info in read_catalogue(connection)]
            if mart not in known:
                raise BadInput(f"there is no mart {mart!r}; there are {', '.join(known)}")
            yield connection

    def _prepare(
        self, candidate: Path, former: Path | None, gate: Gate | None
    ) -> tuple[tuple[MartInfo, ...], tuple[Held, ...], dict[str, int]]:
        """Make the copy fit to be read: judged, without what is held, with its catalogue."""
        described = self._warehouse.project.described_marts()
        connection = duckdb.connect(candidate, config={"memory_limit": "700MB", "threads": 2})
        try:
            connection.execute("set timezone = 'UTC'")
            held = self._warehouse.held()
            if gate is not None:
                held += gate(connection)
            reasons: dict[str, str] = {}
            for entry in held:
                reasons.setdefault(entry.mart, entry.reason)
            unknown = sorted(set(reasons) - set(described))
            if unknown:
                raise ValueError(f"the gate holds what is no mart: {', '.join(unknown)}")
            former_marts = _restore(connection, former, reasons)
            # Views over the lake: the published file must stand alone.
            for layer in ("staging", "intermediate"):
                connection.execute(f"drop schema if exists {layer} cascade")
            marts = write_catalogue(connection, described, reasons, former_marts)
            rows = rows_by_table(connection)
            connection.execute("checkpoint")
        finally:
            connection.close()
        return marts, tuple(Held(mart, reason) for mart, reason in reasons.items()), rows


def _restore(
    connection: duckdb.DuckDBPyConnection, former: Path | None, reasons: Mapping[str, str]
) -> dict[str, MartInfo]:
    """Put the former version of what is held in its place; gives what was known of them."""
    for mart in reasons:
        connection.execute(f'drop table if exists {MART_SCHEMA}."{mart}"')
    if former is None or not reasons:
        return {}
    quoted = str(former).replace("'", "''")
    connection.execute(f"attach '{quoted}' as former (read_only)")
    known = {info.name: info for info in read_catalogue(connection, "former.")}
    connection.execute(f"create schema if not exists {MART_SCHEMA}")
    for mart in reasons:
        if mart in known:
            connection.execute(
                f'create table {MART_SCHEMA}."{mart}" as'
                f' select * from former.{MART_SCHEMA}."{mart}"'
            )
    connection.execute("detach former")
    return {mart: known[mart] for mart in reasons if mart in known}
