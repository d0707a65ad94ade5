"""A correction above a value: people decide, and the books follow or stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from assets.approvals.service import decide
from assets.errors import BadInput
from resources.operational_store.people import put_person, read_people
from tests.builders import Shop, adjustment, assert_all_invariants_hold
from tests.inventory.stock_story import snapshot, stocked

DAY = 24 * 60
PEOPLE = {
    "sam": ["stock_controller"],
    "fay": ["finance_controller"],
    "dee": ["director"],
}


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """A hundred mugs at 2.50 that the warehouse counts otherwise, and people to ask."""
    shop = stocked(Shop(database_url), MUG=100, HAT=50)
    with shop.store.transaction() as connection:
        for person, roles in PEOPLE.items():
            put_person(connection, person, roles, [])
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def counted(shop: Shop, at: float, mugs: int) -> None:
    """The warehouse counts so many mugs, and it is compared two hours later."""
    shop.tell(snapshot("wms", at, MUG=mugs, HAT=50))
    shop.wait_until(at + 120)


def asked(shop: Shop) -> list[tuple[Any, ...]]:
    """(status, amount, number) of what people were asked about."""
    return shop.rows("select status, amount::text, request_number from approval_request order by 3")


def say(shop: Shop, person: str, decision: str = "approved") -> str:
    """A person decides about what waits, and the flow looks."""
    approval_id = str(
        shop.value("select approval_id from approval_request where status = 'pending'")
    )
    with shop.store.unit_of_work() as unit_of_work:
        who = read_people(unit_of_work.connection)[person]
        status = decide(approval_id, who, decision, "counted twice", unit_of_work)
    shop.store.drain_all()
    return status


def steps(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select revision, status, quantity from stock_correction where sku = 'MUG'"
        " order by occurred_at, revision"
    )


def test_an_approved_correction_is_booked_with_its_journal_and_told_to_the_erp(shop: Shop) -> None:
    counted(shop, 60, 79)
    assert asked(shop) == [("pending", "52.5000", 1)]
    assert shop.position("MUG") == (100, 0, 0), "nothing moves before"
    assert say(shop, "sam") == "approved"
    assert steps(shop) == [(1, "proposed", -21), (2, "booked", -21)]
    assert shop.position("MUG") == (79, 0, 0)
    assert shop.entries("inventory_adjusted") == [
        ("inventory_adjusted", "inventory", "-52.5"),
        ("inventory_adjusted", "inventory_adjustment", "52.5"),
    ]
    ((_, payload),) = shop.commands("stock_adjustment.post")
    assert payload["lines"] == [{"sku": "MUG", "quantity": -21}]
    closed = shop.rows("select status, resolution from exception_case")
    assert closed == [("closed", "approved by sam")]
    counted(shop, DAY, 79)
    assert steps(shop) == [(1, "proposed", -21), (2, "booked", -21)], "all agree from then on"


def test_a_denied_correction_leaves_the_books_and_is_not_asked_again(shop: Shop) -> None:
    counted(shop, 60, 79)
    assert say(shop, "sam", "denied") == "denied"
    assert steps(shop) == [(1, "proposed", -21), (2, "rejected", -21)]
    assert shop.position("MUG") == (100, 0, 0)
    assert shop.rows("select status, resolution from exception_case") == [
        ("closed", "denied by sam")
    ]
    counted(shop, DAY, 79)
    assert asked(shop) == [("denied", "52.5000", 1)]
    assert shop.rows("select status from exception_case") == [("closed",)]
    # Other units are another question.
    counted(shop, 2 * DAY, 70)
    assert asked(shop)[1:] == [("pending", "75.0000", 2)]


def test_the_same_units_in_the_next_snapshot_are_the_same_question(shop: Shop) -> None:
    counted(shop, 60, 79)
    counted(shop, DAY, 79)
    assert asked(shop) == [("pending", "52.5000", 1)]
    assert say(shop, "sam") == "approved"
    assert shop.position("MUG") == (79, 0, 0)
    assert [status for _, status, _ in steps(shop)] == ["proposed", "proposed", "booked"]


def test_other_units_make_the_old_question_void(shop: Shop) -> None:
    counted(shop, 60, 79)
    counted(shop, DAY, 60)
    assert asked(shop) == [("void", "52.5000", 1), ("pending", "100.0000", 2)]


def test_goods_that_are_found_again_need_no_decision(shop: Shop) -> None:
    counted(shop, 60, 79)
    counted(shop, DAY, 100)
    assert asked(shop) == [("void", "52.5000", 1)]


def test_a_movement_that_explains_what_was_proposed_withdraws_the_question(shop: Shop) -> None:
    counted(shop, 60, 79)
    shop.tell(adjustment("W1", at=30, MUG=-21))
    counted(shop, DAY, 79)
    assert asked(shop) == [("void", "52.5000", 1)]
    assert shop.position("MUG") == (79, 0, 0)


def test_a_movement_that_explains_what_was_booked_by_consent_takes_it_back(shop: Shop) -> None:
    counted(shop, 60, 79)
    say(shop, "sam")
    shop.tell(adjustment("W1", at=30, MUG=-21))
    assert shop.position("MUG") == (58, 0, 0)
    counted(shop, DAY, 79)
    assert steps(shop) == [(1, "proposed", -21), (2, "booked", -21), (3, "reversed", 21)]
    assert shop.position("MUG") == (79, 0, 0)


def test_a_dear_correction_waits_for_every_tier_and_is_inert_until_the_last(
    database_url: str,
) -> None:
    shop = stocked(Shop(database_url), MUG=5_000, HAT=50)
    with shop.store.transaction() as connection:
        for person, roles in PEOPLE.items():
            put_person(connection, person, roles, [])
    counted(shop, 60, 2_900)
    assert asked(shop) == [("pending", "5250.0000", 1)]
    assert say(shop, "sam") == "pending"
    with pytest.raises(BadInput, match="tier 2 is for finance_controller, which dee is not"):
        say(shop, "dee")
    assert say(shop, "fay") == "pending"
    assert shop.position("MUG") == (5_000, 0, 0)
    assert say(shop, "dee") == "approved"
    assert shop.position("MUG") == (2_900, 0, 0)
    assert_all_invariants_hold(shop.engine)
    shop.close()


def test_nobodys_decision_in_time_is_a_denial(shop: Shop) -> None:
    counted(shop, 60, 79)
    shop.wait_until(60 + 120 + 168 * 60)
    shop.store.expire_approvals()
    shop.store.drain_all()
    assert asked(shop) == [("expired", "52.5000", 1)]
    assert steps(shop) == [(1, "proposed", -21), (2, "rejected", -21)]
    assert shop.value("select resolution from exception_case") == "denied by policy:approvals"
