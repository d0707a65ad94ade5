"""What a build and its publication say to Dagster: one result a model, a test and a gate.

The asset `warehouse` yields them in its run; a replay and the demo, which build without a run, tell
the same ones. dagster-dbt is not needed for it: a model's asset is its name, a test's check too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from assets.quality_gate import Verdict
from resources.analytics_store.reports import BuildReport, NodeOutcome, Publication
from resources.gated_marts import MARTS
from resources.lake.tallies import ExportTally

MART_GATE = "mart_gate"
LAKE_WATERMARK = "lake_watermark"
Result = dg.MaterializeResult[Any] | dg.AssetCheckResult


@dataclass(frozen=True)
class Keys:
    """Assets and checks by dbt's ids.

    Attributes:
        models: Each after what it rests on, where it was read in such an order.
    """

    models: Mapping[str, dg.AssetKey]
    tests: Mapping[str, dg.AssetCheckKey]


def read_keys(manifest: Mapping[str, Any]) -> Keys:
    """The assets and checks of a manifest."""
    models = {
        unique_id: dg.AssetKey(node["name"])
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    tests = {
        unique_id: dg.AssetCheckKey(models[of], node["name"])
        for unique_id, node in manifest["nodes"].items()
        if (of := model_of_test(node, models)) is not None
    }
    return Keys(models, tests)


def model_of_test(node: Mapping[str, Any], models: Mapping[str, Any]) -> str | None:
    """The model whose check a node of the manifest is; nothing for what is no test of a model.

    A test between models belongs to the one that it is written at, else to the last named.
    """
    about = [parent for parent in node["depends_on"]["nodes"] if parent in models]
    if node["resource_type"] != "test" or not about:
        return None
    return str(node.get("attached_node") or about[-1])


def warehouse_results(
    keys: Keys, built: BuildReport, publication: Publication, verdicts: Mapping[str, Verdict]
) -> Iterator[Result]:
    """Everything that a build and its publication came to."""
    yield from _models(keys, built, publication)
    yield from _tests(keys, built)
    yield from _gates(keys, publication, verdicts)


def export_result(exported: ExportTally) -> dg.MaterializeResult[Any]:
    """What an export came to."""
    return dg.MaterializeResult(
        asset_key=LAKE_WATERMARK,
        metadata={
            "dagster/row_count": exported.rows,
            "exported_below_xid": exported.exported_below_xid,
            "seconds": exported.seconds,
            "rows_by_table": dg.MetadataValue.json(
                {name: tally.rows for name, tally in exported.tables.items()}
            ),
        },
    )


def _models(
    keys: Keys, built: BuildReport, publication: Publication
) -> Iterator[dg.MaterializeResult[Any]]:
    shown = {mart.name: mart for mart in publication.marts}
    outcomes = {node.unique_id: node for node in built.nodes}
    for unique_id, key in keys.models.items():
        node = outcomes.get(unique_id)
        if node is None or node.status != "success":
            continue
        metadata: dict[str, Any] = {"seconds": node.seconds}
        if node.name in publication.rows:
            metadata["dagster/row_count"] = publication.rows[node.name]
        mart = shown.get(node.name)
        if mart is not None:
            metadata |= {
                "dagster/row_count": mart.row_count,
                "publication": publication.number,
                "is_former_version": mart.held_reason is not None,
            }
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)


def _tests(keys: Keys, built: BuildReport) -> Iterator[dg.AssetCheckResult]:
    """Every declared check has a result: a test that was not run has not passed."""
    outcomes = {node.unique_id: node for node in built.nodes}
    for unique_id, key in keys.tests.items():
        node = outcomes.get(unique_id) or NodeOutcome(unique_id, key.name, "test", "skipped", 0.0)
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=node.status in {"pass", "success", "warn"},
            severity=dg.AssetCheckSeverity.WARN
            if node.status == "warn"
            else dg.AssetCheckSeverity.ERROR,
            metadata={"status": node.status, "failing_rows": node.failures},
        )


def _gates(
    keys: Keys, publication: Publication, verdicts: Mapping[str, Verdict]
) -> Iterator[dg.AssetCheckResult]:
    held = {entry.mart: entry.reason for entry in publication.held}
    for mart in sorted({key.path[-1] for key in keys.models.values()} & set(MARTS)):
        verdict = verdicts.get(mart)
        yield dg.AssetCheckResult(
            asset_key=dg.AssetKey(mart),
            check_name=MART_GATE,
            passed=verdict is not None and verdict.passed and mart not in held,
            metadata={
                **({} if verdict is None else figures(verdict)),
                "publication": publication.number,
                "held_because": held.get(mart, ""),
            },
        )


def figures(verdict: Verdict) -> dict[str, Any]:
    """A verdict as metadata: counts and sentences, never a value of a row."""
    return {
        "rows": verdict.rows,
        "rows_held": len(verdict.held_rows),
        "expectations": verdict.expectations,
        "owner": verdict.owner,
        "failures": dg.MetadataValue.json(
            [
                {
                    "expectation": failure.expectation,
                    "reason": failure.reason,
                    "severity": failure.severity,
                    "level": failure.level,
                    "rows": len(failure.rows),
                }
                for failure in verdict.failures
            ]
        ),
    }
