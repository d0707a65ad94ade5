"""Lead times, standing, and who unloads what, when and where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pandas as pd
import pytest

from assets.procure_to_stock.replenishment_policy import replenishment_policy
from assets.procure_to_stock.rules.lead_times import learn, with_lead_times
from assets.procure_to_stock.rules.receiving_plan import Slot, find_slot, labour_minutes
from assets.procure_to_stock.rules.standing import judge, orderable
from resources.policy_book import SHIPPED, read_document

POLICY = replenishment_policy(read_document(SHIPPED / "replenishment.yaml").values)
LONDON = "Europe/London"


def test_terms_are_believed_until_enough_came() -> None:
    terms = pd.DataFrame({"supplier_id": ["a", "b"], "sku": "MUG", "lead_time_days": [10, 10]})
    came = pd.DataFrame({"supplier_id": ["a"] * 8 + ["b"] * 7, "lead_days": [3.0, 5.0] * 7 + [3.0]})
    found = with_lead_times(terms, learn(came), POLICY.lead_times)
    assert found["lead_time_days"].tolist() == [4.0, 10.0]
    assert found["lead_time_deviation_days"].tolist() == pytest.approx([1.0690, 3.0], abs=1e-4)
    assert found["agreed_days"].tolist() == [10.0, 10.0]


@pytest.mark.parametrize(
    ("due", "good", "standing"),
    [
        (20, 16, "good"),
        (20, 15, "warn"),
        (20, 10, "warn"),
        (20, 9, "prevent"),
        (19, 0, "good"),
    ],
)
def test_standing_has_edges_at_four_of_five_and_one_of_two(
    due: int, good: int, standing: str
) -> None:
    delivered = pd.DataFrame({"supplier_id": ["a"], "due_lines": [due], "good_lines": [good]})
    assert judge(delivered, POLICY.standing)["standing"].tolist() == [standing]


def test_nothing_more_is_ordered_of_a_prevented_supplier() -> None:
    terms = pd.DataFrame({"supplier_id": ["a", "b", "c"], "is_orderable": [True, True, False]})
    delivered = pd.DataFrame(
        {"supplier_id": ["a", "c"], "due_lines": [20, 20], "good_lines": [0, 20]}
    )
    found = orderable(terms, delivered, POLICY.standing)
    assert found["is_orderable"].tolist() == [False, True, False]
    assert found["standing"].tolist() == ["prevent", "good", "good"]


def test_work_is_by_delivery_line_and_unit() -> None:
    assert labour_minutes(0, 0, POLICY.receiving) == 20
    assert labour_minutes(1_200, 2, POLICY.receiving) == 20 + 6 + 60
    assert labour_minutes(1_201, 2, POLICY.receiving) == 20 + 6 + 61


def slot(at: datetime, minutes: int, *taken: Slot) -> Slot:
    return find_slot(at, minutes, taken, POLICY.receiving, LONDON)


def test_docks_open_by_the_clock_on_the_wall() -> None:
    # Six in the morning is five by UTC in summer.
    night = datetime(2026, 7, 6, 1, tzinfo=UTC)
    assert slot(night, 60) == Slot(
        1, datetime(2026, 7, 6, 5, tzinfo=UTC), datetime(2026, 7, 6, 6, tzinfo=UTC)
    )
    winter = datetime(2026, 1, 5, 1, tzinfo=UTC)
    assert slot(winter, 60).starts_at == datetime(2026, 1, 5, 6, tzinfo=UTC)


def test_what_comes_too_late_for_today_is_unloaded_tomorrow() -> None:
    evening = datetime(2026, 1, 5, 17, 30, tzinfo=UTC)
    assert slot(evening, 60).starts_at == datetime(2026, 1, 6, 6, tzinfo=UTC)
    exactly = datetime(2026, 1, 5, 17, tzinfo=UTC)
    assert slot(exactly, 60).starts_at == exactly


def test_two_people_share_the_work_and_long_work_takes_several_slots() -> None:
    at = datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert slot(at, 120).ends_at - slot(at, 120).starts_at == timedelta(hours=1)
    assert slot(at, 121).ends_at - slot(at, 121).starts_at == timedelta(hours=2)
    # More than a day's: it has the dock all day.
    assert slot(at, 5_000) == Slot(
        1, datetime(2026, 1, 6, 6, tzinfo=UTC), datetime(2026, 1, 6, 18, tzinfo=UTC)
    )


def test_the_other_dock_is_taken_before_a_later_hour() -> None:
    at = datetime(2026, 1, 5, 8, tzinfo=UTC)
    first = slot(at, 60)
    second = slot(at, 60, first)
    third = slot(at, 60, first, second)
    assert (first.dock_number, second.dock_number, third.dock_number) == (1, 2, 1)
    assert second.starts_at == first.starts_at
    assert third.starts_at == first.ends_at


def test_docks_that_are_never_open_for_a_slot_are_no_policy() -> None:
    with pytest.raises(ValueError, match="not open for one slot"):
        msgspec.structs.replace(POLICY.receiving, opens_hour=18, closes_hour=18).__post_init__()
