from __future__ import annotations

import gc
import resource
import subprocess
import sys
import time
import weakref

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.quality_gate import (
    HELD_BECAUSE,
    SLICE_ROWS,
    Suite,
    Verdict,
    between,
    holds,
    is_true,
    judge,
    matches,
    not_less,
    one_of,
    rows_between,
    unique,
)


def suite(*said: object, **options: object) -> Suite:
    return Suite("orders", "order_desk", ("order", "units"), said, **options)  # type: ignore[arg-type]


def orders(*rows: tuple[str | None, int | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["order", "units"])


POSITIVE = between("units_are_positive", "units", 1, 100, "no units")


def failing(verdict: Verdict) -> dict[str, tuple[int, ...]]:
    return {failure.expectation: failure.rows for failure in verdict.failures}


def test_one_bad_row_is_held_and_the_others_go_on() -> None:
    frame = orders(("a", 1), ("b", 0), ("c", 3))
    verdict = judge(frame, suite(POSITIVE))
    assert verdict.accepted(frame)["order"].tolist() == ["a", "c"]
    held = verdict.held(frame)
    assert held["order"].tolist() == ["b"]
    assert held[HELD_BECAUSE].tolist() == ["no units"]
    assert verdict.reason(0) == ""


def test_a_bad_line_holds_its_whole_order_and_no_other() -> None:
    frame = orders(("a", 1), ("b", 0), ("a", 0), ("c", 3), ("a", 2))
    verdict = judge(frame, suite(POSITIVE, blocks_by=("order",)))
    assert failing(verdict) == {"units_are_positive": (1, 2)}
    assert verdict.accepted(frame)["order"].tolist() == ["c"]
    assert verdict.reason(4) == "held together with a row of the same key"


def test_a_row_without_its_key_takes_no_other_row_with_it() -> None:
    frame = orders(("a", 1), (None, 1), (None, 0))
    verdict = judge(frame, suite(POSITIVE, blocks_by=("order",)))
    assert verdict.held_rows == (1, 2)
    assert judge(frame.head(1), suite(POSITIVE, blocks_by=("order",))).held_rows == ()


def test_a_warning_is_reported_and_holds_nothing() -> None:
    frame = orders(("a", 1), ("b", 0))
    few = between("units_are_positive", "units", 1, 100, "no units", severity="warning")
    verdict = judge(frame, suite(few))
    assert failing(verdict) == {"units_are_positive": (1,)}
    assert verdict.passed
    assert verdict.held_rows == ()


def test_of_rows_that_are_equal_none_is_the_guilty_one() -> None:
    frame = orders(("a", 1), ("b", 1), ("a", 2))
    verdict = judge(frame, suite(unique("order_is_there_once", ("order",), "twice")))
    (failure,) = verdict.failures
    assert (failure.level, failure.rows) == ("set", (0, 2))
    assert verdict.accepted(frame)["order"].tolist() == ["b"]


def test_a_rule_that_raises_holds_the_whole_batch() -> None:
    def broken(rows: pd.DataFrame) -> pd.Series[bool]:
        raise ZeroDivisionError("the rule divides by zero")

    frame = orders(("a", 1), ("b", 2))
    verdict = judge(frame, suite(holds("divides", ("units",), broken, "never said"), POSITIVE))
    (failure,) = verdict.failures
    assert failure.level == "table"
    assert "ZeroDivisionError: the rule divides by zero" in failure.reason
    assert verdict.accepted(frame).empty
    assert verdict.reason(0) == failure.reason


def test_an_expectation_that_great_expectations_cannot_evaluate_holds_the_whole_batch() -> None:
    frame = pd.DataFrame({"order": ["a", "b"], "units": ["one", "two"]})
    verdict = judge(frame, suite(POSITIVE))
    (failure,) = verdict.failures
    assert failure.level == "table"
    assert verdict.held_rows == (0, 1)


def test_a_rule_that_does_not_answer_for_every_row_holds_the_whole_batch() -> None:
    first = holds("answers", ("units",), lambda rows: (rows["units"] > 0).head(1), "never said")
    verdict = judge(orders(("a", 1), ("b", 2)), suite(first))
    assert verdict.held_rows == (0, 1)


def test_a_missing_column_holds_the_whole_batch_and_is_named() -> None:
    verdict = judge(pd.DataFrame({"order": ["a"]}), suite(POSITIVE))
    assert [failure.reason for failure in verdict.failures] == ["columns are missing: units"]
    assert verdict.held_rows == (0,)


def test_what_is_said_about_an_optional_column_passes_where_it_is_missing() -> None:
    optional = Suite(
        "orders",
        "order_desk",
        ("order",),
        (
            POSITIVE,
            one_of("units_are_few", "units", [1, 2], "many units"),
            not_less("units_reach", "units", "least", "too few"),
            unique("pair_is_there_once", ("units", "least"), "twice"),
            holds("units_are_odd", ("units",), lambda rows: rows["units"] % 2 == 1, "even"),
            matches("note_is_short", "note", "^.{1,3}$", "long"),
        ),
        optional=("units", "least", "note"),
    )
    frame = pd.DataFrame(
        {"order": ["a", "b"], "units": [None, None], "least": [None, None], "note": [None, None]}
    )
    assert judge(frame, optional).failures == ()


def test_the_index_of_a_frame_means_nothing() -> None:
    frame = orders(("a", 1), ("b", 0), ("c", 1))
    frame.index = pd.Index([7, 7, 7])
    verdict = judge(frame, suite(POSITIVE))
    assert verdict.held(frame)["order"].tolist() == ["b"]


def test_the_judged_frame_is_not_changed() -> None:
    frame = orders(("a", 1), ("b", 0))
    before = frame.copy()
    judge(frame, suite(POSITIVE)).held(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_an_empty_frame_passes_unless_rows_are_expected() -> None:
    empty = orders().astype({"units": "int64"})
    assert judge(empty, suite(POSITIVE)).passed
    verdict = judge(empty, suite(rows_between("there_are_rows", 1, None, "nothing came")))
    assert [failure.level for failure in verdict.failures] == ["table"]


def test_a_boolean_column_that_is_not_true_holds_its_row() -> None:
    known = Suite("o", "t", ("sku_is_known",), (is_true("sku_is_known", "unknown"),))
    assert judge(pd.DataFrame({"sku_is_known": [True, False]}), known).held_rows == (1,)


def test_a_verdict_is_not_applied_to_another_frame() -> None:
    verdict = judge(orders(("a", 1)), suite(POSITIVE))
    with pytest.raises(ValueError, match="about 1 rows, not about 2"):
        verdict.accepted(orders(("a", 1), ("b", 1)))


def test_a_suite_that_uses_a_column_it_does_not_declare_is_refused() -> None:
    with pytest.raises(ValueError, match="uses"):
        suite(between("price_is_positive", "price", 1, 2, "free"))
    with pytest.raises(ValueError, match="one name"):
        suite(POSITIVE, POSITIVE)
    with pytest.raises(ValueError, match="twice or reserved"):
        Suite("orders", "order_desk", ("order", "order"), ())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-2, 3)), max_size=12))
def test_accepted_and_held_rows_together_are_what_came(rows: list[tuple[str, int]]) -> None:
    frame = orders(*rows).astype({"units": "int64"})
    gate = suite(POSITIVE, blocks_by=("order",))
    verdict = judge(frame, gate)
    accepted, held = verdict.accepted(frame), verdict.held(frame)
    assert sorted([*accepted.index, *held.index]) == list(range(len(frame)))
    assert not set(accepted["order"]) & set(held["order"])
    assert judge(accepted, gate).failures == ()


BIG = Suite(
    "big",
    "order_desk",
    ("order", "units", "code"),
    (
        *(between(f"units_{n}", "units", -n, 10**9, "out") for n in range(8)),
        *(matches(f"code_{n}", "code", "^x[0-6]$", "no code") for n in range(5)),
        *(is_true(f"known_{n}", "unknown") for n in range(5)),
        holds("units_add_up", ("units",), lambda rows: rows["units"] >= 0, "below zero"),
        one_of("code_is_known", "code", [f"x{n}" for n in range(7)], "unknown"),
        not_less("units_reach", "units", "order", "too few"),
        unique("order_is_there_once", ("order",), "twice"),
        rows_between("there_are_rows", 1, None, "nothing came"),
    ),
    optional=tuple(f"known_{n}" for n in range(5)),
    blocks_by=("order",),
)


def big_frame(rows: int) -> pd.DataFrame:
    numbers = np.arange(rows)
    known = {f"known_{n}": np.ones(rows, dtype=bool) for n in range(5)}
    codes = [f"x{number % 7}" for number in range(rows)]
    return pd.DataFrame({"order": numbers, "units": numbers, "code": codes, **known})


def cpu_seconds(rows: int) -> float:
    frame = big_frame(rows)
    frame.loc[5, "units"] = -100
    started = time.process_time()
    verdict = judge(frame, BIG)
    spent = time.process_time() - started
    assert verdict.held_rows == (5,)
    return spent


def test_a_suite_of_26_expectations_costs_a_second_at_most_and_100_000_rows_two() -> None:
    assert len(BIG.expectations) == 26
    cpu_seconds(10)
    assert min(cpu_seconds(100) for _ in range(3)) <= 1.0
    assert min(cpu_seconds(100_000) for _ in range(2)) <= 2.0


def test_a_long_frame_is_judged_in_slices_and_as_one_set() -> None:
    frame = big_frame(SLICE_ROWS + 1_000)
    frame.loc[[3, SLICE_ROWS + 7], "units"] = -100
    last = len(frame) - 1
    frame.loc[last, ["order", "units"]] = [0, 5]
    verdict = judge(frame, BIG)
    found = failing(verdict)
    assert found["units_0"] == (3, SLICE_ROWS + 7)
    assert found["order_is_there_once"] == (0, last)
    assert verdict.held_rows == (0, 3, SLICE_ROWS + 7, last)


def test_a_judged_frame_is_let_go_and_memory_does_not_grow() -> None:
    judge(big_frame(1_000), BIG)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(10):
        judge(big_frame(1_000), BIG)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000
    frame = big_frame(1_000)
    watched = weakref.ref(frame)
    judge(frame, BIG)
    del frame
    gc.collect()
    assert watched() is None


def test_great_expectations_is_imported_only_when_something_is_judged() -> None:
    code = (
        "import sys, assets.quality_gate, assets.order_to_fulfillment.expectations;"
        "sys.exit('great_expectations' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
