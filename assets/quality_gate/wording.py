"""How suites are written: the sentences that expectations are mostly made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from assets.quality_gate.suite import Expectation, Rule


def between(
    name: str, column: str, lowest: int, highest: int, reason: str, **options: Any
) -> Expectation:
    """Both ends included."""
    limits = {"min_value": lowest, "max_value": highest}
    kind = "expect_column_values_to_be_between"
    return Expectation(name, kind, (column,), reason, kwargs=limits, **options)


def matches(name: str, column: str, pattern: str, reason: str, **options: Any) -> Expectation:
    """The pattern is anchored by its writer."""
    kind = "expect_column_values_to_match_regex"
    return Expectation(name, kind, (column,), reason, kwargs={"regex": pattern}, **options)


def one_of(
    name: str, column: str, values: Iterable[Any], reason: str, **options: Any
) -> Expectation:
    """For a handful of values; thousands are a boolean column that the query computes."""
    kind = "expect_column_values_to_be_in_set"
    return Expectation(name, kind, (column,), reason, kwargs={"value_set": list(values)}, **options)


def is_true(column: str, reason: str, **options: Any) -> Expectation:
    """A boolean column that whoever read the rows has computed, as references are."""
    return one_of(f"{column}_holds", column, [True], reason, **options)


def not_less(name: str, column: str, other: str, reason: str, **options: Any) -> Expectation:
    """``column`` is ``other`` or more."""
    kind = "expect_column_pair_values_a_to_be_greater_than_b"
    return Expectation(name, kind, (column, other), reason, kwargs={"or_equal": True}, **options)


def unique(name: str, columns: Sequence[str], reason: str, **options: Any) -> Expectation:
    """No two rows have the same values here; of those that do, none is the guilty one."""
    single = len(columns) == 1
    kind = "expect_column_values_to_be_unique" if single else "expect_compound_columns_to_be_unique"
    return Expectation(name, kind, tuple(columns), reason, level="set", **options)


def holds(
    name: str, columns: Sequence[str], rule: Rule, reason: str, **options: Any
) -> Expectation:
    """A rule of our own about each row, or about sets of rows where ``level`` says so."""
    return Expectation(
        name,
        "expect_column_values_to_be_in_set",
        tuple(columns),
        reason,
        kwargs={"value_set": [True]},
        rule=rule,
        **options,
    )


def rows_between(name: str, lowest: int, highest: int | None, reason: str) -> Expectation:
    """How many rows the table has."""
    return Expectation(
        name,
        "expect_table_row_count_to_be_between",
        (),
        reason,
        kwargs={"min_value": lowest, "max_value": highest},
        level="set",
    )
