"""The gate for what comes in bulk: files, loads, closed windows of events, marts.

A `Suite` is our own small form of a data contract on a table; Great Expectations evaluates it.
Single events never come here: the fixed cost of a judgement is a third of a second, and the door
checks each event against its compiled contract. What a suite says about money is said in whole
ten-thousandths, because a float cannot be compared with zero. No dagster here, and Great
Expectations only inside the function that needs it: importing it takes seconds and 200 MB.

Missing values are never left to chance: every column of a suite is either required (a missing
value fails an expectation of its own) or optional (a missing value passes what is said about it).
"""

from __future__ import annotations

from assets.quality_gate.judging import SLICE_ROWS, judge
from assets.quality_gate.suite import ROW, Expectation, Suite, missing_value
from assets.quality_gate.verdict import HELD_BECAUSE, Failure, Verdict
from assets.quality_gate.wording import (
    between,
    holds,
    is_true,
    matches,
    not_less,
    one_of,
    rows_between,
    unique,
)

__all__ = [
    "HELD_BECAUSE",
    "ROW",
    "SLICE_ROWS",
    "Expectation",
    "Failure",
    "Suite",
    "Verdict",
    "between",
    "holds",
    "is_true",
    "judge",
    "matches",
    "missing_value",
    "not_less",
    "one_of",
    "rows_between",
    "unique",
]
