"""What people post about stock: small at once, dear only when somebody else consents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from assets.approvals.service import decide, request
from assets.errors import BadInput
from resources.operational_store.people import put_person, read_people
from resources.operational_store.stock_posting import request_for
from tests.builders import (
    WAREHOUSE,
    Shop,
    assert_all_invariants_hold,
    count,
    minutes,
    product,
    receipt,
)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """A hundred hats at 4.00 each, and who may consent."""
    shop = Shop(database_url)
    shop.tell(product("HAT", cost="4.00"), count(WAREHOUSE, HAT=100))
    with shop.store.transaction() as connection:
        put_person(connection, "sam", ["stock_controller"], [])
        put_person(connection, "ann", ["stock_controller"], [])
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def post(shop: Shop, document: str, **said: Any) -> str | None:
    """Post as Ann; gives the approval that it waits for."""
    wanted = {"is_count": False, "node": WAREHOUSE, "sku": "HAT", "reason": "damaged", **said}
    with shop.store.unit_of_work() as unit_of_work:
        asked = request_for(unit_of_work, document=document, requested_by="ann", **wanted)
        waiting = request([asked], unit_of_work).get(asked.subject_key)
    shop.store.drain_all()
    return None if waiting is None else waiting.approval_id


def consent(shop: Shop, approval_id: str, person: str) -> str:
    with shop.store.transaction() as connection:
        people = read_people(connection)
    with shop.store.unit_of_work() as unit_of_work:
        status = decide(approval_id, people[person], "approved", "seen", unit_of_work)
    shop.store.drain_all()
    return status


def test_a_small_write_off_is_booked_at_once(shop: Shop) -> None:
    assert post(shop, "W1", units=24) is None
    assert shop.position("HAT") == (76, 0, 0)


def test_a_write_off_above_the_value_moves_nothing_until_somebody_else_consents(
    shop: Shop,
) -> None:
    approval_id = post(shop, "W1", units=25)
    assert approval_id is not None
    assert shop.position("HAT") == (100, 0, 0)
    with pytest.raises(BadInput, match="ann"):
        consent(shop, approval_id, "ann")
    assert consent(shop, approval_id, "sam") == "approved"
    assert shop.position("HAT") == (75, 0, 0)
    assert shop.rows("select reason_code from stock_movement where quantity < 0") == [("damaged",)]


def test_a_count_is_true_at_the_time_at_which_it_was_posted(shop: Shop) -> None:
    shop.clock.advance(minutes(10))
    approval_id = post(shop, "C1", is_count=True, units=20)
    assert approval_id is not None
    # Units that come between the count and the consent are on top of it.
    shop.clock.advance(minutes(20))
    shop.tell(receipt("R1", at=20, HAT=5))
    shop.clock.advance(minutes(60))
    consent(shop, approval_id, "sam")
    assert shop.position("HAT") == (25, 0, 0)


def test_a_count_that_agrees_with_the_books_needs_nobody(shop: Shop) -> None:
    assert post(shop, "C1", is_count=True, units=100) is None
    assert shop.position("HAT") == (100, 0, 0)


def test_what_is_never_decided_is_never_booked(shop: Shop) -> None:
    assert post(shop, "W1", units=50) is not None
    shop.wait_until(8 * 24 * 60)
    shop.store.drain_all()
    assert shop.position("HAT") == (100, 0, 0)
    assert shop.value("select status from approval_request") == "expired"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"node": "moon", "units": 1}, "no node moon"),
        ({"sku": "X", "units": 1}, "no SKU X"),
        ({"units": 0}, "how many"),
        ({"units": -4}, "how many"),
        ({"units": 1, "reason": "fell down"}, "reason"),
    ],
)
def test_what_cannot_be_meant_is_refused(shop: Shop, said: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        post(shop, "W1", **said)
