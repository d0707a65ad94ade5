"""Who has to look at drift, and what became of drift that somebody had to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from assets.inventory.synchronisation.comparison import Comparison
from assets.inventory.synchronisation.rules import CORRECTED
from assets.ports import Case, CaseType, UnitOfWork


def tell_people(
    comparisons: Sequence[Comparison],
    corrected: dict[tuple[str, str], str],
    unit_of_work: UnitOfWork,
) -> None:
    """Open a case for drift that somebody must look at, and close those of what is over.

    What is late cures itself, and what our own books follow has its own case or none.
    """
    opened: list[Case] = []
    for comparison in comparisons:
        wrong: dict[str, list[str]] = defaultdict(list)
        of_lines = zip(*(comparison.coded[name] for name in comparison.coded), strict=True)
        for sku, reason, quantity in of_lines:
            is_ours = reason in CORRECTED and (comparison.snapshot_id, sku) in corrected
            if reason != "late" and not is_ours:
                wrong[sku].append(f"{quantity:+d} {reason}")
        system, where = comparison.data.system, comparison.where
        for sku, said in wrong.items():
            reason = f"{system} has other units of {sku} at {where} than we: {', '.join(said)}"
            opened.append(
                Case(CaseType.STOCK_DRIFT, comparison.key(sku), reason, comparison.about())
            )
        _close_what_is_over(comparison, set(wrong), corrected, unit_of_work)
        strangers = len(comparison.data.lines) - len(comparison.compared)
        if strangers:
            key = f"{system}/{where}/{comparison.data.document_number}"
            said_of = f"{strangers} of its SKUs are not in the master data and were not compared"
            opened.append(Case(CaseType.SNAPSHOT_OF_UNKNOWN_SKUS, key, said_of, comparison.about()))
    unit_of_work.open_cases(opened)


def _close_what_is_over(
    comparison: Comparison,
    wrong: set[str],
    corrected: dict[tuple[str, str], str],
    unit_of_work: UnitOfWork,
) -> None:
    """Close cases that nobody has to look at any more, each with what became of it."""
    reasons: dict[str, set[str]] = defaultdict(set)
    for sku, reason in zip(comparison.coded["sku"], comparison.coded["reason_code"], strict=True):
        reasons[sku].add(reason)
    over: dict[tuple[str, str], list[str]] = defaultdict(list)
    for sku in comparison.compared["sku"].tolist():
        status = corrected.get((comparison.snapshot_id, sku))
        why = _why_over(comparison.data.system, reasons.get(sku, set()), status)
        if sku not in wrong:
            over[CaseType.STOCK_DRIFT, why].append(comparison.key(sku))
        if status is None or status == "booked":
            over[CaseType.STOCK_CORRECTION, why].append(comparison.key(sku))
    for (case_type, why), keys in over.items():
        unit_of_work.close_cases(case_type, keys, why)
        if case_type is CaseType.STOCK_CORRECTION:
            unit_of_work.withdraw_approvals(case_type, keys, why)


def _why_over(system: str, reasons: set[str], status: str | None) -> str:
    """What became of drift of one SKU that had a case.

    Args:
        system: Who holds other units, or held them.
        reasons: Of what drift is left.
        status: Of the correction that this snapshot has led to, if any.
    """
    if not reasons:
        return f"{system} agrees again"
    if status == "booked":
        return f"our books were corrected as {system} says"
    if status == "proposed":
        return f"a correction of our books as {system} says was proposed"
    if reasons.intersection(CORRECTED):
        return f"{system} still differs, and its word does not move our books"
    return f"{system} still differs, which no correction cures: {', '.join(sorted(reasons))}"
