"""Tells Dagster at the end of a replay or demo what has come to be: every table, model and check.

While it trades, a replay tells of the tables that grow. Here everything is told once, with the rows
that it has now, as the runs of the two code locations would tell it: from their own definitions,
by their own functions. So nobody who opens Dagster finds a table that was never materialised beside
one that was, or a check that nobody evaluated although it was judged.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, cast

from orchestration.home import Home
from resources.dagster_reporting import reporting
from resources.operational_store.bulk import fetch
from resources.operational_store.store import OperationalStore

if TYPE_CHECKING:
    import dagster as dg

    from assets.asset_graph import LawResult
    from orchestration.publication import Published
    from orchestration.warehouse_results import Result
    from resources.load_gate import LoadVerdict


def tell_dagster(
    home: Home,
    store: OperationalStore,
    published: Published | None,
    loads: Sequence[LoadVerdict] = (),
) -> None:
    """Tell what a home holds now.

    Args:
        home: Whose Dagster is told.
        store: Its operational store.
        published: What was built, where anything was.
        loads: What was said of bulk loads on the way.
    """
    with reporting(home.dagster) as dagster:
        if not dagster.is_listening:
            return
        results = [*_tables(store), *_loads(store, loads)]
        deps = _deps_of_tables()
        if published is not None:
            manifest = json.loads(published.manifest_path.read_text())
            results += [*_windows(store, published), *_warehouse(published, manifest)]
            deps |= _deps_of_models(manifest)
        for generation in _generations(results, deps):
            dagster.tell(map(_as_event, generation))


def _generations(results: Iterable[Result], deps: Mapping[str, Set[str]]) -> Iterator[list[Result]]:
    """Results so that an asset comes after those that it rests on, or Dagster would call it old."""
    by_asset: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_asset[cast("dg.AssetKey", result.asset_key).path[-1]].append(result)
    order = TopologicalSorter(deps)
    order.prepare()
    while order.is_active():
        ready = order.get_ready()
        yield [result for asset in ready for result in by_asset[asset]]
        order.done(*ready)


def tell_laws(home: Home, checked: Iterable[LawResult]) -> None:
    """Tell what was found of conservation laws; those that are no check of a table are not told."""
    with reporting(home.dagster) as dagster:
        if not dagster.is_listening:
            return
        from assets.asset_graph import law_result
        from orchestration.operations import LAWS

        dagster.tell(
            _as_event(law_result(LAWS[result.id], result))
            for result in checked
            if result.id in LAWS
        )


def _as_event(result: Result) -> Any:
    """What a run would have recorded for a result."""
    import dagster as dg

    # Outside of a run nothing else could say which asset is meant; all results here name theirs.
    asset_key = cast("dg.AssetKey", result.asset_key)
    if isinstance(result, dg.MaterializeResult):
        return dg.AssetMaterialization(asset_key, "as it is now", metadata=result.metadata)
    return dg.AssetCheckEvaluation(
        asset_key=asset_key,
        check_name=cast("str", result.check_name),
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
    )


def _specs() -> dict[str, dg.AssetSpec]:
    """Every table of the operational store that is an asset, of either location."""
    from assets.procure_to_stock.assets import PLANNED
    from orchestration.operations import SPECS

    return {**SPECS, **{spec.key.path[-1]: spec for spec in PLANNED}}


def _deps_of_tables() -> dict[str, Set[str]]:
    return {name: {dep.asset_key.path[-1] for dep in spec.deps} for name, spec in _specs().items()}


def _deps_of_models(manifest: Mapping[str, Any]) -> dict[str, Set[str]]:
    """What models rest on: other models, and the lake."""
    from orchestration.warehouse_results import LAKE_WATERMARK, read_keys

    models = read_keys(manifest).models
    deps: dict[str, Set[str]] = {LAKE_WATERMARK: set(_deps_of_tables())}
    for unique_id, key in models.items():
        parents = manifest["nodes"][unique_id]["depends_on"]["nodes"]
        built = {models[parent].path[-1] for parent in parents if parent in models}
        deps[key.path[-1]] = {LAKE_WATERMARK, *built}
    return deps


def _tables(store: OperationalStore) -> Iterator[Result]:
    import dagster as dg

    from resources.operational_store.cases import case_figures

    with store.transaction() as connection:
        # No sensor tells of cases where time is simulated.
        figures = {"exception_case": case_figures(connection, store.clock.effective_at())}
        for name in sorted(_specs()):
            ((rows,),) = fetch(connection, f"select count(*) from {name}")
            metadata = {"dagster/row_count": int(rows), **figures.get(name, {})}
            yield dg.MaterializeResult(asset_key=name, metadata=metadata)


def _loads(store: OperationalStore, verdicts: Sequence[LoadVerdict]) -> Iterator[Result]:
    from orchestration.load_checks import SPECS, load_results
    from resources.gate_records import open_cases

    with store.transaction() as connection:
        cases = {spec.name: open_cases(connection, spec.name) for spec in SPECS}
    yield from load_results(verdicts, cases)


def _windows(store: OperationalStore, published: Published) -> Iterator[Result]:
    from orchestration.window_checks import window_result
    from resources.gate_records import open_cases
    from resources.gated_tables import TABLES

    with store.transaction() as connection:
        cases = {table: open_cases(connection, table) for table in TABLES}
    for table in TABLES:
        of_table = [verdict for verdict in published.windows if verdict.table == table]
        yield window_result(table, of_table, cases[table])


def _warehouse(published: Published, manifest: Mapping[str, Any]) -> Iterator[Result]:
    from orchestration.warehouse_results import export_result, read_keys, warehouse_results

    yield export_result(published.exported)
    keys = read_keys(manifest)
    yield from warehouse_results(keys, published.built, published.publication, published.verdicts)
