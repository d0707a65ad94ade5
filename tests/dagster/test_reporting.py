from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from resources import dagster_reporting
from resources.dagster_reporting import DagsterReporting, reporting

FIRST, SECOND = date(2010, 12, 1), date(2010, 12, 2)


def figures(event: Any) -> tuple[str, int, int]:
    return (
        event.asset_key.to_user_string(),
        event.metadata["rows_of_the_day"].value,
        event.metadata["dagster/row_count"].value,
    )


@pytest.fixture
def every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a replay that passes a day in more than ten seconds."""
    monkeypatch.setattr(dagster_reporting, "LEAST_SECONDS", 0.0)


@pytest.mark.usefixtures("every_day")
def test_a_simulated_day_is_told_once_with_its_rows_and_the_sum_so_far() -> None:
    told: list[Any] = []
    reports = DagsterReporting(told.append)
    reports.report(FIRST, {"order_placed": 2, "journal_line": 8})
    reports.report(FIRST, {"order_placed": 3, "price": 0})
    reports.report(SECOND, {"order_placed": 4})
    reports.close()
    assert [figures(event) for event in told] == [
        ("journal_line", 8, 8),
        ("order_placed", 5, 5),
        ("order_placed", 4, 9),
    ]
    assert told[-1].metadata["simulated_day"].value == "2010-12-02"


def test_days_that_fly_are_told_together_under_the_last_of_them() -> None:
    told: list[Any] = []
    reports = DagsterReporting(told.append)
    reports.report(FIRST, {"order_placed": 2})
    reports.report(SECOND, {"order_placed": 4})
    assert told == []
    reports.close()
    assert [figures(event) for event in told] == [("order_placed", 6, 6)]
    assert told[0].metadata["simulated_day"].value == "2010-12-02"


@pytest.mark.usefixtures("every_day")
def test_a_dagster_that_stops_answering_does_not_stop_the_replay() -> None:
    asked: list[Any] = []

    def away(event: Any) -> None:
        asked.append(event)
        raise ConnectionError("the server went away")

    reports = DagsterReporting(away)
    for day in range(1, 100):
        reports.report(date(2011, 1 + day // 31, 1 + day % 28), {"order_placed": 1})
    reports.close()
    assert len(asked) == 1


def test_a_home_without_dagster_is_replayed_all_the_same(tmp_path: Path) -> None:
    with capture_logs() as said, reporting(tmp_path) as reports:
        reports.report(FIRST, {"order_placed": 1})
        reports.publish({"fct_orders": 1})
        reports.close()
    assert said == []
    assert list(tmp_path.iterdir()) == []


def test_a_dagster_that_cannot_be_opened_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("storage: {postgres: {postgres_url: nonsense}}\n")
    with capture_logs() as said, reporting(tmp_path) as reports:
        reports.report(FIRST, {"order_placed": 1})
        reports.publish({"fct_orders": 1})
        reports.close()
    # Once, and no report is tried after it.
    assert [(line["event"], line["log_level"]) for line in said] == [
        ("dagster is not told about this replay", "warning")
    ]
