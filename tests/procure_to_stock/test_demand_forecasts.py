"""Demand as it would have been, its class, and the model that forecasts it best."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from assets.procure_to_stock.rules.demand import DemandHistory, classify, cleaned, history, together
from assets.procure_to_stock.rules.forecasting import (
    SEASONAL_NAIVE,
    choose,
    deviations,
    forecast,
    forecast_by_class,
    seen_quantile,
    try_out,
)
from assets.procure_to_stock.rules.planning_parameters import Backtest

FIRST = date(2026, 1, 5)
PLAN = Backtest(
    windows=3,
    horizon_days=7,
    sample_series=20,
    service_level=0.95,
    bulk_multiple=10,
    looks_back_days=28,
)


def demand(*series: list[int], largest: list[list[int]] | None = None) -> DemandHistory:
    ordered = np.array(series, np.float64)
    lines = ordered if largest is None else np.array(largest, np.float64)
    frame = pd.DataFrame({"region": "uk", "sku": [f"S{n}" for n in range(len(series))]})
    is_censored = np.zeros(ordered.shape, np.bool_)
    return DemandHistory(frame, np.datetime64(FIRST), ordered, lines, is_censored)


def test_a_day_without_a_row_is_a_day_without_demand() -> None:
    daily = pd.DataFrame(
        {
            "region": ["uk", "uk", "eu"],
            "sku": ["MUG", "MUG", "MUG"],
            "demand_date": [FIRST, FIRST + timedelta(days=2), FIRST + timedelta(days=9)],
            "ordered_quantity": [5, 7, 1],
            "largest_line_quantity": [3, 7, 1],
            "is_out_of_stock": [False, True, False],
            "is_promoted": [False, False, False],
        }
    )
    found = history(daily, ["region", "sku"], FIRST, FIRST + timedelta(days=3))
    assert found.series.to_dict("records") == [
        {"region": "eu", "sku": "MUG"},
        {"region": "uk", "sku": "MUG"},
    ]
    assert found.ordered.tolist() == [[0, 0, 0, 0], [5, 0, 7, 0]]
    assert found.is_censored[1].tolist() == [False, False, True, False]


def test_a_one_off_bulk_order_is_cut_to_ten_times_the_usual() -> None:
    assert cleaned(demand([2, 3, 2, 500, 2]), 10, 28).tolist() == [[2, 3, 2, 20, 2]]
    # Many customers on one day are no bulk order.
    many = demand([2, 3, 2, 500, 2], largest=[[2, 3, 2, 4, 2]])
    assert cleaned(many, 10, 28).tolist() == [[2, 3, 2, 500, 2]]


def test_what_was_asked_for_once_or_twice_is_as_usual_as_the_others() -> None:
    # Eighty thousand of something new on one day, and none of the others above six.
    asked = demand([2, 3, 2, 6], [4, 4, 4, 4], [0, 0, 0, 80_000], [0, 9, 0, 80_000])
    assert cleaned(asked, 10, 28)[2:].tolist() == [[0, 0, 0, 32.5], [0, 9, 0, 32.5]]
    # Of three days one is seen for what it is; and where all are new, nobody knows better.
    assert cleaned(demand([0, 9, 9, 80_000]), 10, 28).tolist() == [[0, 9, 9, 90]]
    assert cleaned(demand([0, 0, 0, 80_000]), 10, 28).tolist() == [[0, 0, 0, 80_000]]


def test_a_day_out_of_stock_has_the_mean_of_the_days_before_it() -> None:
    found = demand([4, 6, 0, 8])
    found.is_censored[0, 2] = True
    assert cleaned(found, 10, 28).tolist() == [[4, 6, 5, 8]]
    # As far back as it looks, and not ahead.
    assert cleaned(found, 10, 1).tolist() == [[4, 6, 6, 8]]
    found.is_censored[0, 0] = True
    assert cleaned(found, 10, 28)[0, 0] == 0


def test_regions_that_one_place_serves_are_one_demand() -> None:
    found = demand([2, 0, 4], [1, 5, 0], largest=[[2, 0, 3], [1, 4, 0]])
    found.series["sku"] = "MUG"
    found.is_censored[0, 1] = found.is_censored[0, 0] = found.is_censored[1, 0] = True
    one = together(found, "sku")
    assert (one.ordered.tolist(), one.largest.tolist()) == ([[3, 5, 4]], [[2, 4, 3]])
    assert one.is_censored.tolist() == [[True, False, False]]


def test_classes_part_by_interval_and_by_variation() -> None:
    often, seldom = [5, 6, 5, 6] * 7, [5, 0, 0, 6] * 7
    wild, seldom_wild = [1, 30, 1, 2] * 7, [1, 0, 0, 30] * 7
    once = [0] * 27 + [4]
    found = classify(demand(often, wild, seldom, seldom_wild, once).ordered)
    assert found.tolist() == ["smooth", "erratic", "intermittent", "lumpy", "intermittent"]


def test_seasonal_naive_repeats_the_week() -> None:
    weeks = demand([1, 2, 3, 4, 5, 6, 7] * 7)
    assert forecast(weeks.ordered, SEASONAL_NAIVE, 7).tolist() == [[1, 2, 3, 4, 5, 6, 7]]
    assert np.nanmax(try_out(weeks, SEASONAL_NAIVE, PLAN).rmsse) == pytest.approx(0.0)


def test_a_short_history_is_forecast_by_its_mean() -> None:
    new = demand([0] * 20 + [2, 4, 6])
    assert forecast(new.ordered, "holt", 2).tolist() == [[4.0, 4.0]]


def weekly_and_level() -> DemandHistory:
    random = np.random.default_rng(7)
    weekly = [[40, 10, 10, 10, 10, 40, 80] * 12 for _ in range(4)]
    level = [random.poisson(30, 84).tolist() for _ in range(4)]
    return demand(*level, *weekly)


def test_no_choice_is_worse_than_seasonal_naive() -> None:
    found = weekly_and_level()
    classes = classify(found.ordered)
    choice = choose(found, classes, PLAN)
    table = choice.tried
    assert table.groupby("demand_class")["is_chosen"].sum().eq(1).all()
    for _, of_class in table.groupby("demand_class"):
        measure = of_class[of_class["model"] == SEASONAL_NAIVE].iloc[0]
        chosen = of_class[of_class["is_chosen"]].iloc[0]
        assert chosen["rmsse"] <= measure["rmsse"]
        assert chosen["pinball_loss"] <= measure["pinball_loss"]
    again = deviations(found, classes, choice.models, PLAN)
    assert choice.deviation.tolist() == again.tolist()


def test_where_only_the_week_repeats_seasonal_naive_stays() -> None:
    weekly = demand(*[[40, 10, 10, 10, 10, 40, 80] * 12 for _ in range(4)])
    table = choose(weekly, classify(weekly.ordered), PLAN).tried
    assert table[table["is_chosen"]]["model"].tolist() == [SEASONAL_NAIVE]


def test_what_comes_later_changes_no_forecast_of_the_past() -> None:
    found = weekly_and_level()
    known = found.until(63)
    later = demand(*[[*series[:63], *[999] * 21] for series in found.ordered.tolist()])
    assert later.until(63).ordered.tolist() == known.ordered.tolist()
    models = {"smooth": "simple_exponential_smoothing", "erratic": "tsb"}
    before = forecast_by_class(known, models, PLAN, 7)
    after = forecast_by_class(later.until(63), models, PLAN, 7)
    pd.testing.assert_frame_equal(before, after)


def test_the_error_that_safety_stock_rests_on_is_that_of_a_day() -> None:
    flat = demand([10] * 60)
    assert deviations(flat, classify(flat.ordered), {}, PLAN).tolist() == [0.0]
    # One day ten units above what was forecast, of the 21 that were tried.
    jump = demand([10] * 58 + [20, 10])
    found = deviations(jump, classify(jump.ordered), {"smooth": SEASONAL_NAIVE}, PLAN)
    assert found.tolist() == pytest.approx([np.sqrt(100 / 21)])


def test_the_seen_quantile_is_of_stretches_since_the_first_demand() -> None:
    units = demand([0, 0, 0, 5, 0, 0, 7, 0]).ordered
    assert seen_quantile(units, [1], 1.0).tolist() == [7.0]
    assert seen_quantile(units, [4], 1.0).tolist() == [12.0]
    assert seen_quantile(units, [99], 0.5).tolist() == [12.0]
