"""Takes off sale what a channel must not sell until a case about it is over."""

from __future__ import annotations

from collections.abc import Sequence

from assets.inventory.publication import house_channels
from assets.ports import Outcome, TroubledCase, UnitOfWork


def hold(cases: Sequence[TroubledCase], unit_of_work: UnitOfWork) -> dict[str, Outcome]:
    """Offer none of the SKU in the channel that the case is about, as ``channel/sku``."""
    channels = house_channels(unit_of_work.policies)
    came = {case.case_id: Outcome.NOTHING_TO_DO for case in cases}
    holds = []
    for case in cases:
        channel, _, sku = case.business_key.partition("/")
        if channel in channels and sku:
            holds.append((channel, sku, case.case_id, case.cycle))
            came[case.case_id] = Outcome.DONE
    if holds:
        unit_of_work.stock.hold_sale(holds, unit_of_work.effective_at)
    return came
