"""What another system believes of our stock, held against the ledger: every unit gets one reason.

Pure. A position is never overwritten by a snapshot: what is compared is our position at the
snapshot's own time. Drift is what the other system has more (positive) or less than we do.

Reasons, in the order in which they are asked for, and what shows each:

- ``unit_of_measure``: counted in cases and read as units, or the other way round, the quantity is
  ours to the unit.
- ``duplicate``, ``out_of_order``, ``lost``, ``late``: a document explains it. Some documents we
  know to be ahead or behind (certain: they explain as many units as they can); of others we only
  see that they would explain it to the unit (circumstantial: all of what is left, or nothing).
- ``oversell``: units that we have promised and that are not there; of a channel, units that it
  offers beyond what it was told.
- ``miscount``: the rest. Somebody counted, lost or found something that no document tells of.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from assets.inventory.synchronisation.policy import SynchronisationPolicy

REASONS = (
    "unit_of_measure",
    "duplicate",
    "out_of_order",
    "lost",
    "late",
    "oversell",
    "miscount",
)
#: What a document can explain.
DOCUMENTED = ("duplicate", "out_of_order", "lost", "late")
#: What no message will ever cure: the units are elsewhere than our books say.
CORRECTED = ("oversell", "miscount")
#: What gives way first when a movement that came later explains drift after all.
GIVES_WAY = ("miscount", "oversell", "lost", "out_of_order", "duplicate", "unit_of_measure", "late")

CODED = ["sku", "reason_code", "quantity"]


def compare(lines: pd.DataFrame) -> pd.DataFrame:
    """Hold a snapshot's lines against our position at its time.

    Args:
        lines: One row per ``sku`` with ``stated_quantity`` (in its unit of measure), ``is_case``,
            ``units_per_case`` (0 where nobody said) and ``held_quantity`` (each): what we had.

    Returns:
        The same rows plus ``stated_quantity_each`` and ``drift_quantity`` (each).
    """
    units = lines["units_per_case"].where(lines["is_case"], 1)
    stated = lines["stated_quantity"] * units
    return lines.assign(stated_quantity_each=stated, drift_quantity=stated - lines["held_quantity"])


def is_mass_drop(compared: pd.DataFrame, policy: SynchronisationPolicy) -> bool:
    """Whether the snapshot takes away so much of what we hold that it looks like a broken feed.

    Args:
        compared: What `compare` gave.
        policy: From which share of the SKUs that we hold, and from how many of them.
    """
    is_held = compared["held_quantity"] > 0
    zeroed = int((is_held & (compared["stated_quantity_each"] <= 0)).sum())
    held = int(is_held.sum())
    is_large = held >= policy.mass_drop_least_skus
    return is_large and zeroed > 0 and zeroed * policy.mass_drop_at_least_one_in >= held


def code_drift(
    compared: pd.DataFrame, evidence: pd.DataFrame, place: Literal["node", "channel"]
) -> pd.DataFrame:
    """Give every unit of drift exactly one reason.

    Args:
        compared: What `compare` gave, one row per SKU, with ``promised_quantity`` (each): reserved
            and allocated at the place.
        evidence: One row per document that could explain drift: ``sku``, ``reason_code`` (one of
            `DOCUMENTED`), ``quantity`` (each, signed: what the other system would have more because
            of it), ``is_certain`` and ``happened_at``.
        place: Whether the snapshot is of a node or of a channel.

    Returns:
        ``sku``, ``reason_code`` and ``quantity`` (each, signed, never 0), ordered by SKU and the
        order of `REASONS`; the quantities of a SKU add up to its drift.
    """
    drifting = compared[compared["drift_quantity"] != 0].set_index("sku")
    drift = _Unexplained(drifting["drift_quantity"].astype("int64"))
    drift.take("unit_of_measure", drift.left.where(_is_other_unit(drifting), 0))
    known = evidence[evidence["is_certain"]]
    for reason in DOCUMENTED:
        of_reason = known[known["reason_code"] == reason]
        total = of_reason.groupby("sku")["quantity"].sum()
        drift.take(reason, total.reindex(drifting.index, fill_value=0))
    alike = _exact(evidence[~evidence["is_certain"]], drift.left)
    for reason in DOCUMENTED:
        drift.take(reason, drift.left.where(alike == reason, 0))
    if place == "node":
        missing = (drifting["promised_quantity"] - drifting["stated_quantity_each"]).clip(lower=0)
        drift.take("oversell", -missing)
    else:
        drift.take("oversell", drift.left.clip(lower=0))
    drift.take("miscount", drift.left)
    coded = pd.concat(drift.parts, ignore_index=True)
    # A reason may have explained some units for certain and the others by circumstance.
    total = coded.groupby(["sku", "reason_code"], as_index=False)["quantity"].sum()
    rank = total["reason_code"].map(REASONS.index).astype("int64")
    ordered: pd.DataFrame = total.assign(rank=rank).sort_values(["sku", "rank"])
    coded = ordered[CODED].reset_index(drop=True)
    return coded.astype({"quantity": "int64"})


class _Unexplained:
    """Drift by SKU that no reason has taken yet, and what reasons have taken of it.

    Attributes:
        left: Units (each, signed) by SKU.
        parts: ``sku``, ``reason_code`` and ``quantity`` by reason.
    """

    def __init__(self, drift: pd.Series[int]) -> None:
        self.left = drift
        self.parts: list[pd.DataFrame] = []

    def take(self, reason: str, quantity: pd.Series[int]) -> None:
        """Take as much of what is left as a reason explains; a wrong sign explains nothing."""
        sign = self.left.gt(0).astype("int64") - self.left.lt(0).astype("int64")
        taken = np.minimum(self.left.abs(), (quantity * sign).clip(lower=0)) * sign
        found = taken[taken != 0]
        self.parts.append(
            pd.DataFrame({"sku": found.index, "reason_code": reason, "quantity": found.to_numpy()})
        )
        self.left = self.left - taken


def _is_other_unit(drifting: pd.DataFrame) -> pd.Series[bool]:
    """Whether the quantity, read in the other unit, is ours to the unit."""
    stated, units = drifting["stated_quantity"], drifting["units_per_case"]
    held = drifting["held_quantity"]
    units_as_cases = drifting["is_case"] & (stated == held)
    cases_as_units = ~drifting["is_case"] & (stated * units == held)
    multiplied_twice = ~drifting["is_case"] & (stated == held * units)
    is_other: pd.Series[bool] = (
        (units > 1) & (held != 0) & (units_as_cases | cases_as_units | multiplied_twice)
    )
    return is_other


def _exact(evidence: pd.DataFrame, rest: pd.Series[int]) -> pd.Series[str]:
    """The reason of the one document that would explain all that is left; '' where none would.

    Of several the first reason counts, in the order of `DOCUMENTED`.
    """
    left = evidence["sku"].map(rest[rest != 0])
    matching = evidence[evidence["quantity"] == left]
    rank = matching["reason_code"].map(DOCUMENTED.index).astype("int64")
    first = matching.assign(rank=rank).sort_values(["sku", "rank"]).drop_duplicates("sku")
    return first.set_index("sku")["reason_code"].reindex(rest.index).fillna("")


def propose(
    coded: pd.DataFrame, costs: pd.DataFrame, policy: SynchronisationPolicy
) -> pd.DataFrame:
    """What of the drift our own books should follow, and whether a person must say so first.

    Args:
        coded: What `code_drift` gave, of a system whose word moves our position.
        costs: ``sku``, ``standard_cost`` (ten-thousandths a unit) and ``currency_code``.
        policy: The value up to which a correction is booked by itself.

    Returns:
        One row per SKU with units to correct: ``sku``, ``quantity`` (each, signed), ``amount``
        (ten-thousandths, signed), ``currency_code`` and ``status``, ``booked`` or ``proposed``.
    """
    wanted = coded[coded["reason_code"].isin(CORRECTED)]
    total = wanted.groupby("sku", as_index=False)["quantity"].sum()
    priced = total.merge(costs, on="sku", validate="one_to_one")
    amount = priced["quantity"] * priced["standard_cost"]
    limit = priced["currency_code"].map(policy.booked_up_to).astype("int64")
    is_small = amount.abs() <= limit
    return pd.DataFrame(
        {
            "sku": priced["sku"],
            "quantity": priced["quantity"],
            "amount": amount,
            "currency_code": priced["currency_code"],
            "status": np.where(is_small, "booked", "proposed"),
        }
    )


def revise(coded: pd.DataFrame, arrived: pd.DataFrame) -> pd.DataFrame:
    """Code drift again after movements of before the snapshot came in: so many units were late.

    Args:
        coded: ``snapshot_id``, ``sku``, ``reason_code`` and ``quantity``: the last coding.
        arrived: ``snapshot_id``, ``sku`` and ``quantity`` (each, signed): what moved by the
            snapshot's time and was told after the comparison. Against the drift it explains none.

    Returns:
        The whole coding anew, of those lines only of which it is another one than before; the
        quantities of a line add up to what they did.
    """
    key = ["snapshot_id", "sku"]
    lines = coded.merge(
        arrived.rename(columns={"quantity": "arrived"}), on=key, validate="many_to_one"
    )
    rank = lines["reason_code"].map(GIVES_WAY.index).astype("int64")
    lines = lines.assign(rank=rank).sort_values([*key, "rank"], ignore_index=True)
    sign = np.sign(lines["quantity"])
    is_late = lines["reason_code"] == "late"
    # Units that are late already explain as much of what has come as they are.
    known = lines["quantity"].abs().where(is_late, 0).groupby([lines[k] for k in key])
    explained = (lines["arrived"] * sign - known.transform("sum")).clip(lower=0)
    units = lines["quantity"].abs().where(~is_late, 0)
    before = units.groupby([lines[k] for k in key]).cumsum() - units
    taken = np.minimum(units, (explained - before).clip(lower=0))
    kept = lines.assign(quantity=lines["quantity"] - taken * sign)
    moved = lines.assign(quantity=taken * sign, reason_code="late")
    changed = lines[taken > 0][key].drop_duplicates()
    both = pd.concat([kept, moved]).merge(changed, on=key)
    again = both.groupby([*key, "reason_code"], as_index=False)["quantity"].sum()
    again = again[again["quantity"] != 0]
    rank = again["reason_code"].map(REASONS.index).astype("int64")
    ordered: pd.DataFrame = again.assign(rank=rank).sort_values([*key, "rank"])
    coded = ordered[[*key, "reason_code", "quantity"]]
    return coded.reset_index(drop=True)
