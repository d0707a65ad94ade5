"""Every reason that drift can have, told by the smallest stock that shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.inventory.synchronisation.evidence import COLUMNS, evidence
from assets.inventory.synchronisation.policy import SynchronisationPolicy, synchronisation_policy
from assets.inventory.synchronisation.rules import (
    DOCUMENTED,
    REASONS,
    code_drift,
    compare,
    is_mass_drop,
    propose,
    revise,
)

NIGHT = datetime(2026, 3, 3, 2, tzinfo=UTC)
Fact = tuple[str, str, int, datetime]


def policy(**changes: Any) -> SynchronisationPolicy:
    values = {
        "settling_minutes": 60,
        "oldest_snapshot_hours": 168,
        "clock_tolerance_seconds": 120,
        "mass_drop_at_least_one_in": 3,
        "mass_drop_least_skus": 3,
        "lost_after_hours": 48,
        "evidence_days": 14,
        "told_by_us": ["erp"],
        "authority": ["wms", "erp"],
        "authority_hours": 36,
        "booked_up_to_amount_by_currency": {"GBP": "50.00"},
    }
    return synchronisation_policy({**values, **changes})


def line(sku: str = "MUG", held: int = 0, stated: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "sku": sku,
        "stated_quantity": stated,
        "is_case": more.get("is_case", False),
        "units_per_case": more.get("units_per_case", 0),
        "held_quantity": held,
        "promised_quantity": more.get("promised", 0),
    }


def coded(*facts: Fact, system: str = "wms", place: Any = "node", **of_line: Any) -> dict[str, int]:
    """The drift of one SKU by reason."""
    compared = compare(pd.DataFrame([line(**of_line)]))
    found = code_drift(compared, evidence(facts, system, NIGHT, policy()), place)
    return dict(zip(found["reason_code"], found["quantity"].tolist(), strict=True))


def fact(what: str, quantity: int, hours_ago: float = 5, sku: str = "MUG") -> Fact:
    return sku, what, quantity, NIGHT - timedelta(hours=hours_ago)


def test_stock_that_agrees_has_no_drift_whatever_evidence_lies_around() -> None:
    assert coded(fact("waiting", 5), held=10, stated=10) == {}


@pytest.mark.parametrize(
    ("what", "quantity", "stated", "expected"),
    [
        # The partner has received five that lie in our inbox; we have shipped three it waits for.
        ("waiting", 5, 15, {"late": 5}),
        ("unsent", -3, 13, {"late": 3}),
        # Refused at our side, or given up on the way to theirs.
        ("refused", 5, 15, {"lost": 5}),
        ("undeliverable", -3, 13, {"lost": 3}),
        # It told us the same document twice, and has booked it twice.
        ("repeated", -4, 6, {"duplicate": -4}),
        # Our own correction was written after the snapshot.
        ("correction_unheard", -2, 12, {"late": 2}),
    ],
)
def test_a_document_whose_state_we_know_explains_drift(
    what: str, quantity: int, stated: int, expected: dict[str, int]
) -> None:
    assert coded(fact(what, quantity), held=10, stated=stated) == expected


def test_what_a_known_document_leaves_over_is_a_miscount() -> None:
    assert coded(fact("waiting", 5), held=10, stated=17) == {"late": 5, "miscount": 2}


def test_a_document_explains_no_drift_in_the_other_direction() -> None:
    assert coded(fact("waiting", 5), held=10, stated=8) == {"miscount": -2}


@pytest.mark.parametrize(("hours_ago", "reason"), [(47.9, "late"), (48.0, "lost"), (200, "lost")])
def test_a_despatch_that_the_erp_has_not_booked_is_late_for_two_days_and_then_lost(
    hours_ago: float, reason: str
) -> None:
    shipped = fact("shipped", -3, hours_ago)
    assert coded(shipped, system="erp", held=10, stated=13) == {reason: 3}


def test_a_despatch_that_we_heard_of_after_the_snapshot_cannot_be_in_the_erps_book() -> None:
    # It left days before, and the warehouse told us late: the ERP hears of it from us only.
    unheard = fact("shipped_unheard", -3, 200)
    assert coded(unheard, system="erp", held=10, stated=13) == {"late": 3}
    assert coded(unheard, system="wms", held=10, stated=13) == {"miscount": 3}


def test_a_despatch_of_before_both_last_agreed_is_not_missing_and_may_be_there_twice() -> None:
    # A mug a day is sold; the one of last week was in both books, so it is today's that is late.
    former, today = fact("shipped_agreed", -1, 200), fact("shipped", -1, 5)
    assert coded(former, today, system="erp", held=10, stated=11) == {"late": 1}
    assert coded(former, system="erp", held=10, stated=11) == {"miscount": 1}
    assert coded(former, system="erp", held=10, stated=9) == {"duplicate": -1}
    received = fact("received_agreed", 4)
    assert coded(received, held=10, stated=6) == {"miscount": -4}
    assert coded(received, held=10, stated=14) == {"duplicate": 4}


@pytest.mark.parametrize("what", ["collected", "collected_unheard"])
def test_what_a_customer_carried_away_can_be_late_for_the_warehouse_and_for_the_erp(
    what: str,
) -> None:
    # The store told us of it; the others hear of it elsewhere.
    for system in ("wms", "erp"):
        assert coded(fact(what, -2), system=system, held=3, stated=5) == {"late": 2}


def test_a_despatch_that_the_erp_heard_of_after_the_instant_may_be_in_its_book_twice() -> None:
    # A book that is read in the morning has what was dated before the night.
    unheard = fact("shipped_unheard", -3)
    assert coded(unheard, system="erp", held=10, stated=7) == {"duplicate": -3}
    assert coded(unheard, system="wms", held=10, stated=7) == {"miscount": -3}


def test_a_despatch_that_the_erp_has_booked_twice_is_a_duplicate() -> None:
    assert coded(fact("shipped", -3), system="erp", held=10, stated=7) == {"duplicate": -3}


def test_a_despatch_that_would_not_explain_it_to_the_unit_explains_nothing() -> None:
    assert coded(fact("shipped", -3), system="erp", held=10, stated=8) == {"miscount": -2}


def test_the_warehouse_tells_of_despatches_and_so_cannot_have_missed_one() -> None:
    assert coded(fact("shipped", -3), system="wms", held=10, stated=13) == {"miscount": 3}


def test_goods_that_we_asked_for_may_have_left_without_our_hearing_of_it() -> None:
    assert coded(fact("awaited", -4), held=10, stated=6, promised=4) == {"late": -4}
    assert coded(fact("awaited", -4, 60), held=10, stated=6, promised=4) == {"lost": -4}


def test_a_despatch_on_the_other_side_of_a_count_is_out_of_order() -> None:
    assert coded(fact("crossed", -2), held=10, stated=8) == {"out_of_order": -2}


@pytest.mark.parametrize(
    ("held", "stated", "is_case"),
    [
        (60, 5, False),  # five cases of twelve, sent as five units
        (5, 60, False),  # five units, multiplied as if they were cases
        (60, 60, True),  # sixty units, sent as sixty cases
    ],
)
def test_cases_read_as_units_are_a_unit_of_measure(held: int, stated: int, is_case: bool) -> None:
    drift = stated * (12 if is_case else 1) - held
    found = coded(held=held, stated=stated, units_per_case=12, is_case=is_case)
    assert found == {"unit_of_measure": drift}


def test_cases_that_are_said_to_be_cases_are_units_and_agree() -> None:
    assert coded(held=60, stated=5, units_per_case=12, is_case=True) == {}


def test_a_ratio_that_is_not_the_size_of_a_case_is_a_miscount() -> None:
    assert coded(held=60, stated=6, units_per_case=12) == {"miscount": -54}


def test_units_that_were_promised_and_are_not_there_are_oversold() -> None:
    # Ten on hand, eight promised to customers; the shelf has five.
    assert coded(held=10, stated=5, promised=8) == {"oversell": -3, "miscount": -2}


def test_a_book_below_zero_has_issued_more_than_there_was() -> None:
    assert coded(held=2, stated=-3, system="erp") == {"oversell": -3, "miscount": -2}


def test_a_channel_that_offers_more_than_it_was_told_oversells() -> None:
    assert coded(place="channel", system="web_shop", held=5, stated=9) == {"oversell": 4}


def test_a_channel_that_offers_less_than_it_was_told_has_miscounted() -> None:
    assert coded(place="channel", system="web_shop", held=5, stated=2) == {"miscount": -3}


@pytest.mark.parametrize(
    ("what", "hours_ago", "reason"),
    [
        ("level_heard_later", 5, "late"),
        ("level_unheard", 5, "late"),
        ("level_unheard", 50, "lost"),
        # It had taken up the newer level, and shows an older one again.
        ("level_heard", 5, "out_of_order"),
    ],
)
def test_a_channel_that_shows_a_former_level(what: str, hours_ago: float, reason: str) -> None:
    former = fact(what, 4, hours_ago)
    assert coded(former, place="channel", system="web_shop", held=5, stated=9) == {reason: 4}


def test_reasons_are_asked_for_in_their_order() -> None:
    facts = [fact(what, 1) for what in ("waiting", "refused", "repeated")]
    expected = {"duplicate": 1, "lost": 1, "late": 1, "miscount": 1}
    assert coded(*facts, held=10, stated=14) == expected
    assert list(expected) == [reason for reason in REASONS if reason in expected]


lines_drawn = st.lists(
    st.tuples(
        st.integers(-30, 60), st.integers(-5, 40), st.booleans(), st.sampled_from([0, 2, 12]),
        st.integers(0, 40),
    ),
    min_size=1, max_size=6,
)  # fmt: skip
evidence_drawn = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(DOCUMENTED), st.integers(-20, 20), st.booleans()),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(lines_drawn, evidence_drawn, st.sampled_from(["node", "channel"]))
def test_every_unit_of_drift_has_exactly_one_reason(
    drawn: list[tuple[int, int, bool, int, int]],
    documents: list[tuple[int, str, int, bool]],
    place: Any,
) -> None:
    lines = pd.DataFrame(
        [
            line(f"S{number}", held, stated, is_case=is_case and units > 0,
                 units_per_case=units, promised=promised)
            for number, (stated, held, is_case, units, promised) in enumerate(drawn)
        ]
    )  # fmt: skip
    shown = pd.DataFrame(
        [
            (f"S{n % len(drawn)}", reason, units, sure, NIGHT)
            for n, reason, units, sure in documents
        ],
        columns=COLUMNS,
    ).astype({"quantity": "int64", "is_certain": "bool"})
    before = lines.copy(deep=True)
    compared = compare(lines)
    found = code_drift(compared, shown, place)
    drift = compared.set_index("sku")["drift_quantity"]
    total = found.groupby("sku")["quantity"].sum()
    assert total.to_dict() == drift[drift != 0].to_dict()
    # No reason takes away what another gives: units are counted once.
    assert found["quantity"].abs().sum() == drift.abs().sum()
    assert (found["quantity"] != 0).all()
    assert not found.duplicated(["sku", "reason_code"]).any()
    pd.testing.assert_frame_equal(lines, before)


# A feed that looks broken


def drop(gone: int, of: int, empty: int = 0) -> bool:
    rows = [line(f"S{n}", held=5, stated=0 if n < gone else 5) for n in range(of)]
    rows += [line(f"E{n}") for n in range(empty)]
    return is_mass_drop(compare(pd.DataFrame(rows)), policy())


@pytest.mark.parametrize(
    ("gone", "of", "is_held"),
    [(0, 9, False), (2, 9, False), (3, 9, True), (9, 9, True), (1, 3, True), (2, 2, False)],
)
def test_a_snapshot_that_takes_a_third_of_the_skus_away_is_a_mass_drop(
    gone: int, of: int, is_held: bool
) -> None:
    assert drop(gone, of) is is_held


def test_skus_that_were_empty_before_hide_no_mass_drop() -> None:
    assert drop(3, 9, empty=100)


# Corrections


def proposed(quantity: int, reason: str = "miscount", currency: str = "GBP") -> list[Any]:
    drift = pd.DataFrame({"sku": ["MUG"], "reason_code": [reason], "quantity": [quantity]})
    costs = pd.DataFrame({"sku": ["MUG"], "standard_cost": [25_000], "currency_code": [currency]})
    found = propose(drift, costs, policy())
    return found[["quantity", "amount", "status"]].to_numpy().tolist()


def test_a_correction_of_up_to_fifty_pounds_is_booked_and_a_larger_one_is_proposed() -> None:
    assert proposed(-20) == [[-20, -500_000, "booked"]]
    assert proposed(21) == [[21, 525_000, "proposed"]]


def test_a_currency_without_a_limit_always_waits_for_a_person() -> None:
    assert proposed(-1, currency="EUR") == [[-1, -25_000, "proposed"]]


@pytest.mark.parametrize("reason", ["late", "lost", "duplicate", "out_of_order", "unit_of_measure"])
def test_what_a_message_would_cure_is_not_corrected(reason: str) -> None:
    assert proposed(-5, reason) == []


# What comes in later


def again(arrived: int, **units: int) -> dict[str, int]:
    before = pd.DataFrame(
        [("one", "MUG", reason, quantity) for reason, quantity in units.items()],
        columns=["snapshot_id", "sku", "reason_code", "quantity"],
    )
    moved = pd.DataFrame([("one", "MUG", arrived)], columns=["snapshot_id", "sku", "quantity"])
    found = revise(before, moved)
    return dict(zip(found["reason_code"], found["quantity"].tolist(), strict=True))


def test_drift_that_a_later_movement_explains_was_late() -> None:
    assert again(-3, miscount=-3) == {"late": -3}
    assert again(-2, miscount=-3) == {"late": -2, "miscount": -1}
    assert again(-9, miscount=-3, lost=-1) == {"late": -4}


def test_a_movement_in_the_other_direction_explains_nothing() -> None:
    assert again(3, miscount=-3) == {}


def test_units_that_were_known_to_be_late_are_not_late_twice() -> None:
    assert again(-3, late=-3, miscount=-2) == {}
    assert again(-4, late=-3, miscount=-2) == {"late": -4, "miscount": -1}


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(REASONS), st.integers(1, 20), min_size=1),
    st.integers(-60, 60).filter(bool),
    st.sampled_from([-1, 1]),
)
def test_coding_again_keeps_every_unit(units: dict[str, int], arrived: int, sign: int) -> None:
    signed = {reason: sign * quantity for reason, quantity in units.items()}
    found = again(arrived, **signed)
    if found:
        assert sum(found.values()) == sum(signed.values())
        assert abs(found["late"]) == min(sum(units.values()), abs(arrived))
