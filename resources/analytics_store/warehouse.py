"""The file that dbt builds, aside from readers, and what is known to be wrong with it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from resources.analytics_store.dbt_project import (
    DBT,
    DbtProject,
    as_error,
    marts_of,
    node_outcome,
)
from resources.analytics_store.reports import BuildReport, Held, NodeOutcome
from resources.lake.lake import Lake


class Warehouse:
    """The build of one home; one builder or publisher at a time.

    Args:
        home: The folder of the analytics store.
        lake: Where the facts are.
    """

    def __init__(self, home: Path, lake: Lake) -> None:
        self._home = home
        self._lake = lake
        self.path = home / "build.duckdb"
        self.project = DbtProject(home, lake.root, self.path)

    def build(
        self,
        full_refresh: bool,
        select: Sequence[str] | None,
        *,
        data_tests: bool,
        unit_tests: bool,
    ) -> BuildReport:
        """Bring the warehouse up to the lake's watermark; see `AnalyticsStore.build`."""
        started = time.monotonic()
        with self.locked(), DBT, self._lake.reading():
            manifest = self.project.load()
            state = self._read_state()
            fingerprint, cut = self.project.fingerprint, self._lake_cut()
            if state.get("fingerprint") != fingerprint or cut < int(state.get("cut", 0)):
                # What another project or another lake has built cannot be continued.
                self._forget()
            full_refresh = full_refresh or not self.path.exists()
            known = {"fingerprint": fingerprint, "cut": cut}
            # Whatever happens now, until it is known to be well nothing of it may be published.
            self._write_state(known, _all_held(manifest, "its last build did not come to an end"))
            arguments = _arguments(full_refresh, select, data_tests, unit_tests)
            outcome = self.project.run("build", arguments)
            nodes = tuple(node_outcome(result) for result in outcome.result or ())
            if outcome.exception is not None and not nodes:
                raise as_error(outcome.exception)
            held = (
                _held_by_build(manifest, nodes)
                if data_tests
                else _all_held(manifest, "it was not tested")
            )
            self._write_state(known, held)
        return BuildReport(
            success=bool(outcome.success),
            full_refresh=full_refresh,
            nodes=nodes,
            held=tuple(held),
            seconds=round(time.monotonic() - started, 3),
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep two builders of one home apart; the lock goes with its process."""
        self._home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._home / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def held(self) -> list[Held]:
        """Marts that the last build left wrong or unfinished."""
        return [Held(**entry) for entry in self._read_state().get("held", [])]

    def settle(self) -> None:
        """Fold the write-ahead log of a build that was killed into its file before it is copied."""
        if self._log_path.exists():
            with duckdb.connect(self.path) as connection:
                connection.execute("checkpoint")

    @property
    def _log_path(self) -> Path:
        return self.path.with_name(self.path.name + ".wal")

    def _forget(self) -> None:
        for path in (self.path, self._log_path):
            path.unlink(missing_ok=True)

    def _lake_cut(self) -> int:
        files = self._lake.root / "lake_watermark" / "part-watermark.parquet"
        if not files.exists():
            return 0
        query = "select coalesce(max(exported_below_xid), 0) from read_parquet(?)"
        with duckdb.connect() as connection:
            found = connection.execute(query, [str(files)]).fetchone()
        return int(found[0]) if found else 0

    def _read_state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self._home / "build.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state

    def _write_state(self, known: Mapping[str, Any], held: Sequence[Held]) -> None:
        state = {**known, "held": [asdict(entry) for entry in held]}
        fresh = self._home / ".build.json"
        fresh.write_text(json.dumps(state, indent=2) + "\n")
        fresh.replace(self._home / "build.json")


def _arguments(
    full_refresh: bool, select: Sequence[str] | None, data_tests: bool, unit_tests: bool
) -> list[str]:
    arguments = ["--no-write-json"]
    if full_refresh:
        arguments.append("--full-refresh")
    wanted = {"exposure": False, "test": data_tests, "unit_test": unit_tests}
    for kind in (kind for kind, is_wanted in wanted.items() if not is_wanted):
        arguments += ["--exclude-resource-type", kind]
    if select:
        arguments += ["--select", *(f"+{name.lstrip('+')}" for name in select)]
    return arguments


def _held_by_build(manifest: Any, nodes: Sequence[NodeOutcome]) -> list[Held]:
    """Marts that this build left wrong (their own test failed) or unfinished."""
    marts = marts_of(manifest)
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


def _all_held(manifest: Any, reason: str) -> list[Held]:
    return [Held(mart, reason) for mart in marts_of(manifest).values()]
