"""The cases as Dagster shows them. Sensors see to them; materialising them is the catch-up path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import dagster as dg

from assets.asset_graph import as_failure, table
from assets.errors import RetailFlowError

GROUP = "exception_routing"
OWNER = "operations"


class CaseStore(Protocol):
    """The store of what needs a person."""

    def route_cases(self) -> int:
        """Give cases an owner and a due time that have none; gives how many."""
        ...

    def escalate(self) -> int:
        """Take the rungs of the ladder whose time has come; gives how many."""
        ...

    def case_figures(self) -> dict[str, int]:
        """How many cases there are by state, all in all and by queue."""
        ...

    def row_counts(self, tables: Sequence[str]) -> dict[str, int]:
        """Rows by table."""
        ...


SPECS = [
    table(
        "exception_case",
        "One row per thing that needs a person, with its owner and due time.",
        group=GROUP,
        owner=OWNER,
        deps=("event_inbox", "order_state", "stock_correction", "command_outbox"),
    ),
    table(
        "service_level_movement",
        "One row per case, cycle and change of its time: what was used up, and when it is due.",
        group=GROUP,
        owner=OWNER,
    ),
    table(
        "playbook_action",
        "One row per case, cycle and action: what was done without a person, by which run.",
        group=GROUP,
        owner=OWNER,
        deps=("exception_case",),
    ),
    table(
        "case_escalated",
        "One row per case, cycle and rung of the ladder that was taken.",
        group=GROUP,
        owner=OWNER,
    ),
]


@dg.multi_asset(name="see_to_cases", specs=SPECS)
def cases(operational_store: dg.ResourceParam[CaseStore]) -> Iterator[dg.MaterializeResult[Any]]:
    """Route what is nobody's, escalate what is late, and say how many cases there are."""
    try:
        routed, taken = operational_store.route_cases(), operational_store.escalate()
        figures = operational_store.case_figures()
        counts = operational_store.row_counts([spec.key.path[-1] for spec in SPECS])
    except RetailFlowError as error:
        raise as_failure(error) from error
    told: dict[str, dict[str, int]] = {
        "exception_case": {"cases_routed": routed, **figures},
        "case_escalated": {"rungs_taken": taken},
    }
    for name, rows in counts.items():
        metadata = {"dagster/row_count": rows, **told.get(name, {})}
        yield dg.MaterializeResult(asset_key=name, metadata=metadata)


ASSETS = [cases]
