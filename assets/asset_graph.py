"""How a room's tables become Dagster assets and its laws their checks: one shape for all of them.

An asset is a table of the operational store under the table's own name. Events arrive by themselves
and are handled by streaming sensors; materialising an asset is the catch-up path and calls the same
function, so it is safe at any time and any number of times: an event is applied once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import dagster as dg

from assets.errors import RetailFlowError
from assets.ports import Tally


class LawResult(Protocol):
    """Whether one conservation law holds on the stored rows."""

    @property
    def id(self) -> str:
        """Its id, ``S1``."""
        ...

    @property
    def title(self) -> str:
        """What it says."""
        ...

    @property
    def applies(self) -> bool:
        """Whether there is anything that it is about."""
        ...

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        ...

    @property
    def violations(self) -> Sequence[Mapping[str, Any]]:
        """The first rows that break it."""
        ...

    @property
    def violation_count(self) -> int:
        """How many do."""
        ...


class FlowStore(Protocol):
    """The operational store, as assets and their checks need it."""

    def drain(self, consumer: str) -> Tally:
        """Apply everything that waits for a consumer."""
        ...

    def row_counts(self, tables: Sequence[str]) -> dict[str, int]:
        """Rows by table."""
        ...

    def check_law(self, law: str) -> LawResult:
        """Check one conservation law on what is committed."""
        ...


@dataclass(frozen=True)
class Law:
    """A conservation law and the table whose readers it protects."""

    id: str
    name: str
    table: str
    description: str


def table(
    name: str,
    grain: str,
    *,
    group: str,
    owner: str,
    deps: Sequence[str] = (),
    fresh_within: timedelta | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.AssetSpec:
    """A table of the operational store as an asset.

    Args:
        name: The table's name.
        grain: What one row is, in one sentence.
        group: The room it belongs to.
        owner: The team that answers for it.
        deps: Tables that its flow reads.
        fresh_within: How long nobody wonders why nothing new came.
        tags: For selections.
    """
    policy = None
    if fresh_within is not None:
        policy = dg.FreshnessPolicy.time_window(
            fail_window=fresh_within, warn_window=fresh_within / 2
        )
    return dg.AssetSpec(
        name,
        description=grain,
        group_name=group,
        owners=[f"team:{owner}"],
        kinds={"postgres", "table"},
        deps=list(deps),
        freshness_policy=policy,
        tags=dict(tags or {}),
        metadata={"dagster/table_name": name},
    )


def caught_up(consumer: str, specs: Sequence[dg.AssetSpec]) -> dg.AssetsDefinition:
    """The catch-up path of a flow: all its tables, brought up to the inbox by one drain."""
    tables = [spec.key.path[-1] for spec in specs]

    @dg.multi_asset(
        name=f"{consumer}_catch_up",
        specs=specs,
        op_tags={"consumer": consumer},
        retry_policy=dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL),
    )
    def catch_up(
        operational_store: dg.ResourceParam[FlowStore],
    ) -> Iterator[dg.MaterializeResult[Any]]:
        try:
            tally = operational_store.drain(consumer)
            counts = operational_store.row_counts(tables)
        except RetailFlowError as error:
            raise as_failure(error) from error
        for name in tables:
            yield dg.MaterializeResult(
                asset_key=name, metadata={"dagster/row_count": counts[name], **told(tally)}
            )

    return catch_up


def told(tally: Tally) -> dict[str, int]:
    """A drain's figures as metadata; counts only, never what the events say."""
    return {
        "events_applied": tally.applied,
        "events_waiting": tally.waiting,
        "events_quarantined": tally.quarantined,
        "cases_opened": tally.cases,
        "batches": tally.batches,
    }


def as_failure(error: RetailFlowError) -> dg.Failure:
    """What Dagster is told: only what another try could mend is tried again."""
    from assets.errors import EnvironmentProblem, PartnerUnavailable

    may_pass = isinstance(error, (EnvironmentProblem, PartnerUnavailable))
    return dg.Failure(description=str(error), allow_retries=may_pass)


def law_check(law: Law) -> dg.AssetChecksDefinition:
    """A conservation law as a check of its table; it reads whole tables, by sets."""

    @dg.asset_check(asset=law.table, name=law.name, description=law.description)
    def holds(operational_store: dg.ResourceParam[FlowStore]) -> dg.AssetCheckResult:
        try:
            result = operational_store.check_law(law.id)
        except RetailFlowError as error:
            raise as_failure(error) from error
        return law_result(law, result)

    return holds


def law_result(law: Law, result: LawResult) -> dg.AssetCheckResult:
    """What is said of a law that was checked."""
    return dg.AssetCheckResult(
        asset_key=law.table,
        check_name=law.name,
        passed=result.holds,
        severity=dg.AssetCheckSeverity.ERROR,
        description=result.title,
        metadata={
            "invariant": law.id,
            "applies": result.applies,
            "violation_count": result.violation_count,
            "violations": dg.MetadataValue.json(
                [{key: str(value) for key, value in row.items()} for row in result.violations]
            ),
        },
    )
