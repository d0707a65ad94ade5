"""What must be true of a closed window of the journal. Amounts are in whole ten-thousandths."""

from __future__ import annotations

import pandas as pd

from assets.quality_gate import Suite, between, holds, is_true, matches, unique

LARGEST_AMOUNT = 10**15


def _balances(rows: pd.DataFrame) -> pd.Series[bool]:
    """Per entry and currency; an entry with too few lines is another sentence."""
    entry = rows.groupby(["entry_id", "currency_code"], sort=False)["amount"].transform("sum")
    lines = rows.groupby("entry_id", sort=False)["amount"].transform("size")
    return (entry == 0) | (lines != rows["entry_lines"]) | (lines < 2)


def _is_whole(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows.groupby("entry_id", sort=False)["entry_id"].transform("size") == rows["entry_lines"]


JOURNAL_LINE = Suite(
    name="journal_line_window",
    owner="finance",
    required=(
        "entry_id",
        "line_number",
        "entry_kind",
        "business_key",
        "account_code",
        "amount",
        "currency_code",
        "legal_entity",
        "occurred_at",
        "effective_at",
        "entry_lines",
        "account_is_known",
    ),
    said=(
        between(
            "amount_is_possible",
            "amount",
            -LARGEST_AMOUNT,
            LARGEST_AMOUNT,
            "an absurd amount",
        ),
        holds(
            "amount_is_not_zero",
            ("amount",),
            lambda rows: rows["amount"] != 0,
            "a line that moves nothing",
        ),
        matches("currency_is_a_code", "currency_code", r"^[A-Z]{3}$", "the currency is no code"),
        matches(
            "legal_entity_is_a_code",
            "legal_entity",
            r"^[a-z][a-z0-9_]{0,63}$",
            "the legal entity is no code",
        ),
        between("entry_has_two_legs", "entry_lines", 2, 30_000, "an entry with a single leg"),
        holds(
            "entry_is_whole",
            ("entry_id", "entry_lines"),
            _is_whole,
            "an entry of which lines are missing",
            level="set",
        ),
        holds(
            "entry_balances",
            ("entry_id", "currency_code", "amount", "entry_lines"),
            _balances,
            "debit and credit of an entry differ",
            level="set",
        ),
        unique("line_is_there_once", ("entry_id", "line_number"), "an entry repeats a line"),
        is_true("account_is_known", "the account is not in the chart of accounts"),
    ),
    blocks_by=("entry_id",),
)

SUITES = {"journal_line": JOURNAL_LINE}
