"""What a channel shows is the approved price of its time, or somebody is asked (INV-M11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.master_data.rules import judge_parity
from tests.builders import WEB, Shop, assert_all_invariants_hold
from tests.inventory.stock_story import price, quarantine, shown

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def instants(hours: list[float]) -> pd.Series:  # type: ignore[type-arg]
    moments = [NOON + timedelta(hours=hour) for hour in hours]
    return pd.Series(moments, dtype="datetime64[us, UTC]")


def judged(
    amount: int, *versions: tuple[float, int], currency: str = "GBP", grace_hours: float = 0.5
) -> tuple[str, int | None]:
    """What is said of a price shown at noon, with (hours after noon, price) approved."""
    last_word = pd.DataFrame(
        {"channel": ["web"], "sku": ["MUG"], "unit_price": [amount], "currency_code": [currency]}
    ).assign(as_of=instants([0]), graced_from=instants([-grace_hours]))
    approved = pd.DataFrame(
        {
            "channel": ["web"] * len(versions),
            "sku": ["MUG"] * len(versions),
            "unit_price": [amount for _, amount in versions],
            "currency_code": ["GBP"] * len(versions),
        }
    ).assign(valid_from=instants([hour for hour, _ in versions]))
    (row,) = judge_parity(last_word, approved).itertuples(index=False)
    return row.outcome, None if pd.isna(row.approved_price) else int(row.approved_price)


@pytest.mark.parametrize(
    ("amount", "versions", "expected"),
    [
        (600, [(-5, 600)], ("agrees", 600)),
        (600, [(-5, 700)], ("differs", 700)),
        # The version of its time, not the first and not the one that is still to come.
        (600, [(-9, 500), (-5, 600), (1, 700)], ("agrees", 600)),
        (700, [(-5, 600), (1, 700)], ("differs", 600)),
        # Half an hour is given to show a new price, and no minute more.
        (600, [(-5, 600), (-0.4, 700)], ("agrees", 700)),
        (600, [(-5, 600), (-0.5, 700)], ("differs", 700)),
        (600, [], ("no_approved_price", None)),
        (600, [(0, 600)], ("agrees", 600)),
        (600, [(0.1, 600)], ("no_approved_price", None)),
    ],
)
def test_a_shown_price_is_compared_with_the_version_of_its_time(
    amount: int, versions: list[tuple[float, int]], expected: tuple[str, int | None]
) -> None:
    assert judged(amount, *versions) == expected


def test_the_same_number_in_another_currency_is_another_price() -> None:
    assert judged(600, (-5, 600), currency="EUR") == ("differs", 600)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.integers(-20, 20), st.integers(1, 5), min_size=1, max_size=6),
    st.integers(1, 5),
    st.integers(0, 6),
)
def test_a_price_agrees_if_and_only_if_a_version_of_its_grace_says_so(
    versions: dict[int, int], amount: int, grace: int
) -> None:
    outcome, _ = judged(amount, *versions.items(), grace_hours=grace)
    ordered = sorted(versions.items())
    ends = [start for start, _ in ordered[1:]] + [10**6]
    counting = [
        price for (start, price), end in zip(ordered, ends, strict=True)
        if start <= 0 and end > -grace
    ]  # fmt: skip
    if not counting:
        assert outcome == "no_approved_price"
    else:
        assert (outcome == "agrees") is (amount in counting)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def cases(shop: Shop) -> list[tuple[str, str, str]]:
    return shop.rows(  # type: ignore[return-value]
        "select business_key, status, reason from exception_case where case_type = 'price_parity'"
        " order by 1"
    )


def test_a_channel_that_shows_the_approved_price_is_left_alone(shop: Shop) -> None:
    shop.tell(price("MUG", "6.00"), shown(60, MUG="6.00"))
    assert cases(shop) == []


def test_another_price_opens_a_case_that_the_right_one_closes(shop: Shop) -> None:
    shop.tell(price("MUG", "6.00"), price("HAT", "9.00"))
    shop.tell(shown(60, MUG="6.50", HAT="9.00"))
    said = "web_shop shows 6.5000 GBP for MUG, approved is 6.0000"
    assert cases(shop) == [("web_shop/MUG", "open", said)]
    shop.tell(shown(120, MUG="6.00", HAT="9.00"))
    assert cases(shop) == [("web_shop/MUG", "closed", said)]


def test_a_price_version_that_is_told_late_closes_the_case_about_it(shop: Shop) -> None:
    shop.tell(price("MUG", "6.00"), shown(60, MUG="6.50"))
    assert [status for _, status, _ in cases(shop)] == ["open"]
    shop.tell(price("MUG", "6.50", at=50))
    assert [status for _, status, _ in cases(shop)] == ["closed"]


def test_a_price_that_was_withdrawn_before_it_was_shown_opens_a_case_when_that_is_told(
    shop: Shop,
) -> None:
    shop.tell(price("MUG", "6.00"), shown(60, MUG="6.00"))
    shop.tell(price("MUG", "7.00", at=10))
    assert [status for _, status, _ in cases(shop)] == ["open"]


def test_an_older_word_of_the_channel_changes_nothing(shop: Shop) -> None:
    shop.tell(price("MUG", "6.00"), shown(120, MUG="6.00"))
    shop.tell(shown(60, MUG="1.00"))
    assert cases(shop) == []


def test_a_price_that_nobody_approved_opens_a_case(shop: Shop) -> None:
    shop.tell(shown(60, MUG="6.00"))
    ((key, status, reason),) = cases(shop)
    assert (key, status) == (f"{WEB}/MUG", "open")
    assert reason.endswith("and no price was ever approved")


def test_a_document_is_taken_once_and_none_from_the_future(shop: Shop) -> None:
    shop.tell(price("MUG", "6.00"), shown(60, MUG="6.00"))
    shop.tell({**shown(60, MUG="9.00"), "id": "again"})
    ahead = shown(90, MUG="9.00")
    ahead["time"] = shown(87.9)["time"]
    shop.tell(ahead)
    assert quarantine(shop) == ["document_already_taken", "shown_in_the_future"]
    assert cases(shop) == []


def test_a_channel_whose_clock_is_two_minutes_ahead_is_heard(shop: Shop) -> None:
    shop.tell(price("MUG", "6.00"))
    ahead = shown(90, MUG="9.00")
    ahead["time"] = shown(88)["time"]
    shop.tell(ahead)
    assert quarantine(shop) == []
    assert [(key, status) for key, status, _ in cases(shop)] == [("web_shop/MUG", "open")]


@pytest.mark.parametrize("batch_size", [1, 2, 100])
@pytest.mark.parametrize("is_turned", [False, True])
def test_of_two_prices_for_one_instant_the_first_stays_however_they_are_told(
    shop: Shop, batch_size: int, is_turned: bool
) -> None:
    # Their order is that of their names: of one instant and source 6.00 comes before 6.50.
    told = [price("MUG", "6.00", at=10), price("MUG", "6.50", at=10), price("HAT", "9.00", at=10)]
    # Once more the same is no contradiction.
    again = {**price("MUG", "6.00", at=10), "id": "price-web_shop-MUG-10-again"}
    events = [*told, again]
    shop.tell(*(events[::-1] if is_turned else events), batch_size=batch_size)
    assert shop.rows("select sku, unit_price::text from price order by sku") == [
        ("HAT", "9.0000"),
        ("MUG", "6.0000"),
    ]
    assert shop.rows("select event_id, reason_code from quarantined_event") == [
        ("price-web_shop-MUG-10-6.50", "price_contradicted")
    ]
    shop.tell(shown(60, MUG="6.00"))
    assert cases(shop) == []


def test_another_price_for_an_instant_that_has_one_is_set_aside_when_it_comes_later(
    shop: Shop,
) -> None:
    shop.tell(price("MUG", "6.50", at=10))
    shop.tell(price("MUG", "6.00", at=10))
    assert shop.value("select unit_price::text from price") == "6.5000"
    assert quarantine(shop) == ["price_contradicted"]
