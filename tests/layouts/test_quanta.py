from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.errors import BadInput
from resources.layouts.quanta import check_quantum, window_end

LONDON = "Europe/London"
QUANTA = [timedelta(minutes=15), *(timedelta(hours=h) for h in (1, 6, 12)), timedelta(days=1)]


def test_an_instant_at_the_end_of_a_window_belongs_to_it() -> None:
    noon = datetime(2011, 1, 5, 12, tzinfo=UTC)
    midnight = datetime(2011, 1, 6, tzinfo=UTC)
    assert window_end(noon, timedelta(hours=6), LONDON) == noon
    assert window_end(noon, timedelta(days=1), LONDON) == midnight
    assert window_end(midnight, timedelta(days=1), LONDON) == midnight
    assert window_end(midnight, timedelta(hours=1), LONDON) == midnight


def test_the_days_on_which_the_clocks_change_end_at_midnight_too() -> None:
    spring = datetime(2011, 3, 27, 22, 30, tzinfo=UTC)
    autumn = datetime(2011, 10, 30, 23, 30, tzinfo=UTC)
    six_hours = timedelta(hours=6)
    assert window_end(spring, six_hours, LONDON) == datetime(2011, 3, 27, 23, tzinfo=UTC)
    assert window_end(autumn, six_hours, LONDON) == datetime(2011, 10, 31, tzinfo=UTC)
    # The last of five windows of that day has the one hour that was left.
    assert (
        window_end(autumn - six_hours, six_hours, LONDON)
        == datetime(2011, 10, 30, 17, tzinfo=UTC) + six_hours
    )


def test_weeks_begin_on_monday_wherever_a_reading_starts() -> None:
    week = timedelta(days=7)
    for day in range(3, 10):
        assert window_end(datetime(2011, 1, day, 9, tzinfo=UTC), week, LONDON) == datetime(
            2011, 1, 10, tzinfo=UTC
        )


@given(
    st.integers(0, 20 * 366 * 86_400).map(
        lambda s: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
    ),
    st.sampled_from([*QUANTA, timedelta(days=3)]),
)
def test_every_instant_is_in_one_window_that_is_not_longer_than_the_quantum(
    instant: datetime, quantum: timedelta
) -> None:
    end = window_end(instant, quantum, LONDON)
    an_hour_for_the_clocks = timedelta(hours=1) if quantum >= timedelta(days=1) else timedelta(0)
    assert instant <= end
    assert end - instant < quantum + an_hour_for_the_clocks
    assert window_end(end, quantum, LONDON) == end
    assert window_end(end + timedelta(microseconds=1), quantum, LONDON) > end


@pytest.mark.parametrize("minutes", [0, -60, 7, 36 * 60])
def test_a_quantum_that_drifts_away_from_midnight_is_bad_input(minutes: int) -> None:
    with pytest.raises(BadInput, match="neither divides a day"):
        check_quantum(timedelta(minutes=minutes))
