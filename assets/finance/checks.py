"""The laws of money as checks."""

from __future__ import annotations

from assets.asset_graph import Law, law_check

LAWS = (
    Law("M1", "entries_balance", "journal_line", "Every entry balances to zero per currency."),
    Law(
        "M2",
        "ledger_agrees_with_stock",
        "journal_line",
        "The inventory account is worth what lies on the shelves, at standard cost.",
    ),
)

CHECKS = [law_check(law) for law in LAWS]
