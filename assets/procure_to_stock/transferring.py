"""What one place has too much of moves to another: the ERP is told once of each pair of places.

What comes of it are stock documents: the goods leave (``inventory.adjusted`` with ``to_node_id``),
are announced under the transfer's number, and are received (``inventory.received`` with
``from_node_id``). From the announcement on they count as coming, and no more as proposed.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from assets.commerce.identifiers import identify
from assets.flow_writes import FlowWrites
from assets.ports import Command

OWNER = "purchasing"
TRANSFER_PROPOSAL = (
    "transfer_id",
    "transfer_number",
    "plan_id",
    "sku",
    "from_node_id",
    "to_node_id",
    "quantity",
)


class _Whose(NamedTuple):
    legal_entity: str
    brand: str
    region: str
    channel: str
    correlation_id: str


def tell_transfers(
    plan_id: str, moved: pd.DataFrame, scope: tuple[str, str, str, str], writes: FlowWrites
) -> None:
    """Keep what is to be moved, and tell the ERP.

    Args:
        plan_id: Which proposes it; of one plan each pair of places has one transfer.
        moved: `assets.procure_to_stock.rules.network.transfer`.
        scope: Legal entity, brand, region and channel.
        writes: Of the plan.
    """
    for (source, goal), lines in moved.groupby(["from_node_id", "to_node_id"], sort=True):
        number = str(identify("stock_transfer", plan_id, source, goal))
        units = list(zip(lines["sku"], lines["quantity"].tolist(), strict=True))
        writes.rows["transfer_proposal"] += [
            (
                str(identify("transfer", plan_id, sku, source, goal)),
                number,
                plan_id,
                sku,
                source,
                goal,
                quantity,
            )
            for sku, quantity in units
        ]
        writes.tell(
            Command(
                partner="erp",
                command_type="stock_transfer.create",
                business_key=number,
                scope=_Whose(*scope, number),
                payload={
                    "occasion": plan_id,
                    "transfer_number": number,
                    "from_node_id": source,
                    "to_node_id": goal,
                    "lines": [
                        {"line_number": line, "sku": sku, "quantity": quantity}
                        for line, (sku, quantity) in enumerate(units, 1)
                    ],
                },
                owner=OWNER,
                caused_at=writes.unit_of_work.effective_at,
                discriminator=plan_id,
            )
        )
