"""What is decided about pickups, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.commerce.opening_hours import Opening, WeeklyHours, intervals
from assets.errors import PolicyError
from assets.order_to_fulfillment.pickup.policy import PickupPolicy, pickup_policy
from assets.order_to_fulfillment.pickup.rules import (
    choose_store,
    next_reminder,
    promise_ready,
    reserve_at_store,
    why_screen,
)
from resources.policy_book import FilePolicyBook
from tests.builders import stock

LONDON = "Europe/London"


@pytest.fixture(scope="module")
def policy() -> PickupPolicy:
    return pickup_policy(FilePolicyBook().resolve("pickup", "uk", "main"))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


def promised(from_at: str, *open_intervals: tuple[str, str], minutes: int = 90) -> datetime | None:
    orders = pd.DataFrame(
        {
            "scope": [0],
            "node_id": ["leeds"],
            "from_at": pd.to_datetime([instant(from_at)]).as_unit("us"),
            "preparation_minutes": [minutes],
        }
    )
    frame = pd.DataFrame(
        [(0, "leeds", instant(opens), instant(closes)) for opens, closes in open_intervals],
        columns=["scope", "node_id", "opens_at", "closes_at"],
    ).astype({"opens_at": "datetime64[us, UTC]", "closes_at": "datetime64[us, UTC]"})
    (ready,) = promise_ready(orders, frame)
    return None if pd.isna(ready) else ready.to_pydatetime()


MONDAY = ("2026-03-02T09:00", "2026-03-02T18:00")
TUESDAY = ("2026-03-03T09:00", "2026-03-03T18:00")


@pytest.mark.parametrize(
    ("from_at", "ready_at"),
    [
        ("2026-03-02T07:30", "2026-03-02T10:30"),  # before it opens
        ("2026-03-02T12:00", "2026-03-02T13:30"),
        ("2026-03-02T16:30", "2026-03-02T18:00"),  # ready to the minute of closing
        ("2026-03-02T16:31", "2026-03-03T10:30"),  # a minute too late for today
        ("2026-03-02T23:00", "2026-03-03T10:30"),
    ],
)
def test_goods_are_ready_today_or_when_the_store_is_next_open(from_at: str, ready_at: str) -> None:
    assert promised(from_at, MONDAY, TUESDAY) == instant(ready_at)


def test_a_day_that_is_shorter_than_the_work_is_no_day() -> None:
    short = ("2026-03-02T12:00", "2026-03-02T13:00")
    assert promised("2026-03-02T07:30", short, TUESDAY) == instant("2026-03-03T10:30")


def test_after_the_last_day_that_is_known_nothing_is_promised() -> None:
    assert promised("2026-03-03T17:00", MONDAY, TUESDAY) is None
    assert promised("2026-03-03T17:00") is None


def test_each_store_keeps_its_own_hours_and_pace() -> None:
    orders = pd.DataFrame(
        {
            "scope": 0,
            "node_id": ["leeds", "bristol", "leeds"],
            "from_at": pd.to_datetime([instant("2026-03-02T10:00")] * 3).as_unit("us"),
            "preparation_minutes": [90, 30, 600],
        },
        index=[7, 8, 9],
    )
    openings = pd.DataFrame(
        [
            (0, "leeds", *map(instant, MONDAY)),
            (0, "bristol", *map(instant, TUESDAY)),
            (1, "bristol", *map(instant, MONDAY)),
        ],
        columns=["scope", "node_id", "opens_at", "closes_at"],
    )
    ready = promise_ready(orders, openings)
    assert ready.index.tolist() == [7, 8, 9]
    assert ready[7] == instant("2026-03-02T11:30")
    assert ready[8] == instant("2026-03-03T09:30")
    assert pd.isna(ready[9])


# Opening hours


def opening(**changes: object) -> Opening:
    ordinary = dict.fromkeys(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"), "09:00-18:00"
    )
    return Opening(
        **{  # type: ignore[arg-type]
            "week": WeeklyHours(**ordinary, sunday="closed"),
            "holiday_calendar": "GB-ENG",
            "holiday_hours": "closed",
            "hours_by_date": {},
            **changes,
        }
    )


def opened(found: list[tuple[datetime, datetime]]) -> list[tuple[str, str]]:
    return [(f"{opens:%d %H:%M}", f"{closes:%H:%M}") for opens, closes in found]


def test_a_store_is_open_in_its_own_zone_also_when_the_clocks_change() -> None:
    # On Sunday, 29 March 2026, the clocks of London go forward.
    found = intervals(opening(), LONDON, instant("2026-03-28T12:00"), 3)
    assert opened(found) == [("28 09:00", "18:00"), ("30 08:00", "17:00")]
    sunday = opening(week=WeeklyHours(*["09:00-18:00"] * 6, sunday="00:30-18:00"))
    ((opens, closes),) = intervals(sunday, LONDON, instant("2026-03-29T12:00"), 1)
    assert closes - opens == timedelta(hours=16.5)


def test_the_first_day_is_the_local_one() -> None:
    found = intervals(opening(), "Asia/Tokyo", instant("2026-03-02T20:00"), 1)
    assert opened(found) == [("03 00:00", "09:00")]


def test_a_holiday_has_its_own_hours_and_a_single_day_has_the_last_word() -> None:
    # Good Friday 2026 is 3 April, Easter Monday the 6th; Saturday the 4th is an ordinary day.
    hours = {date(2026, 4, 6): "12:00-14:00", date(2026, 4, 4): "closed"}
    found = intervals(opening(hours_by_date=hours), LONDON, instant("2026-04-02T12:00"), 6)
    assert opened(found) == [("02 08:00", "17:00"), ("06 11:00", "13:00"), ("07 08:00", "17:00")]
    found = intervals(opening(holiday_hours="10:00-16:00"), LONDON, instant("2026-04-03T12:00"), 1)
    assert opened(found) == [("03 09:00", "15:00")]
    # Scotland works on Easter Monday, and who keeps no calendar works on all days.
    for calendar in ("GB-SCT", None):
        found = intervals(
            opening(holiday_calendar=calendar), LONDON, instant("2026-04-06T12:00"), 1
        )
        assert opened(found) == [("06 08:00", "17:00")]


# Units


def given_units(
    lines: list[tuple[str, str, int, int]], **units_by_node: dict[str, int]
) -> list[int]:
    frame = pd.DataFrame(lines, columns=["node_id", "sku", "quantity", "kept_quantity"])
    return reserve_at_store(frame, stock(**units_by_node)).tolist()  # type: ignore[no-any-return]


def test_the_first_order_at_a_store_is_served_first_and_only_from_that_store() -> None:
    lines = [("leeds", "MUG", 4, 0), ("bristol", "MUG", 2, 0), ("leeds", "MUG", 3, 0)]
    assert given_units(lines, leeds={"MUG": 5}, bristol={"MUG": 1}) == [4, 1, 1]


def test_a_store_keeps_what_its_policy_says_and_what_it_does_not_have() -> None:
    lines = [("leeds", "MUG", 4, 2), ("leeds", "HAT", 1, 0)]
    assert given_units(lines, leeds={"MUG": 5}) == [3, 0]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["leeds", "bristol"]),
            st.sampled_from(["MUG", "HAT"]),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=30,
    ),
    st.dictionaries(st.sampled_from(["MUG", "HAT"]), st.integers(-2, 20)),
    st.integers(0, 3),
    st.integers(0, 30),
)
def test_units_follow_from_the_order_alone_and_never_exceed_the_stock(
    lines: list[tuple[str, str, int]], units: dict[str, int], kept: int, cut: int
) -> None:
    asked = [(*line, kept) for line in lines]
    whole = given_units(asked, leeds=units)
    first = given_units(asked[:cut], leeds=units) if cut else []
    taken = {
        sku: sum(
            u for u, (node, s, *_) in zip(first, asked, strict=False) if (node, s) == ("leeds", sku)
        )
        for sku in units
    }
    left = {sku: quantity - taken[sku] for sku, quantity in units.items()}
    rest = given_units(asked[cut:], leeds=left) if asked[cut:] else []
    assert whole == first + rest
    for sku, quantity in units.items():
        given_here = [
            u for u, (node, s, *_) in zip(whole, asked, strict=True) if (node, s) == ("leeds", sku)
        ]
        assert all(total <= max(0, quantity - kept) for total in accumulate(given_here))


# Another store


def stores(*rows: tuple[str, int, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["node_id", "kept_quantity", "promised_ready_at"])
    return frame.assign(
        promised_ready_at=pd.to_datetime(frame["promised_ready_at"], utc=True).dt.as_unit("us")
    )


EARLY, LATE = "2026-03-02T10:30:00+00:00", "2026-03-02T12:30:00+00:00"


def test_the_store_that_is_ready_first_takes_over_if_it_has_everything() -> None:
    lines = pd.DataFrame({"sku": ["MUG", "HAT", "MUG"], "quantity": [1, 1, 2]})
    supply = stock(
        bath={"MUG": 3, "HAT": 1},
        york={"MUG": 9, "HAT": 9},
        hull={"MUG": 2, "HAT": 9},
        ely={"MUG": 9},
    )
    asked = stores(("bath", 0, LATE), ("york", 0, EARLY), ("hull", 0, EARLY), ("ely", 0, EARLY))
    assert choose_store(lines, supply, asked) == ("york", datetime.fromisoformat(EARLY))
    asked = stores(("bath", 0, LATE), ("york", 0, None), ("hull", 0, EARLY))
    assert choose_store(lines, supply, asked) == ("bath", datetime.fromisoformat(LATE))
    assert choose_store(lines, supply, stores(("bath", 1, EARLY))) is None


def test_of_two_stores_that_are_ready_at_once_the_lower_id_takes_over() -> None:
    lines = pd.DataFrame({"sku": ["MUG"], "quantity": [1]})
    asked = stores(("york", 0, EARLY), ("bath", 0, EARLY))
    found = choose_store(lines, stock(york={"MUG": 1}, bath={"MUG": 1}), asked)
    assert found == ("bath", datetime.fromisoformat(EARLY))


# Screening, reminders


@pytest.mark.parametrize(
    ("amount", "is_new", "reasons"),
    [
        (119_9999, True, ()),
        (120_0000, True, ("new_customer",)),
        (249_9999, False, ()),
        (250_0000, False, ("amount",)),
        (250_0000, True, ("amount", "new_customer")),
        (0, True, ()),
    ],
)
def test_the_amount_and_the_customer_decide_who_is_screened(
    policy: PickupPolicy, amount: int, is_new: bool, reasons: tuple[str, ...]
) -> None:
    assert why_screen(amount, "GBP", is_new, policy) == reasons


def test_a_region_that_does_not_screen_screens_nobody() -> None:
    values = {**FilePolicyBook().resolve("pickup", "uk", "main")}
    values["screening"] = {**values["screening"], "is_in_use": False}
    assert why_screen(10**9, "GBP", True, pickup_policy(values)) == ()


def test_after_the_last_reminder_comes_the_end(policy: PickupPolicy) -> None:
    ready, end = datetime(2026, 3, 2, 10, tzinfo=UTC), datetime(2026, 3, 6, 10, tzinfo=UTC)
    due = [next_reminder(ready, sent, end, policy) - ready for sent in range(3)]
    assert due == [timedelta(hours=24), timedelta(hours=60), timedelta(hours=96)]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("opening_hours_by_node", {}, "no hours for a store that is not named"),
        ("holiday_calendar", "XX", "nobody keeps a calendar of holidays for XX"),
        ("holiday_hours", "18:00-09:00", "closes before it opens"),
        ("reminder_hours_after_ready", [60, 24], "must ascend"),
        ("reminder_hours_after_ready", [72], "before the time to collect is over"),
        ("capture_when", "never", "capture_when"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(key: str, value: object, reason: str) -> None:
    values = {**FilePolicyBook().resolve("pickup", "uk", "main"), key: value}
    with pytest.raises(PolicyError, match=reason):
        pickup_policy(values)
