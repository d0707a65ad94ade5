"""Each invariant holds on a healthy store and names exactly what was corrupted in it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from assets.errors import BadInput
from resources.operational_store import invariants
from resources.operational_store.invariants import InvariantResult, check
from tests.invariants.ledger_story import (
    BATCH,
    CHANNEL,
    FIRST,
    FULFILMENT,
    HAT,
    MUG,
    NODE,
    SECOND,
    SHIPMENT,
)

ALL = [invariant.id for invariant in invariants.INVARIANTS]


def judged(connection: sa.Connection, name: str) -> InvariantResult:
    (result,) = check(connection, [name])
    assert result.id == name
    return result


def findings(connection: sa.Connection, name: str) -> list[dict[str, Any]]:
    """The violations of one invariant, which must say that it does not hold."""
    result = judged(connection, name)
    assert result.applies
    assert not result.holds
    assert result.violation_count == len(result.violations)
    return result.violations


def test_everything_applies_and_holds_in_a_healthy_store(story: sa.Connection) -> None:
    results = check(story)
    assert [result.id for result in results] == ALL
    assert [result.violations for result in results] == [[]] * len(ALL)
    assert all(result.holds for result in results)
    # Of purchases, and of people and their cases, there are stories of their own.
    without = [result.id for result in results if not result.applies]
    assert without == ["S5", "M6", "M7", "M8", "P3", "P4", "P5"]


def test_nothing_applies_to_an_empty_store(database_url: str) -> None:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert {(r.applies, r.holds) for r in check(connection)} == {(False, True)}


def test_an_invariant_that_there_is_not_is_bad_input(story: sa.Connection) -> None:
    with pytest.raises(BadInput, match="no invariant S9; there are S1"):
        check(story, ["s1", "S9"])


def test_twenty_violations_are_shown_and_all_are_counted(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "insert into stock_position (node_id, sku, on_hand_quantity)"
        " select 'dc', 'GHOST-' || n, 1 from generate_series(1, 25) as n"
    )
    result = judged(story, "S2")
    assert (len(result.violations), result.violation_count) == (20, 25)


# S1


def test_s1_sees_a_promise_of_units_that_were_not_there_yet(story: sa.Connection) -> None:
    # Afterwards everything adds up: only the instant before the dispatch was oversold.
    story.exec_driver_sql(
        "update stock_movement set ledger_sequence = -1 where kind = 'received' and sku = 'HAT'"
    )
    assert judged(story, "S1").holds
    story.exec_driver_sql(
        "update stock_movement set ledger_sequence = 1000000"
        " where kind = 'received' and sku = 'HAT'"
    )
    (violation,) = findings(story, "S1")
    assert violation["wrong"] == "promised more than is on hand"
    assert (violation["sku"], violation["on_hand_quantity"]) == (HAT, "0")
    assert violation["reserved_quantity"] == "2"


def test_s1_takes_effects_of_one_transaction_as_simultaneous(story: sa.Connection) -> None:
    (xid,) = story.exec_driver_sql(
        "select distinct recorded_xid::text from reservation_movement"
        " where kind = 'reserved' and sku = 'HAT'"
    ).one()
    story.exec_driver_sql(
        "update stock_movement set ledger_sequence = 1000000, recorded_xid = %s::xid8"
        " where kind = 'received' and sku = 'HAT'",
        (xid,),
    )
    # Received and reserved at once, in whatever order of rows; the rest of the ledger comes later.
    story.exec_driver_sql(
        "update reservation_movement set ledger_sequence = ledger_sequence + 2000000"
        " where kind = 'consumed' and sku = 'HAT'"
    )
    story.exec_driver_sql(
        "update stock_movement set ledger_sequence = ledger_sequence + 3000000"
        " where kind = 'shipped' and sku = 'HAT'"
    )
    assert judged(story, "S1").holds


@pytest.mark.parametrize(
    ("column", "stored", "ledger"),
    [("reserved", 1, 1), ("allocated", 0, 0)],
)
def test_s1_sees_a_position_that_is_not_what_its_ledger_says(
    story: sa.Connection, column: str, stored: int, ledger: int
) -> None:
    story.exec_driver_sql(
        f"update stock_position set {column}_quantity = {column}_quantity + 4 where sku = 'MUG'"
    )
    assert findings(story, "S1") == [
        {
            "wrong": f"{column} is not what the ledger says",
            "node_id": NODE,
            "sku": MUG,
            "position_quantity": stored + 4,
            "ledger_quantity": ledger,
        }
    ]


def test_s1_sees_on_hand_that_is_not_what_the_ledger_says(story: sa.Connection) -> None:
    story.exec_driver_sql("update stock_position set on_hand_quantity = 9 where sku = 'MUG'")
    (violation,) = findings(story, "S1")
    assert violation["wrong"] == "on hand is not what the ledger says"
    assert (violation["position_quantity"], violation["ledger_quantity"]) == (9, 8)


def test_s1_sees_an_order_line_that_holds_more_than_was_ordered(story: sa.Connection) -> None:
    story.exec_driver_sql(
        f"update order_line set ordered_quantity = 1, reserved_quantity = 1"
        f" where order_id = '{FIRST}' and sku = 'HAT'"
    )
    assert findings(story, "S1") == [
        {
            "wrong": "an order line holds more than was ordered",
            "order_id": str(FIRST),
            "line_number": 2,
            "sku": HAT,
            "held_quantity": 2,
            "ordered_quantity": 1,
        }
    ]


COMPONENT = (
    "insert into order_line_component (order_id, component_number, line_number, sku,"
    " quantity_per_bundle, unit_price, effective_at) values"
    " ('{order}', 1, 7, 'MUG', 1, 1, now()), ('{order}', 2, 7, 'HAT', 1, 1, now())"
)


def test_s1_sees_units_that_complete_no_bundle(story: sa.Connection) -> None:
    # The mug that the second order holds was a gift of a mug and a hat all along.
    story.exec_driver_sql(
        f"update order_line set line_number = 7, sku = 'GIFT' where order_id = '{SECOND}'"
    )
    story.exec_driver_sql(COMPONENT.format(order=SECOND))
    assert findings(story, "S1") == [
        {
            "wrong": "units are promised that complete no bundle",
            "order_id": str(SECOND),
            "line_number": 7,
            "fewest": 0,
            "most": 1,
            "left_over": 0,
        }
    ]


def test_s1_sees_bundles_that_left_and_are_not_said_to_have(story: sa.Connection) -> None:
    # Two mugs and two hats left: two gifts, which nobody was charged for.
    story.exec_driver_sql(f"delete from order_line where order_id = '{FIRST}' and sku = 'HAT'")
    story.exec_driver_sql(
        f"update order_line set line_number = 7, sku = 'GIFT' where order_id = '{FIRST}'"
    )
    story.exec_driver_sql(COMPONENT.format(order=FIRST))
    assert findings(story, "S1") == [
        {
            "wrong": "another number of bundles left than is said",
            "order_id": str(FIRST),
            "line_number": 7,
            "told_quantity": 0,
            "whole_quantity": 2,
        }
    ]


def test_s4_sees_more_bundles_told_than_their_parts_make(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "insert into bundle_component (bundle_sku, component_sku, component_number, quantity,"
        " is_unpublished, effective_at) values ('GIFT', 'MUG', 1, 2, false, now())"
    )
    story.exec_driver_sql(
        "insert into channel_availability select channel, 'GIFT', 5, 5, policy_hash,"
        " ledger_watermark, effective_at from channel_availability where sku = 'MUG'"
    )
    (violation,) = findings(story, "S4")
    assert (violation["sku"], violation["published_quantity"]) == ("GIFT", 5)
    # Seven mugs are free.
    assert violation["available_quantity"] == 3
    story.exec_driver_sql(
        "update channel_availability set published_quantity = 3 where sku = 'GIFT'"
    )
    assert judged(story, "S4").holds


def test_s1_sees_promises_below_zero(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "update reservation_movement set ledger_sequence = 1000000"
        " where kind = 'reserved' and sku = 'HAT'"
    )
    story.exec_driver_sql(
        "update reservation_movement set recorded_xid = '1' where kind = 'reserved' and sku = 'HAT'"
    )
    (violation,) = findings(story, "S1")
    assert (violation["wrong"], violation["reserved_quantity"]) == ("promises below zero", "-2")


# S2


def test_s2_sees_stock_that_no_movement_explains(story: sa.Connection) -> None:
    story.exec_driver_sql("update stock_position set on_hand_quantity = 7 where sku = 'MUG'")
    assert findings(story, "S2") == [
        {
            "wrong": "on hand is not the sum of its movements",
            "node_id": NODE,
            "sku": MUG,
            "on_hand_quantity": 7,
            "received_quantity": "10",
            "corrected_quantity": "0",
            "shipped_quantity": "-2",
        }
    ]


def test_s2_sees_a_movement_against_the_sign_of_its_kind(story: sa.Connection) -> None:
    story.exec_driver_sql("alter table stock_movement drop constraint ck_stock_movement_sign")
    story.exec_driver_sql(
        "insert into stock_movement (node_id, sku, kind, quantity, reason_code, reference_id,"
        " reference_line, occurred_at, effective_at)"
        f" select node_id, sku, 'received', -1, 'x', '{FIRST}', 1, occurred_at, effective_at"
        " from stock_movement where kind = 'received' and sku = 'MUG'"
    )
    story.exec_driver_sql("update stock_position set on_hand_quantity = 7 where sku = 'MUG'")
    (violation,) = findings(story, "S2")
    assert violation["wrong"] == "a movement has the wrong sign for its kind"
    assert (violation["kind"], violation["quantity"]) == ("received", -1)


def test_s2_sees_an_instant_with_less_than_nothing_on_hand(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "update stock_movement set ledger_sequence = 1000000"
        " where kind = 'received' and sku = 'MUG'"
    )
    (violation,) = findings(story, "S2")
    assert violation["wrong"] == "on hand below zero"
    assert (violation["sku"], violation["on_hand_quantity"]) == (MUG, "-2")


def test_s2_sees_goods_that_left_without_a_shipment(story: sa.Connection) -> None:
    story.exec_driver_sql("delete from shipment_dispatched")
    assert [v["wrong"] for v in findings(story, "S2")] == ["shipped without a shipment"] * 2


def test_s2_sees_a_shipment_that_is_not_its_movements(story: sa.Connection) -> None:
    story.exec_driver_sql("update shipment_dispatched set shipped_quantity = 5")
    assert findings(story, "S2") == [
        {
            "wrong": "a shipment is not the sum of its movements",
            "shipment_id": str(SHIPMENT),
            "shipped_quantity": 5,
            "moved_quantity": 4,
        }
    ]


def test_s2_sees_more_shipped_than_was_allocated(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "update reservation_movement set quantity = -2 where kind = 'consumed' and sku = 'MUG'"
    )
    assert findings(story, "S2") == [
        {
            "wrong": "shipped or given up more than was allocated",
            "order_id": str(FIRST),
            "line_number": 1,
            "node_id": NODE,
            "sku": MUG,
            "gone_quantity": 3,
            "allocated_quantity": 2,
        }
    ]


# S3


@pytest.mark.parametrize(
    ("corruption", "wrong", "order", "line_number"),
    [
        pytest.param(
            "delete from reservation_movement where kind = 'reserved' and sku = 'HAT'",
            "does not start exactly once",
            FIRST,
            2,
            id="an end without a start",
        ),
        pytest.param(
            "update reservation_movement set quantity = -1 where kind = 'consumed' and sku = 'HAT'",
            "is not 0 after its end",
            FIRST,
            2,
            id="an end of fewer units",
        ),
        pytest.param(
            "update reservation_movement set ledger_sequence = 0"
            " where kind = 'consumed' and sku = 'HAT'",
            "ends before it starts",
            FIRST,
            2,
            id="an end before the start",
        ),
        pytest.param(
            "update home_clock set effective_at = effective_at + interval '1 hour'",
            "is open past its expiry",
            SECOND,
            1,
            id="an expiry that did not run",
        ),
    ],
)
def test_s3_sees(
    story: sa.Connection, corruption: str, wrong: str, order: object, line_number: int
) -> None:
    story.exec_driver_sql(corruption)
    (violation,) = findings(story, "S3")
    assert violation["wrong"] == wrong
    assert (violation["order_id"], violation["line_number"]) == (str(order), line_number)


def test_s3_sees_a_reservation_that_starts_with_nothing(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "alter table reservation_movement drop constraint ck_reservation_movement_sign"
    )
    story.exec_driver_sql(
        f"update reservation_movement set quantity = 0 where order_id = '{SECOND}'"
    )
    (violation,) = findings(story, "S3")
    assert (violation["wrong"], violation["order_id"]) == ("starts with nothing", str(SECOND))


def test_s3_sees_a_reservation_that_ends_twice(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "alter table reservation_movement drop constraint pk_reservation_movement"
    )
    story.exec_driver_sql(
        "insert into reservation_movement select 1000001, order_id, line_number, node_id, sku,"
        " 'released', quantity, is_start, expires_at, effective_at, recorded_at, recorded_xid"
        " from reservation_movement where kind = 'consumed' and sku = 'HAT'"
    )
    (violation,) = findings(story, "S3")
    assert (violation["wrong"], violation["end_count"]) == ("ends more than once", 2)


def ended_pickup(story: sa.Connection, step: str) -> None:
    """The first order was one to be collected at its node, and ended so."""
    reason = "'damaged'" if step == "rejected" else "null"
    story.exec_driver_sql(
        "insert into pickup_step (order_id, attempt, step, step_number, node_id, reason_code,"
        f" occurred_at, effective_at) select order_id, 1, '{step}', 1, node_id, {reason},"
        " occurred_at, effective_at from shipment_dispatched"
    )


@pytest.mark.parametrize("step", ["rejected", "collected", "unclaimed"])
def test_s3_sees_units_that_a_pickup_holds_after_its_end(story: sa.Connection, step: str) -> None:
    ended_pickup(story, step)
    assert judged(story, "S3").holds
    story.exec_driver_sql("delete from deallocation")
    assert findings(story, "S3") == [
        {
            "wrong": "a pickup that ended still holds units",
            "order_id": str(FIRST),
            "node_id": NODE,
            "held_quantity": 1,
        }
    ]


def test_s3_sees_goods_that_lie_at_a_counter_past_their_time(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "insert into pickup (order_id, node_id, attempt, promised_ready_at, expires_at, due_at,"
        " ready_at, reminders_sent, accepts_other_store, accepts_shipping, effective_at)"
        " select order_id, node_id, 1, effective_at, (select effective_at from home_clock),"
        " effective_at, effective_at, 0, false, false, effective_at from shipment_dispatched"
    )
    assert judged(story, "S3").holds
    story.exec_driver_sql("update home_clock set effective_at = effective_at + interval '1 second'")
    assert "a pickup is held past its time" in [v["wrong"] for v in findings(story, "S3")]


# S4


def test_s4_sees_a_channel_that_was_told_more_than_there_was(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "update channel_availability set published_quantity = 8, available_quantity = 8"
        " where sku = 'MUG'"
    )
    (violation,) = findings(story, "S4")
    assert violation.pop("ledger_watermark") > 0
    assert violation == {
        "wrong": "told more than the nodes had",
        "channel": CHANNEL,
        "sku": MUG,
        "published_quantity": 8,
        "available_quantity": 7,
    }


def test_s4_looks_at_the_ledgers_as_they_were_when_the_channel_was_told(
    story: sa.Connection,
) -> None:
    # Before the dispatch ten mugs were there, four of them promised: the shop may hear six.
    story.exec_driver_sql(
        "update channel_availability set published_quantity = 6, available_quantity = 6,"
        " ledger_watermark = (select min(ledger_sequence) - 1 from stock_movement"
        " where kind = 'shipped') where sku = 'MUG'"
    )
    assert judged(story, "S4").holds
    story.exec_driver_sql(
        "update channel_availability set published_quantity = 7, available_quantity = 7"
        " where sku = 'MUG'"
    )
    (violation,) = findings(story, "S4")
    assert (violation["published_quantity"], violation["available_quantity"]) == (7, 6)


def test_s4_keeps_the_safety_of_each_node_and_nodes_that_a_channel_excludes(
    story: sa.Connection,
) -> None:
    # Fifty mugs in a store: three are kept for walk-in customers, a marketplace sees none of them.
    story.exec_driver_sql(
        "insert into stock_movement (ledger_sequence, node_id, sku, kind, quantity, reason_code,"
        " reference_id, reference_line, occurred_at, effective_at)"
        f" select 0, 'store_leeds', sku, kind, 50, 'x', '{FIRST}', 1, occurred_at, effective_at"
        " from stock_movement where kind = 'received' and sku = 'MUG'"
    )
    story.exec_driver_sql(
        "insert into stock_position (node_id, sku, on_hand_quantity)"
        " values ('store_leeds', 'MUG', 50)"
    )
    story.exec_driver_sql(
        "update channel_availability set published_quantity = 54, available_quantity = 54"
        " where sku = 'MUG'"
    )
    assert judged(story, "S4").holds
    story.exec_driver_sql("update channel_availability set channel = 'marketplace'")
    (violation,) = findings(story, "S4")
    assert violation["available_quantity"] == 7


def test_s4_sees_a_channel_told_under_a_policy_that_is_not_stored(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "update channel_availability set policy_hash = 'gone', published_quantity = 0"
        " where sku = 'HAT'"
    )
    assert findings(story, "S4") == [
        {
            "wrong": "told under a policy that is not stored",
            "channel": CHANNEL,
            "sku": HAT,
            "policy_hash": "gone",
        }
    ]


def test_s4_sees_a_stored_policy_that_cannot_be_read(story: sa.Connection) -> None:
    story.exec_driver_sql("update policy_version set document = '{}' where policy = 'inventory'")
    assert [v["wrong"] for v in findings(story, "S4")] == ["a stored policy cannot be read"]


# M1 and M2


def test_m1_sees_an_entry_that_does_not_balance(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "update journal_line set amount = 4.9999 - 10 where account_code = '2200'"
    )
    (violation,) = findings(story, "M1")
    assert violation["wrong"] == "does not balance"
    assert violation["difference_amount"] == "-0.0001"


def test_m1_sees_an_entry_that_balances_only_across_currencies(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "update journal_line set currency_code = 'EUR' where account_code = '9001'"
    )
    assert [(v["currency_code"], v["difference_amount"]) for v in findings(story, "M1")] == [
        ("EUR", "-36.0000"),
        ("GBP", "36.0000"),
    ]


def test_m1_sees_an_entry_with_one_leg(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "alter table journal_line drop constraint ck_journal_line_amount_is_not_zero"
    )
    story.exec_driver_sql(
        "delete from journal_line where entry_kind = 'authorisation' and line_number = 2"
    )
    story.exec_driver_sql("update journal_line set amount = 0 where entry_kind = 'authorisation'")
    (violation,) = findings(story, "M1")
    assert (violation["wrong"], violation["leg_count"]) == ("has fewer than two legs", 1)


def test_m1_sees_balanced_legs_that_joined_an_entry_later(story: sa.Connection) -> None:
    story.exec_driver_sql(
        "insert into journal_line (entry_id, line_number, entry_kind, business_key, account_code,"
        " amount, currency_code, legal_entity, occurred_at, effective_at)"
        " select entry_id, line_number + 2, entry_kind, business_key, account_code,"
        " amount, currency_code, legal_entity, occurred_at, effective_at"
        " from journal_line where entry_kind = 'authorisation'"
    )
    (violation,) = findings(story, "M1")
    assert (violation["wrong"], violation["leg_count"]) == (
        "lost or gained a leg after it was posted",
        4,
    )


@pytest.mark.parametrize("trigger", ["refuse_change", "refuse_unbalanced_entries"])
def test_m1_sees_a_journal_that_was_opened_to_change(story: sa.Connection, trigger: str) -> None:
    story.exec_driver_sql(f"alter table journal_line disable trigger {trigger}")
    assert findings(story, "M1") == [
        {"wrong": "the journal is open to change", "trigger_name": trigger}
    ]


def test_m2_sees_stock_that_is_worth_something_else_than_its_account(story: sa.Connection) -> None:
    story.exec_driver_sql("update product set standard_cost = 2.4999 where sku = 'MUG'")
    (violation,) = findings(story, "M2")
    assert violation["currency_code"] == "GBP"
    assert (violation["ledger_amount"], violation["stock_amount"]) == ("32.0000", "31.9992")


def test_m2_sees_stock_of_a_product_that_nobody_knows(story: sa.Connection) -> None:
    story.exec_driver_sql("update stock_position set sku = 'GHOST' where sku = 'HAT'")
    story.exec_driver_sql("update product set standard_cost = 4 where sku = 'MUG'")
    assert [v["wrong"] for v in findings(story, "M2")] == [
        "stock of a product that is not known has no value"
    ]


# M4

_PAYMENT_MOVEMENT = (
    "insert into payment_movement (payment_movement_id, order_id, payment_reference, kind, amount,"
    " currency_code, occurred_at, effective_at) select gen_random_uuid(), order_id,"
    " payment_reference, '{kind}', {amount}, currency_code, occurred_at, effective_at"
    " from payment_movement where kind = 'captured'"
)
_OWED = (
    "insert into journal_line (entry_id, line_number, entry_kind, business_key, account_code,"
    " amount, currency_code, legal_entity, occurred_at, effective_at) select gen_random_uuid(), 2,"
    " 'refund_request', 'x', '2250', {amount}, 'GBP', 'acme', occurred_at, effective_at"
    " from payment_movement where kind = 'captured'"
)


def refund(story: sa.Connection, requested: str, refunded: str, owed: str) -> None:
    """Movements of the one capture of 30.00, and what the account says is owed."""
    for kind, amount in (("refund_requested", requested), ("refunded", refunded)):
        if amount != "0":
            story.exec_driver_sql(_PAYMENT_MOVEMENT.format(kind=kind, amount=amount))
    if owed != "0":
        story.exec_driver_sql(_OWED.format(amount=f"-{owed}"))


def test_m4_holds_for_a_refund_of_all_that_was_captured(story: sa.Connection) -> None:
    refund(story, "30", "10", owed="20")
    assert judged(story, "M4").holds


@pytest.mark.parametrize(
    ("requested", "refunded", "owed"), [("30.0001", "0", "30.0001"), ("10", "10.0001", "-0.0001")]
)
def test_m4_sees_a_refund_of_more_than_was_captured_or_asked_for(
    story: sa.Connection, requested: str, refunded: str, owed: str
) -> None:
    if owed.startswith("-"):
        refund(story, requested, refunded, owed="0")
        story.exec_driver_sql(_OWED.format(amount=owed.removeprefix("-")))
    else:
        refund(story, requested, refunded, owed)
    (violation,) = findings(story, "M4")
    assert violation["wrong"] == "more was asked back or paid back than was captured"
    assert violation["captured_amount"] == "30.0000"


def test_m4_sees_an_account_that_says_something_else_than_is_owed(story: sa.Connection) -> None:
    refund(story, "12", "5", owed="6.99")
    (violation,) = findings(story, "M4")
    assert violation["wrong"] == "the refunds payable account is not what is still owed"
    assert (violation["ledger_amount"], violation["owed_amount"]) == ("6.9900", "7.0000")


def test_m4_sees_an_order_that_knows_other_refunds_than_its_payments(story: sa.Connection) -> None:
    refund(story, "12", "0", owed="12")
    story.exec_driver_sql(
        "insert into order_state (order_id, status, payable_amount, authorised_amount,"
        " capture_requested_amount, captured_amount, refund_requested_amount, effective_at)"
        " select order_id, 'unclaimed', 0, 36, 30, 30, 11, effective_at from payment_movement"
        " where kind = 'captured'"
    )
    (violation,) = findings(story, "M4")
    assert violation["wrong"] == "an order's refunds are not those of its payments"
    assert violation["order_id"] == str(FIRST)


def test_the_database_refuses_a_refund_of_more_than_was_captured(story: sa.Connection) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="refunded_within_captured"):
        story.exec_driver_sql(
            "insert into order_state (order_id, status, payable_amount, authorised_amount,"
            " capture_requested_amount, captured_amount, refund_requested_amount, effective_at)"
            " values (gen_random_uuid(), 'unclaimed', 0, 36, 30, 30, 30.0001, now())"
        )


# P1


def test_p1_sees_an_event_that_is_in_the_inbox_twice(story: sa.Connection) -> None:
    story.exec_driver_sql("alter table event_inbox drop constraint uq_event_inbox_source_event_id")
    story.exec_driver_sql(
        "update event_inbox set source = 'erp', event_id = 'receipt-1' where event_id = 'return-1'"
    )
    assert findings(story, "P1") == [
        {
            "wrong": "an event is in the inbox more than once",
            "source": "erp",
            "event_id": "receipt-1",
            "event_count": 2,
        }
    ]


@pytest.mark.parametrize(
    ("corruption", "wrong"),
    [
        (
            "delete from event_identity where event_id = 'order-2'",
            ["an event is in the inbox without its identity"],
        ),
        (
            f"delete from order_placed where order_id = '{SECOND}'",
            [
                "orders placed and order events differ",
                "an order's lines are not those that were counted",
            ],
        ),
        (
            f"update order_placed set line_count = 2 where order_id = '{SECOND}'",
            ["an order's lines are not those that were counted"],
        ),
        (
            f"delete from order_line where order_id = '{SECOND}'",
            ["an order's lines are not those that were counted"],
        ),
        (
            "update event_inbox set status = 'pending' where event_id = 'order-2'",
            ["orders placed and order events differ"],
        ),
        (
            "delete from shipment_dispatched",
            ["handovers and their events differ"],
        ),
        ("delete from shipment_delivered", ["deliveries and delivery events differ"]),
        (
            "delete from payment_movement where kind = 'captured'",
            ["captures and capture events differ"],
        ),
        (
            "insert into payment_movement select gen_random_uuid(), order_id, 'PAY-9', 'declined',"
            " amount, currency_code, occurred_at, effective_at from payment_movement"
            " where kind = 'captured'",
            ["declines and decline events differ"],
        ),
        (
            "insert into payment_movement select gen_random_uuid(), order_id, payment_reference,"
            " kind, amount, currency_code, occurred_at, effective_at from payment_movement"
            " where kind = 'authorised'",
            ["an authorisation was neither booked once nor given back"],
        ),
        (
            "delete from payment_movement where kind = 'authorised'",
            ["an authorisation was neither booked once nor given back"],
        ),
        (
            "insert into payment_movement select gen_random_uuid(), order_id, payment_reference,"
            " 'refunded', amount, currency_code, occurred_at, effective_at from payment_movement"
            " where kind = 'captured'",
            ["refunds and refund events differ"],
        ),
        (
            "insert into payment_screened (payment_screened_id, order_id, payment_reference,"
            " outcome, occurred_at, effective_at) select gen_random_uuid(), order_id,"
            " payment_reference, 'cleared', occurred_at, effective_at from payment_movement"
            " where kind = 'captured'",
            ["screenings and screening events differ"],
        ),
        (
            "insert into pickup_step (order_id, attempt, step, step_number, node_id, occurred_at,"
            " effective_at) select order_id, 1, 'ready', 1, 'store_leeds', occurred_at,"
            " effective_at from payment_movement where kind = 'captured'",
            ["goods at a counter and what their stores said differ"],
        ),
        (
            "insert into journal_line select gen_random_uuid(), line_number, entry_kind,"
            " business_key, account_code, amount, currency_code, legal_entity, occurred_at,"
            " effective_at from journal_line where entry_kind = 'revenue'",
            ["a business key was posted to the journal more than once"],
        ),
        (
            "update stock_movement set quantity = 20 where kind = 'received' and sku = 'HAT'",
            ["units received and units in receipts differ"],
        ),
        (
            "insert into command_outbox (command_id, partner, command_type, business_key,"
            " correlation_id, payload, owner, effective_at) select gen_random_uuid(), partner,"
            " command_type, business_key, correlation_id, payload, owner, effective_at"
            " from command_outbox where command_type = 'availability.publish'",
            ["the same availability was told more than once"],
        ),
        (
            "insert into command_outbox (command_id, partner, command_type, business_key,"
            " correlation_id, payload, owner, effective_at) select gen_random_uuid(), partner,"
            " command_type, business_key, correlation_id, payload, owner, effective_at"
            " from command_outbox where command_type = 'payment.capture'",
            ["a command's id is not that of its business key"],
        ),
    ],
)
def test_p1_sees_an_effect_that_is_not_there_exactly_once(
    story: sa.Connection, corruption: str, wrong: list[str]
) -> None:
    story.exec_driver_sql(corruption)
    assert [violation["wrong"] for violation in findings(story, "P1")] == wrong


def test_p1_names_the_shipment_that_no_event_explains(story: sa.Connection) -> None:
    story.exec_driver_sql("update event_inbox set status = 'pending' where event_id = 'dispatch-1'")
    assert findings(story, "P1") == [
        {
            "wrong": "handovers and their events differ",
            "fulfilment_order_id": str(FULFILMENT),
            "event_count": 0,
            "fact_count": 1,
        }
    ]


def test_p1_takes_an_authorisation_that_came_too_late_and_was_given_back(
    story: sa.Connection,
) -> None:
    story.exec_driver_sql(
        'update event_inbox set data = \'{"order_number": "1002",'
        ' "payment_reference": "PAY-LATE"}\' where event_id = \'authorised-1\''
    )
    assert len(findings(story, "P1")) == 1
    story.exec_driver_sql(
        "update command_outbox set command_type = 'payment.void',"
        " payload = '{\"payment_reference\": \"PAY-LATE\"}' where command_type = 'payment.capture'"
    )
    assert [v["wrong"] for v in findings(story, "P1")] == [
        "a command's id is not that of its business key"
    ]


# P2


@pytest.mark.parametrize(
    ("corruption", "wrong"),
    [
        (r"update decision_batch set outcome_hash = '\x00'", "is taken otherwise today"),
        (
            r"update decision_batch set inputs = '\x00'",
            "cannot be taken again: TypeError",
        ),
        (
            "update decision_batch set policy_hash = 'gone'",
            "decided under a policy that is not stored",
        ),
    ],
)
def test_p2_sees_a_decision_that_does_not_come_out_the_same(
    story: sa.Connection, corruption: str, wrong: str
) -> None:
    story.exec_driver_sql(corruption)
    assert findings(story, "P2") == [
        {"wrong": wrong, "decision_batch_id": str(BATCH), "kind": "sourcing"}
    ]


def test_p2_sees_decisions_of_a_kind_that_no_rule_takes(story: sa.Connection) -> None:
    story.exec_driver_sql("update decision_batch set kind = 'astrology'")
    story.exec_driver_sql("update decision_record set kind = 'astrology'")
    assert [v["wrong"] for v in findings(story, "P2")] == ["no rule takes decisions of this kind"]


def test_p2_sees_a_record_whose_inputs_are_gone(story: sa.Connection) -> None:
    story.exec_driver_sql("delete from decision_batch")
    violations = findings(story, "P2")
    assert {v["wrong"] for v in violations} == {"decided without stored inputs"}
    assert {v["business_key"] for v in violations} == {str(FIRST), str(SECOND)}


def test_p2_sees_a_policy_that_was_edited_in_place(story: sa.Connection) -> None:
    # The rule keeps nothing back at this node, so the decision itself comes out the same.
    story.exec_driver_sql(
        "update policy_version set document = jsonb_set(document, '{owner}', '\"nobody\"')"
        " where policy = 'order_to_fulfillment'"
    )
    assert [v["wrong"] for v in findings(story, "P2")] == [
        "a policy is not the one that its hash names"
    ]


# P7


@pytest.mark.parametrize(
    ("corruption", "wrong"),
    [
        (
            "update door_tally set duplicates = duplicates + 1"
            " where event_type = 'retail.inventory.received.v1' and accepted = 1",
            "the door's count does not add up",
        ),
        (
            "delete from event_inbox where event_id = 'delivery-1'",
            "what was accepted is not in the inbox",
        ),
        (
            "update event_inbox set waiting_reason = null where event_id = 'return-1'",
            "waits without a reason and a release",
        ),
        (
            "update event_inbox set status = 'quarantined', release_condition = null"
            " where event_id = 'return-1'",
            "was set aside without a quarantine row",
        ),
        ("delete from quarantined_event", "was refused at the door without a quarantine row"),
        (
            "delete from door_tally where event_type = 'unknown'",
            "is in quarantine and was not counted",
        ),
    ],
)
def test_p7_sees_what_was_lost(story: sa.Connection, corruption: str, wrong: str) -> None:
    story.exec_driver_sql("alter table door_tally drop constraint ck_door_tally_nothing_is_lost")
    story.exec_driver_sql(corruption)
    assert [violation["wrong"] for violation in findings(story, "P7")] == [wrong]
