"""How Great Expectations is asked, and what its answers mean.

It is imported only inside the function that needs it: that takes seconds and 200 MB.
"""

from __future__ import annotations

import functools
import logging
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from assets.quality_gate.suite import ROW, Expectation, Rule, Suite
from assets.quality_gate.verdict import Failure

#: One context for the process: making one costs more than a validation, and it is not made for
#: several threads at once.
_LOCK = threading.Lock()


def evaluate(
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
    """One result an expectation, in the order in which they were asked.

    Nearly all are met, and which rows fail is what takes the time; so that is asked only of those
    that are not met.
    """
    results = _validated(table, suite, asked, {"result_format": "BOOLEAN_ONLY"})
    unmet = [expectation for expectation in asked if not results[expectation.name].success]
    results |= _validated(
        table,
        suite,
        unmet,
        {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [ROW],
            "partial_unexpected_count": 0,
        },
    )
    return [results[expectation.name] for expectation in asked]


def _validated(
    table: pd.DataFrame, suite: Suite, asked: Sequence[Expectation], result_format: dict[str, Any]
) -> dict[str, Any]:
    """Great Expectations' results by the expectation's name."""
    if not asked:
        return {}
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
            validation = batch.validate(translated, result_format=result_format)
        finally:
            # The engine keeps the last frame that it was given; this one weighs nothing.
            definition.get_batch(batch_parameters={"dataframe": table.head(0)})
    return {result.expectation_config.meta["name"]: result for result in validation.results}


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
