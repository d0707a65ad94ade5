"""What each fact about a document shows, when another system's stock is not ours. Pure.

A fact is (sku, what it is, units, when it happened); units are what it does to stock, or to a
channel's level. What is certain is known of the document itself; the rest is circumstantial: it
counts only where it would explain the drift to the unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from assets.inventory.synchronisation.policy import SynchronisationPolicy

COLUMNS = ["sku", "reason_code", "quantity", "is_certain", "happened_at"]

#: What a known document shows, and whether the other system has its units or lacks them.
_CERTAIN = {
    # It told us, and we have not applied it: still on the way to our books, refused, told twice.
    "waiting": ("late", 1),
    "refused": ("lost", 1),
    "repeated": ("duplicate", 1),
    # We have it, and the other side has not been told, will never be, or could not know by then.
    "unsent": ("late", -1),
    "undeliverable": ("lost", -1),
    "correction_unheard": ("late", -1),
}
_HEARS_FROM_US = frozenset({"shipped", "collected", "correction"})
#: The same documents, from others; when we applied them says nothing about when they heard.
_HEARS_ELSEWHERE = frozenset(
    {
        "received",
        "adjusted",
        "collected",
        "correction",
        "received_unheard",
        "adjusted_unheard",
        "collected_unheard",
    }
)
#: What follows the name of a document that both had when they last agreed.
_AGREED = "_agreed"


def evidence(
    facts: Iterable[tuple[str, str, int, datetime]],
    system: str,
    as_of: datetime,
    policy: SynchronisationPolicy,
) -> pd.DataFrame:
    """Turn facts about documents into what `rules.code_drift` asks for.

    Args:
        facts: What was found of the drifting SKUs.
        system: Whose snapshot it is; what it hears from us it may miss or take twice.
        as_of: The snapshot's time, from which age is counted.
        policy: Who hears from us, and when what is late is lost.
    """
    is_told = system in policy.told_by_us
    heard = _HEARS_FROM_US if is_told else _HEARS_ELSEWHERE
    rows = []
    for sku, what, quantity, happened_at in facts:
        aged = "late" if as_of - happened_at < policy.lost_after else "lost"
        if what in _CERTAIN:
            reason, sign = _CERTAIN[what]
            rows.append((sku, reason, sign * quantity, True, happened_at))
        elif is_told and what in {"shipped_unheard", "collected_unheard"}:
            rows.append((sku, "late", -quantity, True, happened_at))
            # A book that is read hours later has what was dated before its instant.
            rows.append((sku, "duplicate", quantity, False, happened_at))
        elif what.removesuffix(_AGREED) in heard:
            # It may be told once more; that it is missing would have been seen before.
            rows.append((sku, "duplicate", quantity, False, happened_at))
            if not what.endswith(_AGREED):
                rows.append((sku, aged, -quantity, False, happened_at))
        elif what == "awaited" and not is_told:
            # Goods that we asked for may have left without our having heard of it.
            rows.append((sku, aged, quantity, False, happened_at))
        elif what in {"crossed", "level_heard"}:
            rows.append((sku, "out_of_order", quantity, False, happened_at))
        elif what == "level_heard_later":
            rows.append((sku, "late", quantity, False, happened_at))
        elif what == "level_unheard":
            rows.append((sku, aged, quantity, False, happened_at))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"quantity": "int64", "is_certain": "bool"})
