"""dbt in this process: the project as it was read, and one run after another.

What a run may build is the warehouse's business, and who may read it the store's.
"""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assets.errors import EnvironmentProblem
from resources.analytics_store.catalogue import MART_SCHEMA
from resources.analytics_store.reports import MartDescription, NodeOutcome

PROJECT = Path(__file__).resolve().parent.parent.parent / "dbt_project"

#: dbt keeps its flags and its DuckDB handle in module globals: one invocation at a time.
DBT = threading.Lock()


class DbtProject:
    """The dbt project of one home; whoever calls `load` or `run` holds `DBT`.

    Args:
        home: Where dbt writes all that it writes.
        lake_root: Where the facts are.
        warehouse: The file that it builds.
    """

    def __init__(self, home: Path, lake_root: Path, warehouse: Path) -> None:
        self._home = home
        self._lake_root = lake_root
        self._warehouse = warehouse
        self._manifest: Any = None
        self.fingerprint = ""

    @property
    def manifest_path(self) -> Path:
        """The manifest as a file, written by `load`."""
        return self._home / "target" / "manifest.json"

    def load(self) -> Any:
        """The manifest of the project as it is now; ``fingerprint`` says which that is."""
        fingerprint = _fingerprint(PROJECT)
        if self._manifest is None or fingerprint != self.fingerprint:
            outcome = self._invoke(["parse", *self._flags()], None)
            if outcome.exception is not None or outcome.result is None:
                raise as_error(outcome.exception)
            self._manifest = outcome.result
            self.fingerprint = fingerprint
        return self._manifest

    def run(self, command: str, arguments: Sequence[str]) -> Any:
        """Let dbt do something with the project as it was loaded."""
        return self._invoke([command, *self._flags(), *arguments], self._manifest)

    def described_marts(self) -> dict[str, MartDescription]:
        """What the project says of every mart, by name."""
        if not self.manifest_path.exists():
            with DBT:
                self.load()
        manifest = json.loads(self.manifest_path.read_text())
        return {
            node["name"]: MartDescription(
                " ".join(node["description"].split()),
                node["config"]["meta"]["owner"],
                tuple(node["config"]["meta"]["summary"]),
            )
            for node in sorted(manifest["nodes"].values(), key=lambda node: str(node["name"]))
            if node["resource_type"] == "model" and node["schema"] == MART_SCHEMA
        }

    def _flags(self) -> list[str]:
        variables = {
            # dbt formats the path with braces and writes it between quotes.
            "lake_root": str(self._lake_root.absolute())
            .replace("'", "''")
            .replace("{", "{{")
            .replace("}", "}}"),
            "warehouse_path": str(self._warehouse),
        }
        return [
            *("--project-dir", str(PROJECT)),
            *("--profiles-dir", str(PROJECT)),
            *("--target", "duckdb"),
            *("--target-path", str(self._home / "target")),
            *("--log-path", str(self._home / "logs")),
            *("--vars", json.dumps(variables)),
            *("--threads", "2"),
        ]

    def _invoke(self, arguments: list[str], manifest: Any) -> Any:
        # Imported here: dbt takes three seconds that no reader of a mart should wait for.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from dbt.adapters.duckdb.connections import DuckDBConnectionManager
            from dbt.cli.main import dbtRunner

            self._home.mkdir(parents=True, exist_ok=True)
            try:
                return dbtRunner(manifest=manifest).invoke(
                    ["--log-level", "none", "--log-level-file", "warn", *arguments]
                )
            finally:
                # dbt would keep the file open, and what it holds would not be in it yet.
                manager: Any = DuckDBConnectionManager
                manager.close_all_connections()


def marts_of(manifest: Any) -> dict[str, str]:
    """The marts of a manifest: dbt's ids to names."""
    return {
        unique_id: node.name
        for unique_id, node in manifest.nodes.items()
        if node.resource_type == "model" and node.schema == MART_SCHEMA
    }


def node_outcome(result: Any) -> NodeOutcome:
    """What became of one node, in our words."""
    return NodeOutcome(
        unique_id=str(result.node.unique_id),
        name=str(result.node.name),
        kind=str(result.node.resource_type),
        status=str(result.status),
        seconds=round(float(result.execution_time), 3),
        message=str(result.message or ""),
        failures=int(result.failures or 0),
    )


def as_error(exception: BaseException | None) -> Exception:
    """Whether this machine or the project is to blame for a run that did not happen."""
    text = " ".join(str(exception).split())
    if "No space left" in text or "IO Error" in text:
        return EnvironmentProblem(f"the warehouse cannot be built: {text}")
    return RuntimeError(f"dbt could not run: {text}")


def _fingerprint(project: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        if path.suffix in {".sql", ".yml"} and "target" not in path.parts:
            digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
