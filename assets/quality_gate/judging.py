"""From a frame and a suite to a verdict: slices, failures, and the rows that they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from assets.quality_gate.evaluation import evaluate
from assets.quality_gate.suite import ROW, Suite
from assets.quality_gate.verdict import Failure, Verdict

#: Row-level expectations look at so many rows at once, so that a long file needs no more memory.
SLICE_ROWS = 100_000


def judge(frame: pd.DataFrame, suite: Suite) -> Verdict:
    """Evaluate a suite on a frame; rows are numbered by position, whatever the index says.

    Args:
        frame: Has the suite's columns; it is not changed.
        suite: What must be true.

    Returns:
        The verdict. A missing column, or an expectation that could not be evaluated, holds every
        row: what was not looked at cannot be accepted.
    """
    absent = [column for column in suite.columns if column not in frame.columns]
    if absent:
        reason = f"columns are missing: {', '.join(absent)}"
        return _verdict(frame, suite, [Failure("columns_are_there", reason, "critical", "table")])
    table = frame.loc[:, list(suite.columns)].reset_index(drop=True)
    table[ROW] = np.arange(len(table), dtype=np.int64)
    failures: list[Failure] = []
    by_row = [expectation for expectation in suite.expectations if expectation.level == "row"]
    by_set = [expectation for expectation in suite.expectations if expectation.level == "set"]
    if len(table) <= SLICE_ROWS:
        failures += evaluate(table, suite, suite.expectations)
    else:
        for start in range(0, len(table), SLICE_ROWS):
            part = table.iloc[start : start + SLICE_ROWS]
            failures += evaluate(part, suite, by_row)
        failures = _merged(failures)
        if by_set:
            failures += evaluate(table, suite, by_set)
    return _verdict(table, suite, failures)


def _verdict(table: pd.DataFrame, suite: Suite, failures: Sequence[Failure]) -> Verdict:
    is_held = np.zeros(len(table), dtype=np.bool_)
    by_name = {expectation.name: expectation for expectation in suite.expectations}
    for failure in failures:
        if failure.severity != "critical":
            continue
        if failure.level == "table":
            is_held[:] = True
            continue
        is_failing = np.zeros(len(table), dtype=np.bool_)
        is_failing[list(failure.rows)] = True
        is_held |= is_failing
        key = suite.key_of(by_name[failure.expectation])
        if key:
            # Rows whose key is missing belong to no group: they are held for themselves only.
            group = table.groupby(list(key), sort=False, dropna=True).ngroup().to_numpy()
            guilty = np.unique(group[is_failing])
            is_held |= np.isin(group, guilty[guilty >= 0])
    return Verdict(
        suite=suite.name,
        owner=suite.owner,
        rows=len(table),
        expectations=len(suite.expectations),
        failures=tuple(failures),
        is_held=is_held,
    )


def _merged(failures: Iterable[Failure]) -> list[Failure]:
    """One failure an expectation, of those that several slices reported."""
    merged: dict[tuple[str, str], Failure] = {}
    for failure in failures:
        key = (failure.expectation, failure.level)
        found = merged.get(key)
        merged[key] = failure if found is None else _joined(found, failure)
    return list(merged.values())


def _joined(first: Failure, second: Failure) -> Failure:
    rows = first.rows + second.rows
    return Failure(first.expectation, first.reason, first.severity, first.level, rows)
