"""The warehouse: dbt builds it aside, an atomic switch publishes it, readers see what is published.

A build happens in `build.duckdb`, in this process and warm: starting dbt anew costs eight seconds,
asking a running one a tenth. Publishing copies that file, lets a gate judge the marts in the copy,
puts the former version of what the gate holds in its place, and only then moves the pointer. A
reader therefore sees one version entire, whatever happens meanwhile. Everything that dbt writes
lies below the home; the project folder is only read.

Which rules make a mart good enough is the gate's business, not this module's.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from assets.errors import BadInput, EnvironmentProblem
from resources.lake.lake import Lake

PROJECT = Path(__file__).resolve().parent.parent / "dbt_project"
MART_SCHEMA = "marts"

#: dbt keeps its flags and its DuckDB handle in module globals: one invocation at a time.
_DBT = threading.Lock()


@dataclass(frozen=True)
class Held:
    """A mart that must not be shown as it was built, and why."""

    mart: str
    reason: str


Gate = Callable[[duckdb.DuckDBPyConnection], Sequence[Held]]


@dataclass(frozen=True)
class NodeOutcome:
    """What became of one model or test of a build.

    Attributes:
        unique_id: dbt's own id.
        name: Its name.
        kind: ``model``, ``test``, ``unit_test`` …
        status: ``success``, ``pass``, ``fail``, ``error``, ``warn`` or ``skipped``.
        message: What dbt says about it.
        failures: Rows that a test found.
    """

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float
    message: str = ""
    failures: int = 0


@dataclass(frozen=True)
class BuildReport:
    """What one build did.

    Attributes:
        success: Whether every model was built and every test passed.
        full_refresh: Whether everything was built anew.
        held: Marts that this build leaves wrong or unfinished; publishing keeps their former
            version.
        seconds: Wall time.
    """

    success: bool
    full_refresh: bool
    nodes: tuple[NodeOutcome, ...]
    held: tuple[Held, ...]
    seconds: float

    @property
    def failed(self) -> tuple[NodeOutcome, ...]:
        """Models and tests that went wrong themselves."""
        return tuple(node for node in self.nodes if node.status in {"error", "fail"})


@dataclass(frozen=True)
class MartInfo:
    """What a reader should know of a published mart.

    Attributes:
        as_of_at: The newest effective time of the facts it rests on.
        held_reason: Why this is an older version than the rest, if it is.
    """

    name: str
    description: str
    owner: str
    row_count: int
    as_of_at: datetime | None
    published_at: datetime
    held_reason: str | None


@dataclass(frozen=True)
class Publication:
    """What was published."""

    number: int
    path: Path
    marts: tuple[MartInfo, ...]
    held: tuple[Held, ...] = field(default=())


class AnalyticsStore:
    """The warehouse of one home.

    Args:
        home: Its folder; made when it is missing.
        lake: Where the facts are.
    """

    def __init__(self, home: Path, lake: Lake) -> None:
        self.home = home.absolute()
        self.lake = lake
        self._manifest: Any = None
        self._parsed_fingerprint = ""

    @property
    def build_path(self) -> Path:
        """Where dbt builds; for nobody else's eyes."""
        return self.home / "build.duckdb"

    @property
    def manifest_path(self) -> Path:
        """The manifest of the dbt project, written by `parse`."""
        return self.home / "target" / "manifest.json"

    def parse(self) -> Path:
        """Read the dbt project, unless this store has read it as it is now.

        Returns:
            The path of the manifest.
        """
        with _DBT:
            self._load_manifest()
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
        started = time.monotonic()
        with self._building(), _DBT, self.lake.reading():
            manifest = self._load_manifest()
            state = self._read_state()
            cut = self._lake_cut()
            if state.get("fingerprint") != self._parsed_fingerprint or cut < int(
                state.get("cut", 0)
            ):
                # What another project or another lake has built cannot be continued.
                self._forget_build()
            full_refresh = full_refresh or not self.build_path.exists()
            # Whatever happens now, until it is known to be well nothing of it may be published.
            unfinished = {"held": self._all_held(manifest)}
            known = {"fingerprint": self._parsed_fingerprint, "cut": cut}
            self._write_state(known | unfinished)
            arguments = ["build", *self._flags(), "--no-write-json"]
            if full_refresh:
                arguments.append("--full-refresh")
            wanted = {"exposure": False, "test": data_tests, "unit_test": unit_tests}
            for kind in (kind for kind, is_wanted in wanted.items() if not is_wanted):
                arguments += ["--exclude-resource-type", kind]
            if select:
                arguments += ["--select", *(f"+{name.lstrip('+')}" for name in select)]
            outcome = self._invoke(arguments, manifest)
            nodes = tuple(_node_outcome(result) for result in outcome.result or ())
            if outcome.exception is not None and not nodes:
                raise _as_error(outcome.exception)
            if data_tests:
                held = self._held_by_build(manifest, nodes)
            else:
                held = [
                    Held(mart, "it was not tested") for mart in self._marts_of(manifest).values()
                ]
            self._write_state(known | {"held": [asdict(entry) for entry in held]})
        return BuildReport(
            success=bool(outcome.success),
            full_refresh=full_refresh,
            nodes=nodes,
            held=tuple(held),
            seconds=round(time.monotonic() - started, 3),
        )

    def publish(self, gate: Gate | None = None) -> Publication:
        """Show readers what was built, except for marts that the build or the gate holds.

        Args:
            gate: Judges the marts in a copy of the build (schema ``marts``); what it names keeps
                its former version, or stays away if there is none.

        Raises:
            EnvironmentProblem: If nothing was built yet, or the disk is full.
        """
        with self._building():
            if not self.build_path.exists():
                raise EnvironmentProblem("nothing was built yet, so nothing can be published")
            former = self._published_path()
            number = self._next_number()
            candidate = self.home / f".publishing-{number}.duckdb"
            try:
                self._settle_build()
                for leftover in self.home.glob(".publishing-*"):
                    leftover.unlink()
                shutil.copyfile(self.build_path, candidate)
                marts, held = self._prepare(candidate, former, gate)
                target = self.home / f"published-{number}.duckdb"
                _sync(candidate)
                candidate.replace(target)
                self._point_to(target)
            except (OSError, duckdb.IOException) as error:
                raise EnvironmentProblem(f"cannot publish in {self.home}: {error}") from error
            finally:
                candidate.unlink(missing_ok=True)
            self._remove_unused(target, former)
        return Publication(number, target, marts, held)

    def list_marts(self) -> list[MartInfo]:
        """The published marts by name; none when nothing is published yet."""
        if self._published_path() is None:
            return []
        with self.reading() as connection:
            return _read_catalogue(connection)

    def columns(self, mart: str) -> list[tuple[str, str]]:
        """Names and DuckDB types of a published mart's columns, in order.

        Raises:
            BadInput: If nothing is published yet, or there is no such mart.
        """
        with self._reading_mart(mart) as connection:
            return _columns(connection, mart)

    def rows(self, mart: str, limit: int | None = None) -> list[dict[str, Any]]:
        """The rows of a published mart in the order of its first columns.

        Raises:
            BadInput: If nothing is published yet, or there is no such mart.
        """
        with self._reading_mart(mart) as connection:
            # The grain comes first in every mart, so this order is the same on every machine.
            names = [f'"{name}"' for name, _ in _columns(connection, mart)]
            query = f'select {", ".join(names)} from {MART_SCHEMA}."{mart}" order by '
            query += ", ".join(names[:7])
            if limit is not None:
                query += f" limit {int(limit)}"
            return _fetch(connection, query)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to what is published now; a later publication does not touch it.

        Raises:
            BadInput: If nothing is published yet.
        """
        for attempt in range(10):
            path = self._published_path()
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
    def _reading_mart(self, mart: str) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.reading() as connection:
            known = [info.name for info in _read_catalogue(connection)]
            if mart not in known:
                raise BadInput(f"there is no mart {mart!r}; there are {', '.join(known)}")
            yield connection

    def _prepare(
        self, candidate: Path, former: Path | None, gate: Gate | None
    ) -> tuple[tuple[MartInfo, ...], tuple[Held, ...]]:
        """Make the copy fit to be read: judged, without what is held, with its catalogue."""
        described = self._described_marts()
        connection = duckdb.connect(candidate, config={"memory_limit": "700MB", "threads": 2})
        try:
            connection.execute("set timezone = 'UTC'")
            held = [Held(**entry) for entry in self._read_state().get("held", [])]
            if gate is not None:
                held += gate(connection)
            reasons: dict[str, str] = {}
            for entry in held:
                reasons.setdefault(entry.mart, entry.reason)
            unknown = sorted(set(reasons) - set(described))
            if unknown:
                raise ValueError(f"the gate holds what is no mart: {', '.join(unknown)}")
            former_marts = self._restore(connection, former, reasons)
            # Views over the lake: the published file must stand alone.
            for layer in ("staging", "intermediate"):
                connection.execute(f"drop schema if exists {layer} cascade")
            marts = _write_catalogue(connection, described, reasons, former_marts)
            connection.execute("checkpoint")
        finally:
            connection.close()
        return marts, tuple(Held(mart, reason) for mart, reason in reasons.items())

    def _restore(
        self,
        connection: duckdb.DuckDBPyConnection,
        former: Path | None,
        reasons: Mapping[str, str],
    ) -> dict[str, MartInfo]:
        """Put the former version of what is held in its place; gives what was known of them."""
        for mart in reasons:
            connection.execute(f'drop table if exists {MART_SCHEMA}."{mart}"')
        if former is None or not reasons:
            return {}
        quoted = str(former).replace("'", "''")
        connection.execute(f"attach '{quoted}' as former (read_only)")
        known = {info.name: info for info in _read_catalogue(connection, "former.")}
        connection.execute(f"create schema if not exists {MART_SCHEMA}")
        for mart in reasons:
            if mart in known:
                connection.execute(
                    f'create table {MART_SCHEMA}."{mart}" as'
                    f' select * from former.{MART_SCHEMA}."{mart}"'
                )
        connection.execute("detach former")
        return {mart: known[mart] for mart in reasons if mart in known}

    def _described_marts(self) -> dict[str, tuple[str, str]]:
        """Description and owner of every mart of the project, by name."""
        if not self.manifest_path.exists():
            self.parse()
        manifest = json.loads(self.manifest_path.read_text())
        return {
            node["name"]: (" ".join(node["description"].split()), node["config"]["meta"]["owner"])
            for node in sorted(manifest["nodes"].values(), key=lambda node: str(node["name"]))
            if node["resource_type"] == "model" and node["schema"] == MART_SCHEMA
        }

    def _load_manifest(self) -> Any:
        fingerprint = _fingerprint(PROJECT)
        if self._manifest is None or fingerprint != self._parsed_fingerprint:
            outcome = self._invoke(["parse", *self._flags()], None)
            if outcome.exception is not None or outcome.result is None:
                raise _as_error(outcome.exception)
            self._manifest = outcome.result
            self._parsed_fingerprint = fingerprint
        return self._manifest

    def _flags(self) -> list[str]:
        variables = {
            # dbt formats the path with braces and writes it between quotes.
            "lake_root": str(self.lake.root.absolute())
            .replace("'", "''")
            .replace("{", "{{")
            .replace("}", "}}"),
            "warehouse_path": str(self.build_path),
        }
        return [
            *("--project-dir", str(PROJECT)),
            *("--profiles-dir", str(PROJECT)),
            *("--target", "duckdb"),
            *("--target-path", str(self.home / "target")),
            *("--log-path", str(self.home / "logs")),
            *("--vars", json.dumps(variables)),
            *("--threads", "2"),
        ]

    def _invoke(self, arguments: list[str], manifest: Any) -> Any:
        # Imported here: dbt takes three seconds that no reader of a mart should wait for.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from dbt.adapters.duckdb.connections import DuckDBConnectionManager
            from dbt.cli.main import dbtRunner

            self.home.mkdir(parents=True, exist_ok=True)
            try:
                return dbtRunner(manifest=manifest).invoke(
                    ["--log-level", "none", "--log-level-file", "warn", *arguments]
                )
            finally:
                # dbt would keep the file open, and what it holds would not be in it yet.
                manager: Any = DuckDBConnectionManager
                manager.close_all_connections()

    def _held_by_build(self, manifest: Any, nodes: Sequence[NodeOutcome]) -> list[Held]:
        """Marts that this build left wrong (their own test failed) or unfinished."""
        marts = self._marts_of(manifest)
        held: dict[str, str] = {}
        for node in nodes:
            if node.status not in {"error", "fail", "skipped"}:
                continue
            if node.unique_id in marts:
                why = node.message if node.status == "error" else "something it rests on failed"
                held.setdefault(marts[node.unique_id], why)
            elif node.kind == "test" and node.unique_id in manifest.nodes:
                for parent in manifest.nodes[node.unique_id].depends_on.nodes:
                    if parent in marts and node.status != "skipped":
                        reason = f"{node.name} found {node.failures} rows"
                        held.setdefault(marts[parent], reason)
        return [Held(mart, " ".join(reason.split())) for mart, reason in sorted(held.items())]

    def _all_held(self, manifest: Any) -> list[dict[str, str]]:
        reason = "its last build did not come to an end"
        return [{"mart": mart, "reason": reason} for mart in self._marts_of(manifest).values()]

    @staticmethod
    def _marts_of(manifest: Any) -> dict[str, str]:
        return {
            unique_id: node.name
            for unique_id, node in manifest.nodes.items()
            if node.resource_type == "model" and node.schema == MART_SCHEMA
        }

    def _lake_cut(self) -> int:
        files = self.lake.root / "lake_watermark" / "part-watermark.parquet"
        if not files.exists():
            return 0
        query = "select coalesce(max(exported_below_xid), 0) from read_parquet(?)"
        with duckdb.connect() as connection:
            found = connection.execute(query, [str(files)]).fetchone()
        return int(found[0]) if found else 0

    def _forget_build(self) -> None:
        for path in (self.build_path, self.build_path.with_name(self.build_path.name + ".wal")):
            path.unlink(missing_ok=True)

    def _settle_build(self) -> None:
        """Fold the write-ahead log of a build that was killed into its file before it is copied."""
        if self.build_path.with_name(self.build_path.name + ".wal").exists():
            with duckdb.connect(self.build_path) as connection:
                connection.execute("checkpoint")

    def _published_path(self) -> Path | None:
        try:
            return self.home / (self.home / "current").readlink()
        except FileNotFoundError:
            return None

    def _next_number(self) -> int:
        numbers = [
            int(path.stem.removeprefix("published-"))
            for path in self.home.glob("published-*.duckdb")
        ]
        return max(numbers, default=0) + 1

    def _point_to(self, target: Path) -> None:
        fresh = self.home / ".current"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target.name)
        fresh.replace(self.home / "current")

    def _remove_unused(self, *kept: Path | None) -> None:
        """Delete older versions. The former one stays for whoever has just read the pointer.

        Who has an older one open keeps reading it: its name goes, its content does not.
        """
        for path in self.home.glob("published-*.duckdb"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def _read_state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.home / "build.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state

    def _write_state(self, state: Mapping[str, Any]) -> None:
        fresh = self.home / ".build.json"
        fresh.write_text(json.dumps(state, indent=2) + "\n")
        fresh.replace(self.home / "build.json")

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Keep two builders of one home apart; the lock goes with its process."""
        self.home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.home / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _fingerprint(project: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        if path.suffix in {".sql", ".yml"} and "target" not in path.parts:
            digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _node_outcome(result: Any) -> NodeOutcome:
    return NodeOutcome(
        unique_id=str(result.node.unique_id),
        name=str(result.node.name),
        kind=str(result.node.resource_type),
        status=str(result.status),
        seconds=round(float(result.execution_time), 3),
        message=str(result.message or ""),
        failures=int(result.failures or 0),
    )


def _as_error(exception: BaseException | None) -> Exception:
    text = " ".join(str(exception).split())
    if "No space left" in text or "IO Error" in text:
        return EnvironmentProblem(f"the warehouse cannot be built: {text}")
    return RuntimeError(f"dbt could not run: {text}")


def _columns(connection: duckdb.DuckDBPyConnection, mart: str) -> list[tuple[str, str]]:
    return connection.execute(
        "select column_name, data_type from duckdb_columns()"
        " where database_name = current_database() and schema_name = ? and table_name = ?"
        # What incremental builds go by is nothing to a reader.
        " and column_name <> 'recorded_xid' order by column_index",
        [MART_SCHEMA, mart],
    ).fetchall()


def _write_catalogue(
    connection: duckdb.DuckDBPyConnection,
    described: Mapping[str, tuple[str, str]],
    reasons: Mapping[str, str],
    former: Mapping[str, MartInfo],
) -> tuple[MartInfo, ...]:
    """Write what readers are told of the marts into the file that they read."""
    published_at = datetime.now(UTC)
    as_of_at = _as_of(connection)
    present = {
        name
        for (name,) in connection.execute(
            "select table_name from duckdb_tables()"
            " where database_name = current_database() and schema_name = ?",
            [MART_SCHEMA],
        ).fetchall()
    }
    marts = []
    for name, (description, owner) in described.items():
        if name not in present:
            continue
        counted = connection.execute(f'select count(*) from {MART_SCHEMA}."{name}"').fetchone()
        older = former.get(name)
        marts.append(
            MartInfo(
                name=name,
                description=description,
                owner=owner,
                row_count=int(counted[0]) if counted else 0,
                as_of_at=older.as_of_at if older else as_of_at,
                published_at=older.published_at if older else published_at,
                held_reason=reasons.get(name),
            )
        )
    connection.execute(
        "create or replace table main.published_mart (name text, description text, owner text,"
        " row_count bigint, as_of_at timestamptz, published_at timestamptz, held_reason text)"
    )
    for mart in marts:
        # As texts: the binding of aware datetimes would need a time zone package.
        connection.execute(
            "insert into main.published_mart values"
            " (?, ?, ?, ?, cast(? as timestamptz), cast(? as timestamptz), ?)",
            [
                mart.name,
                mart.description,
                mart.owner,
                mart.row_count,
                mart.as_of_at.isoformat() if mart.as_of_at else None,
                mart.published_at.isoformat(),
                mart.held_reason,
            ],
        )
    return tuple(marts)


def _as_of(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    query = "select as_of_at from core.dim_reporting_time where epoch(as_of_at) > 0"
    rows = _fetch(connection, query)
    return rows[0]["as_of_at"] if rows else None


def _read_catalogue(connection: duckdb.DuckDBPyConnection, database: str = "") -> list[MartInfo]:
    query = (
        "select name, description, owner, row_count, as_of_at, published_at, held_reason"
        f" from {database}main.published_mart order by name"
    )
    return [MartInfo(**row) for row in _fetch(connection, query)]


def _fetch(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Rows by way of Arrow: DuckDB's own conversion of instants wants a time zone package."""
    relation: Any = connection.sql(query)
    rows: list[dict[str, Any]] = relation.to_arrow_table().to_pylist()
    return rows


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
