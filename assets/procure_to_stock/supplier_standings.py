"""How suppliers' deliveries are looked at: kept when it changes, and told to whoever calls them."""

from __future__ import annotations

import pandas as pd

from assets.flow_writes import FlowWrites
from assets.ports import About, CaseType
from assets.procure_to_stock.rules.standing import Standing

_CONSEQUENCES = {
    str(Standing.WARN): "somebody should call them",
    str(Standing.PREVENT): "nothing more is ordered of them",
}


def tell_standings(plan_id: str, judged: pd.DataFrame, writes: FlowWrites) -> None:
    """Keep what changed since the last plan; what is not good is a case until it is again.

    Args:
        plan_id: The plan that goes by it.
        judged: One row per supplier: ``supplier_id``, ``standing``, ``due_lines``, ``good_lines``.
        writes: What the plan stores.
    """
    before = writes.unit_of_work.purchasing.standings()
    columns = ["supplier_id", "standing", "due_lines", "good_lines"]
    for supplier, standing, due, good in judged[columns].itertuples(index=False, name=None):
        if standing == before.get(supplier, str(Standing.GOOD)):
            continue
        writes.rows["supplier_standing"].append((supplier, plan_id, standing, int(due), int(good)))
        if standing == Standing.GOOD:
            resolution = "its deliveries are good again"
            writes.close_case(CaseType.SUPPLIER_STANDING, supplier, resolution)
            continue
        writes.open_case(
            CaseType.SUPPLIER_STANDING,
            supplier,
            f"{good} of {due} lines of {supplier} came whole and in time:"
            f" {_CONSEQUENCES[standing]}",
            About(),
        )
