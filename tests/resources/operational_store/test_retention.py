"""What is too old goes; what the laws count, and what decides again, stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from assets.contracts.admission import Submission
from resources.operational_store import retention
from resources.operational_store.digests import table_digests
from resources.operational_store.explanation import explain
from resources.operational_store.retention import find_old, remove_old
from tests.builders import (
    LEEDS,
    WAREHOUSE,
    Shop,
    assert_all_invariants_hold,
    count,
    happy_ending,
    order_placed,
    product,
    receipt,
)

ADA = {"country": "GB", "name": "Ada Byron"}
NOW = datetime.now(UTC)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Two orders delivered, one that waits, one set aside, two refused bodies, all today."""
    shop = Shop(database_url)
    shop.tell(product("MUG"), count(WAREHOUSE, MUG=5), count(LEEDS, MUG=5))
    shop.tell(receipt("GR-1", MUG=3))
    for number in ("A1", "A2"):
        shop.tell(order_placed(number, ("MUG", 1, "2.40"), ship_to=ADA))
        shop.tell(*happy_ending(number, "MUG", 1, "2.40", at=0))
    shop.tell(order_placed("A1", ("MUG", 1, "2.40"), id="again", ship_to=ADA))
    shop.tell(order_placed("A3", ("VASE", 1, "2.40"), ship_to=ADA))
    with shop.store.transaction() as connection:
        bodies = [Submission("partner", body, "test") for body in (b"rubbish", b"{}")]
        shop.door.admit(connection, bodies)
        connection.exec_driver_sql(
            "update command_outbox set status = 'delivered', delivered_at = now(),"
            " next_attempt_at = null"
        )
        connection.exec_driver_sql(
            "update quarantined_event set status = 'replayed' where body_hash ="
            " (select body_hash from quarantined_body where body = 'rubbish')"
        )
    yield shop
    shop.close()


def counts(shop: Shop, after_days: float, *, remove: bool) -> dict[str, int]:
    act = remove_old if remove else find_old
    at = NOW + timedelta(days=after_days)
    return {r.what: r.count for r in act(shop.store, shop.store.policies.retention, at)}


OF_A_QUARTER = {
    # 3 nodes, 1 product, 2 counts, 2 orders with four events each; the receipt stays whole.
    "applied_event_body": 16,
    "delivered_command_payload": 16,
    "replayed_quarantine_body": 1,
    "open_quarantine_body": 1,
    "set_aside_personal_data": 1,
    "waiting_personal_data": 1,
}


def test_what_was_only_asked_about_is_still_there(shop: Shop) -> None:
    found = counts(shop, 91, remove=False)
    commands = shop.value("select count(*) from command_outbox")
    assert found == {**OF_A_QUARTER, "delivered_command_payload": commands}
    assert counts(shop, 91, remove=False) == found


def test_everything_goes_on_its_own_day(shop: Shop) -> None:
    assert set(counts(shop, 6.9, remove=True).values()) == {0}
    gone = {
        days: [what for what, n in counts(shop, days, remove=True).items() if n]
        for days in (8, 31, 91)
    }
    assert gone == {
        8: ["replayed_quarantine_body"],
        31: ["open_quarantine_body", "set_aside_personal_data"],
        91: ["applied_event_body", "delivered_command_payload", "waiting_personal_data"],
    }
    assert set(counts(shop, 10_000, remove=True).values()) == {0}


def test_laws_digests_and_decisions_are_as_before(shop: Shop) -> None:
    with shop.store.transaction() as connection:
        before = table_digests(connection)
    counts(shop, 91, remove=True)
    with shop.store.transaction() as connection:
        assert table_digests(connection) == before
        assert explain(connection, "A1")["recomputation_agrees"]
    assert_all_invariants_hold(shop.engine)
    receipts = shop.admit(order_placed("A1", ("MUG", 1, "2.40"), ship_to=ADA))
    assert [receipt.outcome for receipt in receipts] == ["duplicate"]


def test_an_applied_order_keeps_its_number_and_a_command_what_names_it(shop: Shop) -> None:
    counts(shop, 91, remove=True)
    bodies = dict(shop.rows("select event_id, data from event_inbox where status = 'applied'"))
    assert bodies["order-web_shop-A1"] == {"order_number": "A1"}
    assert bodies["product-MUG--60"] == {}
    assert bodies["received-GR-1"]["lines"][0]["quantity"] == 3
    assert shop.rows(
        "select distinct payload ->> 'template', payload ->> 'order_number' from command_outbox"
        " where command_type = 'message.send' order by 1"
    ) == [("order_confirmed", None), ("order_shipped", None)]


def test_a_command_that_is_not_delivered_keeps_its_payload(shop: Shop) -> None:
    with shop.store.transaction() as connection:
        connection.exec_driver_sql(
            "update command_outbox set status = 'dead', delivered_at = null"
            " where command_type = 'goods_issue.post'"
        )
    counts(shop, 91, remove=True)
    whole = "select count(*) from command_outbox where removed_payload_md5 is null"
    assert shop.value(whole) == 2
    assert [sorted(payload)[-1] for _, payload in shop.commands("goods_issue.post")] == [
        "shipment_number"
    ] * 2


def test_an_order_whose_address_was_too_old_is_still_applied(shop: Shop) -> None:
    counts(shop, 91, remove=True)
    shop.tell(product("VASE"))
    assert shop.status("A3") == "unfilled"
    assert shop.value("select count(*) from customer_contact where name is null") == 0
    assert shop.value("select customer_id from order_placed where order_number = 'A3'") is None


def test_a_refused_body_that_is_gone_cannot_be_tried_again_and_is_still_counted(
    shop: Shop,
) -> None:
    counts(shop, 31, remove=True)
    with shop.store.transaction() as connection:
        ids = [row.quarantine_id for row in connection.exec_driver_sql(
            "select quarantine_id from quarantined_event where status = 'open'")]  # fmt: skip
        assert shop.door.replay_quarantined(connection, ids) == {}
    assert shop.value("select count(*) from quarantined_event") == 3
    assert_all_invariants_hold(shop.engine)


def test_more_than_a_batch_goes_batch_by_batch(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH_ROWS", 3)
    assert counts(shop, 91, remove=True)["applied_event_body"] == 16
    assert_all_invariants_hold(shop.engine)
