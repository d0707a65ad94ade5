"""Write-offs and counts that people enter, as something that may need consent."""

from __future__ import annotations

from typing import Any

import msgspec

from assets.commerce.money import to_text
from assets.contracts.inventory import InventoryAdjusted, InventoryCounted
from assets.errors import BadInput
from assets.inventory.publication import house_channels
from assets.ports import ApprovalRequest, UnitOfWork
from assets.waiting_events import waiting_event

#: Who sends what people post at a terminal.
SOURCE = "stock_control"


def request_for(
    unit_of_work: UnitOfWork,
    *,
    is_count: bool,
    node: str,
    sku: str,
    units: int,
    document: str,
    reason: str,
    requested_by: str,
) -> ApprovalRequest:
    """A posting, worth what it changes at standard cost.

    Raises:
        BadInput: If there is no such node or SKU, or no such number of units can be meant.
    """
    if node not in unit_of_work.master_data.nodes():
        raise BadInput(f"there is no node {node}")
    terms = unit_of_work.master_data.products({sku}).get(sku)
    if terms is None:
        raise BadInput(f"there is no SKU {sku}")
    if units < 0 or (not is_count and not units):
        raise BadInput("say how many units: a number above zero, or zero where none were counted")
    positions = unit_of_work.stock.lock_positions({sku})
    on_hand = sum(one.on_hand for one in positions if one.node_id == node)
    changed = units - on_hand if is_count else -units
    data = _data(is_count, node, sku, units, document, reason)
    house = next(iter(house_channels(unit_of_work.policies).values()))
    whose = {
        "legal_entity": house.legal_entity,
        "brand": house.brand,
        "region": house.region,
        "channel": SOURCE,
        "correlation_id": document,
    }
    event_type = f"retail.inventory.{'counted' if is_count else 'adjusted'}.v1"
    amount = abs(changed) * terms.standard_cost
    what = f"{units} counted" if is_count else f"{units} written off ({reason})"
    return ApprovalRequest(
        subject_type="stock_count" if is_count else "write_off",
        subject_key=f"{document}/{node}/{sku}",
        summary=f"{what} of {sku} at {node}, {changed:+d} units worth {to_text(amount)}"
        f" {terms.currency_code}",
        source=SOURCE,
        event={
            **waiting_event(event_type, document, whose, data),
            "time": unit_of_work.effective_at.isoformat(),
        },
        amount=amount,
        currency_code=terms.currency_code,
        region=house.region,
        brand=house.brand,
        requested_by=requested_by,
    )


def _data(
    is_count: bool, node: str, sku: str, units: int, document: str, reason: str
) -> dict[str, Any]:
    said: dict[str, Any] = {"document_number": document, "node_id": node}
    kind: type[InventoryCounted | InventoryAdjusted]
    if is_count:
        kind = InventoryCounted
        said["lines"] = [{"sku": sku, "quantity": units}]
    else:
        kind = InventoryAdjusted
        said |= {
            "reason": reason,
            "lines": [{"line_number": 1, "sku": sku, "quantity": -units}],
        }
    try:
        msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from error
    return said
