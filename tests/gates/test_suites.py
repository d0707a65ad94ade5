from __future__ import annotations

import functools

import pytest

from assets.quality_gate import Verdict, judge
from tests.gates import load_cases, suite_cases
from tests.gates.suite_cases import Trial, trial

CASES = {**suite_cases.CASES, **load_cases.LOAD_CASES}

EVERY_EXPECTATION = [
    (suite, expectation.name)
    for suite, cases in CASES.items()
    for expectation in cases.suite.expectations
    if expectation.name not in cases.of_the_table
]


@functools.cache
def judged(suite: str) -> tuple[Trial, Verdict]:
    """One judgement a suite: all its broken rows stand in one frame."""
    tried = trial(CASES[suite])
    return tried, judge(tried.frame, CASES[suite].suite)


@pytest.mark.parametrize(("suite", "expectation"), EVERY_EXPECTATION)
def test_each_expectation_fails_on_rows_that_only_it_catches(suite: str, expectation: str) -> None:
    tried, verdict = judged(suite)
    rows = tried.broken[expectation]
    caught = {failure.expectation: failure.rows for failure in verdict.failures}
    assert caught[expectation] == rows
    others = {name for name, found in caught.items() if set(found) & set(rows)} - {expectation}
    assert not others


@pytest.mark.parametrize("suite", CASES)
def test_a_row_that_is_as_it_should_be_is_accepted_and_passes_again(suite: str) -> None:
    tried, verdict = judged(suite)
    accepted = verdict.accepted(tried.frame)
    assert set(tried.good) <= set(accepted.index)
    assert len(accepted) + len(verdict.held(tried.frame)) == len(tried.frame)
    again = judge(accepted, CASES[suite].suite)
    assert [failure for failure in again.failures if failure.severity == "critical"] == []
    assert not again.held_rows


@pytest.mark.parametrize("suite", CASES)
def test_critical_failures_hold_their_rows_and_warnings_hold_none(suite: str) -> None:
    tried, verdict = judged(suite)
    by_name = {expectation.name: expectation for expectation in CASES[suite].suite.expectations}
    held = set(verdict.held_rows)
    for name, rows in tried.broken.items():
        expected = set(rows) if by_name[name].severity == "critical" else set()
        assert set(rows) & held == expected, name


def test_a_file_without_rows_is_refused() -> None:
    cases = CASES["uci_online_retail_file"]
    empty = trial(cases).frame.head(0)
    verdict = judge(empty, cases.suite)
    assert [failure.expectation for failure in verdict.failures] == ["file_has_rows"]
    assert verdict.failures[0].level == "table"
