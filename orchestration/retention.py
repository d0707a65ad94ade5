"""The nightly job: what is no fact and older than the policy allows goes."""

# No postponed annotations here: Dagster compares that of a context by identity.

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import dagster as dg

from assets.asset_graph import as_failure
from assets.errors import RetailFlowError
from orchestration.dagster_history import delete_runs, old_runs


class Removed(Protocol):
    """What of one kind was too old."""

    @property
    def what(self) -> str:
        """The kind."""
        ...

    @property
    def count(self) -> int:
        """How many."""
        ...


class RetentionStore(Protocol):
    """The store of what is kept for a while."""

    @property
    def run_days(self) -> int:
        """How long Dagster's runs are kept."""
        ...

    def remove_old(self) -> Sequence[Removed]:
        """Remove what is no fact and too old."""
        ...


@dg.op
def remove_what_is_too_old(
    context: dg.OpExecutionContext, operational_store: dg.ResourceParam[RetentionStore]
) -> None:
    """Bodies, payloads and personal data that wait, then Dagster's own runs."""
    try:
        removed = {removal.what: removal.count for removal in operational_store.remove_old()}
    except RetailFlowError as error:
        raise as_failure(error) from error
    before = datetime.now(UTC) - timedelta(days=operational_store.run_days)
    runs = old_runs(context.instance, before)
    delete_runs(context.instance, runs)
    context.add_output_metadata({**removed, "dagster_run": len(runs)})


@dg.job(description="Removes what is no fact and older than the policy of retention allows.")
def retention() -> None:
    """One step: what is removed is not found again, so it may be broken off and repeated."""
    remove_what_is_too_old()
