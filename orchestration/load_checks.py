"""The gate on bulk loads as named checks of the inbox, in which a load waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import dagster as dg

from assets.asset_graph import as_failure
from assets.bulk_loads.expectations import load_suites
from assets.errors import RetailFlowError
from resources.load_gate import LoadVerdict
from resources.policy_book import read_operations

ASSET = "event_inbox"


class Loads(Protocol):
    """What judges loads."""

    def judge_loads(self) -> Sequence[LoadVerdict]:
        """Judge every load that waits for it."""
        ...

    def open_gate_cases(self, suite: str) -> Mapping[str, str]:
        """Reasons of the gate's open cases of one suite, by partner and expectation."""
        ...


# A home's own policy changes figures, never which suites and expectations there are.
SPECS = [
    dg.AssetCheckSpec(
        suite.name,
        asset=ASSET,
        description=f"Great Expectations on each bulk load before it is accepted:"
        f" {len(suite.expectations)} expectations, owner {suite.owner}. Red as long as a case of it"
        " is open.",
    )
    for suite in load_suites(read_operations().bulk_loads).values()
]


@dg.multi_asset_check(name="load_gates", specs=SPECS)
def load_gates(loads: dg.ResourceParam[Loads]) -> Iterator[dg.AssetCheckResult]:
    """Judge every load that waits: all suites of a load decide together."""
    try:
        verdicts = loads.judge_loads()
        cases = {spec.name: loads.open_gate_cases(spec.name) for spec in SPECS}
    except RetailFlowError as error:
        raise as_failure(error) from error
    yield from load_results(verdicts, cases)


def load_results(
    verdicts: Sequence[LoadVerdict], cases: Mapping[str, Mapping[str, str]]
) -> Iterator[dg.AssetCheckResult]:
    """What is said of loads that were judged, by suite; ``cases`` are the open ones of each."""
    for spec in SPECS:
        yield dg.AssetCheckResult(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=not cases[spec.name],
            metadata=_figures(spec.name, verdicts, cases[spec.name]),
        )


def _figures(
    suite: str, verdicts: Sequence[LoadVerdict], cases: Mapping[str, str]
) -> dict[str, Any]:
    judged = [verdict for verdict in verdicts if suite in verdict.failures]
    return {
        "loads": len(judged),
        "events": sum(verdict.events for verdict in judged),
        "events_accepted": sum(verdict.accepted for verdict in judged),
        "events_quarantined": sum(verdict.quarantined for verdict in judged),
        "events_waiting": sum(verdict.waiting for verdict in judged),
        "failures": dg.MetadataValue.json(
            {
                f"{verdict.source}/{failure.expectation}": len(failure.rows)
                for verdict in judged
                for failure in verdict.failures[suite]
            }
        ),
        "open_cases": dg.MetadataValue.json(dict(cases)),
    }


judge_loads = dg.define_asset_job(
    "judge_loads",
    selection=dg.AssetSelection.checks(*(spec.key for spec in SPECS)),
    description="Judges the bulk loads that have come and lets go on what is accepted.",
)
