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

import functools
import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

#: Column that numbers the rows of a judged frame from 0; reserved for the gate.
ROW = "_row"
#: Column that `Verdict.held` adds: what each row was held for.
HELD_BECAUSE = "_held_because"
#: Row-level expectations look at so many rows at once, so that a long file needs no more memory.
SLICE_ROWS = 100_000

_SET_LEVEL = frozenset(
    {
        "expect_column_values_to_be_unique",
        "expect_compound_columns_to_be_unique",
        "expect_multicolumn_sum_to_equal",
        "expect_column_sum_to_be_between",
        "expect_column_distinct_values_to_contain_set",
        "expect_table_row_count_to_be_between",
    }
)

Rule = Callable[[pd.DataFrame], "pd.Series[bool]"]
Severity = Literal["critical", "warning"]
Level = Literal["row", "set"]


@dataclass(frozen=True, eq=False)
class Expectation:
    """One sentence that must be true of a table.

    Attributes:
        name: What is expected, in snake case; unique in its suite.
        type: The Great Expectations type that evaluates it.
        columns: What it looks at. A row in which one of them is missing passes.
        reason: What a person is told about a row that fails.
        kwargs: Further arguments of the type.
        rule: For what no type says: a vectorised function from rows to booleans. It sees only
            rows in which ``columns`` are present, and its outcome becomes a column that the type
            evaluates. One that is about a whole group says so by ``level``.
        level: Whether a row fails by itself, or a set of rows together, none guiltier than another.
        severity: Critical holds the rows; a warning is only reported.
        blocks_by: Key columns: every row with the key of a failing row is held with it.
    """

    name: str
    type: str
    columns: tuple[str, ...]
    reason: str
    kwargs: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    rule: Rule | None = None
    level: Level = "row"
    severity: Severity = "critical"
    blocks_by: tuple[str, ...] = ()


def missing_value(column: str, blocks_by: Sequence[str] = ()) -> Expectation:
    """What a required column means; suites add these themselves."""
    return Expectation(
        name=f"{column}_is_present",
        type="expect_column_values_to_not_be_null",
        columns=(column,),
        reason=f"{column} is missing",
        blocks_by=tuple(blocks_by),
    )


@dataclass(frozen=True, eq=False)
class Suite:
    """What must be true of one table, and whose business it is.

    Attributes:
        name: Shown wherever a verdict is.
        owner: The team that a failure goes to.
        required: Columns in which no value may be missing.
        optional: Columns in which a value may be missing.
        said: Expectations beside those of the required columns.
        blocks_by: Key columns of every expectation that names none.
    """

    name: str
    owner: str
    required: tuple[str, ...]
    said: tuple[Expectation, ...]
    optional: tuple[str, ...] = ()
    blocks_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = set(self.columns)
        if len(known) < len(self.columns) or ROW in known:
            raise ValueError(f"suite {self.name}: a column is declared twice or reserved")
        for expectation in self.said:
            unknown = {*expectation.columns, *self.key_of(expectation)} - known
            if unknown:
                raise ValueError(f"suite {self.name}: {expectation.name} uses {sorted(unknown)}")
        names = [expectation.name for expectation in self.expectations]
        if len(set(names)) < len(names):
            raise ValueError(f"suite {self.name}: two expectations have one name")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the suite may look at."""
        return (*self.required, *self.optional)

    @functools.cached_property
    def expectations(self) -> tuple[Expectation, ...]:
        """Everything that is expected, the presence of required values first."""
        return (*(missing_value(column) for column in self.required), *self.said)

    def key_of(self, expectation: Expectation) -> tuple[str, ...]:
        """The columns by which a failure of this expectation spreads."""
        return expectation.blocks_by or self.blocks_by


@dataclass(frozen=True)
class Failure:
    """One expectation that was not met.

    Attributes:
        expectation: Its name.
        reason: What a person is told.
        severity: Whether it holds rows.
        level: ``row`` and ``set`` as declared; ``table`` when no row can be named, because the
            whole is wrong or the rule itself broke down.
        rows: The rows that failed, numbered from 0; empty at level ``table``.
    """

    expectation: str
    reason: str
    severity: Severity
    level: Literal["row", "set", "table"]
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a suite says about a frame; accepted and held rows together are the frame.

    Attributes:
        suite: Name of the suite.
        owner: The team that the failures belong to.
        rows: How many rows were judged.
        expectations: How many expectations were evaluated.
        failures: Those that were not met.
        is_held: Row by row, whether it is held.
    """

    suite: str
    owner: str
    rows: int
    expectations: int
    failures: tuple[Failure, ...]
    is_held: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def passed(self) -> bool:
        """Whether nothing is held; warnings do not count."""
        return not any(failure.severity == "critical" for failure in self.failures)

    @property
    def held_rows(self) -> tuple[int, ...]:
        """Numbers of the rows that are held."""
        return tuple(int(row) for row in np.flatnonzero(self.is_held))

    def accepted(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that may go on."""
        return frame.loc[~self._mask(frame)]

    def held(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that may not, and in ``_held_because`` the reasons."""
        kept = frame.loc[self._mask(frame)].copy()
        kept[HELD_BECAUSE] = [self.reason(row) for row in self.held_rows]
        return kept

    def reason(self, row: int) -> str:
        """Why a row is held, in words; empty for one that is not."""
        return self._reasons.get(row, self._of_the_table) if self.is_held[row] else ""

    @functools.cached_property
    def _of_the_table(self) -> str:
        of_the_table = [
            failure.reason
            for failure in self.failures
            if failure.level == "table" and failure.severity == "critical"
        ]
        # A row without a failure of its own is here for its key.
        return "; ".join(of_the_table) or "held together with a row of the same key"

    @functools.cached_property
    def _reasons(self) -> dict[int, str]:
        by_row: dict[int, list[str]] = {}
        for failure in self.failures:
            if failure.severity == "critical":
                for row in failure.rows:
                    by_row.setdefault(row, []).append(failure.reason)
        return {row: "; ".join(reasons) for row, reasons in by_row.items()}

    def _mask(self, frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if len(frame) != self.rows:
            raise ValueError(f"the verdict is about {self.rows} rows, not about {len(frame)}")
        return self.is_held


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
        failures += _evaluate(table, suite, suite.expectations)
    else:
        for start in range(0, len(table), SLICE_ROWS):
            part = table.iloc[start : start + SLICE_ROWS]
            failures += _evaluate(part, suite, by_row)
        failures = _merged(failures)
        if by_set:
            failures += _evaluate(table, suite, by_set)
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


def _evaluate(
    table: pd.DataFrame, suite: Suite, expectations: Sequence[Expectation]
) -> list[Failure]:
    """Let Great Expectations look at these expectations; a rule that raises is a failure too."""
    failures: list[Failure] = []
    asked: list[Expectation] = []
    outcomes: dict[str, pd.Series[bool]] = {}
    for expectation in expectations:
        if expectation.rule is not None:
            try:
                outcomes[_column(expectation)] = _outcome(table, expectation, expectation.rule)
            except Exception as error:  # noqa: BLE001  whatever a rule raises holds the batch
                failures.append(_broken(expectation, f"{type(error).__name__}: {error}"))
                continue
        asked.append(expectation)
    judged = table.assign(**outcomes)
    for expectation, result in zip(asked, _results(judged, suite, asked), strict=True):
        failure = _failure(expectation, result)
        if failure is not None:
            failures.append(failure)
    return failures


def _column(expectation: Expectation) -> str:
    return f"_{expectation.name}"


def _outcome(table: pd.DataFrame, expectation: Expectation, rule: Rule) -> pd.Series[bool]:
    outcome = pd.Series(True, index=table.index, dtype=bool)
    is_complete = table[list(expectation.columns)].notna().all(axis=1)
    if is_complete.any():
        answers = rule(table.loc[is_complete])
        if len(answers) != int(is_complete.sum()) or answers.isna().any():
            raise ValueError("the rule did not answer for every row")
        outcome.loc[is_complete] = answers.astype(bool).to_numpy()
    return outcome


def _broken(expectation: Expectation, why: str) -> Failure:
    reason = f"{expectation.name} could not be evaluated ({why.strip().splitlines()[-1][:300]})"
    return Failure(expectation.name, reason, expectation.severity, "table")


def _failure(expectation: Expectation, result: Any) -> Failure | None:
    raised = _raised(result.exception_info)
    if raised is not None:
        return _broken(expectation, raised)
    if result.success:
        return None
    found = result.result.get("unexpected_index_list")
    if not found:
        return Failure(expectation.name, expectation.reason, expectation.severity, "table")
    rows = tuple(sorted(int(entry[ROW]) for entry in found))
    return Failure(
        expectation.name, expectation.reason, expectation.severity, expectation.level, rows
    )


def _raised(info: Mapping[str, Any] | None) -> str | None:
    """The message of an exception, which is told flat or by metric."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("raised_exception"):
            return str(entry.get("exception_message") or "it raised")
    return None


#: One context for the process: making one costs more than a validation, and it is not made for
#: several threads at once.
_LOCK = threading.Lock()


@functools.cache
def _great_expectations() -> tuple[Any, Any]:
    """The module, and a batch definition that takes any frame."""
    with warnings.catch_warnings():
        # Its own imports use modules that Python 3.11 deprecates.
        warnings.simplefilter("ignore")
        import great_expectations as gx

        # It sends every warning of the process to its log; whoever runs us decides that.
        logging.captureWarnings(False)
        from great_expectations.data_context.types import base
        from great_expectations.data_context.types.base import ProgressBarsConfig

        # It says at every start where its temporary files are; nobody who trades wants to know.
        base.logger.setLevel(logging.WARNING)
        context = gx.get_context(mode="ephemeral")
        context.enable_analytics(enable=False)
        context.variables.progress_bars = ProgressBarsConfig(
            globally=False, metric_calculations=False
        )
        import great_expectations.expectations.metadata_types

        source = context.data_sources.add_pandas("frames")
        asset = source.add_dataframe_asset("frame")
        return gx, asset.add_batch_definition_whole_dataframe("whole")


def _results(table: pd.DataFrame, suite: Suite, asked: Sequence[Expectation]) -> list[Any]:
    """One result an expectation, in the order in which they were asked."""
    if not asked:
        return []
    with _LOCK, warnings.catch_warnings():
        # What it deprecates in pandas is its maker's business, not a failure of ours.
        warnings.simplefilter("ignore")
        gx, definition = _great_expectations()
        translated = gx.ExpectationSuite(
            name=suite.name,
            expectations=[_translated(gx, expectation) for expectation in asked],
        )
        batch = definition.get_batch(batch_parameters={"dataframe": table})
        try:
            validation = batch.validate(
                translated,
                result_format={
                    "result_format": "COMPLETE",
                    "unexpected_index_column_names": [ROW],
                    "partial_unexpected_count": 0,
                },
            )
        finally:
            # The engine keeps the last frame that it was given; this one weighs nothing.
            definition.get_batch(batch_parameters={"dataframe": table.head(0)})
    by_name = {result.expectation_config.meta["name"]: result for result in validation.results}
    return [by_name[expectation.name] for expectation in asked]


def _translated(gx: Any, expectation: Expectation) -> Any:
    name = "".join(word.capitalize() for word in expectation.type.split("_"))
    kwargs = dict(expectation.kwargs)
    if expectation.rule is not None:
        kwargs["column"] = _column(expectation)
    elif expectation.type.startswith("expect_column_pair"):
        kwargs["column_A"], kwargs["column_B"] = expectation.columns
        kwargs.setdefault("ignore_row_if", "either_value_is_missing")
    elif expectation.type.startswith(("expect_compound", "expect_multicolumn")):
        kwargs["column_list"] = list(expectation.columns)
        kwargs.setdefault("ignore_row_if", "any_value_is_missing")
    elif not expectation.type.startswith("expect_table"):
        (kwargs["column"],) = expectation.columns
    severity = gx.expectations.metadata_types.FailureSeverity(expectation.severity)
    kind = getattr(gx.expectations, name)
    return kind(**kwargs, severity=severity, meta={"name": expectation.name})


# How suites are written


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
