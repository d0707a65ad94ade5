"""Snapshots of other systems, told to the door and held against the ledger, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.operational_store.operators import cases, resolve
from resources.policy_book import SHIPPED, FilePolicyBook
from tests.builders import (
    LEEDS,
    WAREHOUSE,
    WEB,
    Shop,
    adjustment,
    assert_all_invariants_hold,
    collected,
    count,
    minutes,
    node,
    order_placed,
    payment_authorised,
    pickup_placed,
    product,
    ready_for_pickup,
    receipt,
    shipment_dispatched,
    store_rejected,
)
from tests.inventory.stock_story import (
    acknowledgement,
    corrections,
    drift,
    quarantine,
    snapshot,
    stocked,
)

DAY = 24 * 60


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """A hundred mugs and fifty hats at the warehouse; every story ends lawfully."""
    shop = stocked(Shop(database_url), MUG=100, HAT=50)
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def sold(shop: Shop, number: str, units: int, at: float, dispatched_at: float) -> None:
    """An order of mugs that is paid and leaves the warehouse; its message may come later."""
    amount = f"{6 * units}.00"
    shop.tell(order_placed(number, ("MUG", units, "6.00"), at=at))
    shop.tell(payment_authorised(number, amount, at=at + 1))
    shop.tell(shipment_dispatched(number, (1, "MUG", units), at=dispatched_at))


def test_a_snapshot_from_before_a_sale_brings_no_sold_stock_back(shop: Shop) -> None:
    sold(shop, "A1", 8, at=0, dispatched_at=90)
    # At minute 60 the eight were still there, and the warehouse says so afterwards.
    shop.tell(snapshot("wms", 60, told_at=120, MUG=100, HAT=50))
    shop.wait_until(240)
    assert drift(shop) == []
    assert shop.position("MUG") == (92, 0, 0)
    assert shop.cases() == []
    assert shop.rows("select sku, stated_quantity, held_quantity from inventory_snapshot"
                     " order by sku") == [("HAT", 50, 50), ("MUG", 100, 100)]  # fmt: skip


def test_a_snapshot_waits_until_what_happened_by_its_time_is_known(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 8, "6.00")), payment_authorised("A1", "48.00"))
    shop.tell(snapshot("wms", 60, MUG=92, HAT=50))
    shop.wait_until(119)
    assert shop.rows("select 1 from inventory_snapshot") == []
    # The despatch of minute 50 is told only now, and explains the eight.
    shop.tell(shipment_dispatched("A1", (1, "MUG", 8), at=50))
    shop.wait_until(120)
    assert shop.value("select count(*) from inventory_snapshot") == 2
    assert drift(shop) == []


def test_a_small_difference_is_booked_with_its_journal_in_one_transaction(shop: Shop) -> None:
    shop.tell(snapshot("wms", 60, MUG=97, HAT=50))
    shop.wait_until(240)
    assert drift(shop) == [("MUG", 1, "miscount", -3)]
    assert corrections(shop) == [("MUG", "booked", -3, "-7.5000")]
    assert shop.position("MUG") == (97, 0, 0)
    assert shop.entries("inventory_adjusted") == [
        ("inventory_adjusted", "inventory", "-7.5"),
        ("inventory_adjusted", "inventory_adjustment", "7.5"),
    ]
    moved, booked = shop.rows(
        "select max(m.recorded_xid::text), max(j.recorded_xid::text)"
        " from stock_movement m, journal_line j where m.reason_code = 'reconciliation'"
        " and j.entry_kind = 'inventory_adjusted'"
    )[0]
    assert moved == booked
    # The ERP hears of it, so that its book follows; nobody has to look.
    ((_, payload),) = shop.commands("stock_adjustment.post")
    assert payload["lines"] == [{"sku": "MUG", "quantity": -3}]
    assert shop.cases() == []


def test_a_large_difference_waits_for_a_person_and_moves_nothing(shop: Shop) -> None:
    shop.tell(snapshot("wms", 60, MUG=79, HAT=50))
    shop.wait_until(240)
    assert corrections(shop) == [("MUG", "proposed", -21, "-52.5000")]
    assert shop.position("MUG") == (100, 0, 0)
    assert shop.entries("inventory_adjusted") == []
    assert shop.cases() == [("stock_correction", f"wms/{WAREHOUSE}/MUG", 1)]
    # A recount the next day finds them again: the case is over.
    shop.tell(snapshot("wms", DAY, MUG=100, HAT=50))
    shop.wait_until(DAY + 60)
    assert shop.rows("select status from exception_case") == [("closed",)]


def test_the_warehouse_is_believed_before_the_erp(shop: Shop) -> None:
    shop.tell(snapshot("erp", 60, MUG=103, HAT=50), snapshot("wms", 60, MUG=100, HAT=50))
    shop.wait_until(240)
    assert drift(shop) == [("MUG", 1, "miscount", 3)]
    # The shelves agree with us, so it is the ERP's book that is wrong.
    assert corrections(shop) == []
    assert shop.cases() == [("stock_drift", f"erp/{WAREHOUSE}/MUG", 1)]


def test_the_erp_is_believed_where_no_warehouse_speaks(shop: Shop) -> None:
    shop.tell(snapshot("erp", 60, MUG=103, HAT=50))
    shop.wait_until(240)
    assert corrections(shop) == [("MUG", "booked", 3, "7.5000")]
    assert shop.commands("stock_adjustment.post") == []


def test_a_correction_that_the_erp_could_not_know_of_is_late_and_no_case(shop: Shop) -> None:
    shop.tell(snapshot("wms", 60, MUG=97, HAT=50))
    shop.wait_until(240)
    shop.tell(snapshot("erp", 120, told_at=245, MUG=100, HAT=50))
    shop.wait_until(400)
    assert drift(shop) == [("MUG", 1, "miscount", -3), ("MUG", 1, "late", 3)]
    assert shop.position("MUG") == (97, 0, 0)
    assert shop.cases() == []


def test_a_despatch_that_comes_after_the_comparison_was_late_and_takes_its_correction_back(
    shop: Shop,
) -> None:
    shop.tell(snapshot("wms", 60, MUG=97, HAT=50))
    shop.wait_until(240)
    assert shop.position("MUG") == (97, 0, 0)
    # Three were damaged before, and the message was stuck for a day.
    shop.tell(adjustment("W1", at=30, MUG=-3))
    assert shop.position("MUG") == (94, 0, 0)
    shop.tell(snapshot("wms", DAY, MUG=97, HAT=50))
    shop.wait_until(DAY + 120)
    assert drift(shop) == [("MUG", 1, "miscount", -3), ("MUG", 2, "late", -3)]
    assert corrections(shop) == [
        ("MUG", "booked", -3, "-7.5000"),
        ("MUG", "reversed", 3, "7.5000"),
    ]
    assert shop.position("MUG") == (97, 0, 0)
    lines = [payload["lines"] for _, payload in shop.commands("stock_adjustment.post")]
    assert lines == [[{"sku": "MUG", "quantity": -3}], [{"sku": "MUG", "quantity": 3}]]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("told_by_us: [erp, tills]", {"erp": [-3, 3], "tills": [-3, 3]}),
        # So far back nobody looks any more, and what was booked stays.
        ("evidence_days: 1", {"erp": [-3]}),
    ],
)
def test_a_region_says_who_hears_of_what_is_taken_back_and_how_far_back_it_is_looked(
    database_url: str, tmp_path: Path, values: str, told: dict[str, list[int]]
) -> None:
    text = (SHIPPED / "inventory_synchronisation.yaml").read_text()
    overlay = f"overlays:\n  - scope: {{region: uk}}\n    values: {{{values}}}"
    (tmp_path / "inventory_synchronisation.yaml").write_text(text.replace("overlays: []", overlay))
    shop = stocked(Shop(database_url, FilePolicyBook(tmp_path)), MUG=100, HAT=50)
    shop.tell(snapshot("wms", 60, MUG=97, HAT=50))
    shop.wait_until(240)
    shop.tell(adjustment("W1", at=30, MUG=-3))
    units = 97 if len(told["erp"]) == 2 else 94
    shop.tell(snapshot("wms", 2 * DAY, MUG=units, HAT=50))
    shop.wait_until(2 * DAY + 120)
    heard: dict[str, list[int]] = {}
    for partner, quantity in shop.rows(
        "select partner, (payload -> 'lines' -> 0 ->> 'quantity')::int from command_outbox"
        " where command_type = 'stock_adjustment.post' order by outbox_sequence"
    ):
        heard.setdefault(partner, []).append(quantity)
    assert heard == told
    assert_all_invariants_hold(shop.engine)
    shop.close()


@pytest.mark.parametrize(
    ("late_units", "recoded", "taken_back"),
    [
        # The three of before the first snapshot say nothing of the one that was lost after it.
        (3, [("MUG", 2, "late", -3)], [("MUG", "reversed", 3, "7.5000")]),
        # Two explain two of the three.
        (
            2,
            [("MUG", 2, "late", -2), ("MUG", 2, "miscount", -1)],
            [("MUG", "reversed", 2, "5.0000")],
        ),
    ],
)
def test_a_late_movement_takes_back_the_correction_of_its_own_units_and_no_later_one(
    shop: Shop,
    late_units: int,
    recoded: list[tuple[str, int, str, int]],
    taken_back: list[tuple[str, str, int, str]],
) -> None:
    shop.tell(snapshot("wms", 60, MUG=97, HAT=50))
    shop.wait_until(240)
    shop.tell(snapshot("wms", DAY, MUG=96, HAT=50))
    shop.wait_until(DAY + 120)
    assert shop.position("MUG") == (96, 0, 0)
    shop.tell(adjustment("W1", at=30, MUG=-late_units))
    # Looked at once more a day later, it is still so.
    for day in (2, 3):
        shop.tell(snapshot("wms", day * DAY, MUG=96, HAT=50))
        shop.wait_until(day * DAY + 120)
        assert drift(shop) == [
            ("MUG", 1, "miscount", -3),
            *recoded,
            ("MUG", 1, "miscount", -1),
        ]
        assert corrections(shop) == [
            ("MUG", "booked", -3, "-7.5000"),
            *taken_back,
            ("MUG", "booked", -1, "-2.5000"),
        ]
        assert shop.position("MUG") == (96, 0, 0)


def test_a_late_movement_of_all_units_takes_back_the_corrections_of_both_snapshots(
    shop: Shop,
) -> None:
    shop.tell(snapshot("wms", 60, MUG=97, HAT=50))
    shop.wait_until(240)
    shop.tell(snapshot("wms", DAY, MUG=96, HAT=50))
    shop.wait_until(DAY + 120)
    shop.tell(adjustment("W1", at=30, MUG=-3), adjustment("W2", at=600, MUG=-1))
    shop.tell(snapshot("wms", 2 * DAY, MUG=96, HAT=50))
    shop.wait_until(2 * DAY + 120)
    assert drift(shop) == [
        ("MUG", 1, "miscount", -3),
        ("MUG", 2, "late", -3),
        ("MUG", 1, "miscount", -1),
        ("MUG", 2, "late", -1),
    ]
    assert [status for _, status, *_ in corrections(shop)] == [
        "booked",
        "reversed",
        "booked",
        "reversed",
    ]
    assert shop.position("MUG") == (96, 0, 0)


def test_goods_that_left_without_a_message_are_late_then_lost(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 8, "6.00")), payment_authorised("A1", "48.00"))
    shop.tell(snapshot("wms", DAY, MUG=92, HAT=50))
    shop.wait_until(DAY + 120)
    assert drift(shop) == [("MUG", 1, "late", -8)]
    assert shop.cases() == []
    shop.tell(snapshot("wms", 3 * DAY, MUG=92, HAT=50))
    shop.wait_until(3 * DAY + 120)
    assert drift(shop)[1:] == [("MUG", 1, "lost", -8)]
    assert shop.cases() == [("stock_drift", f"wms/{WAREHOUSE}/MUG", 1)]
    # It comes at last: both days are explained, and the next snapshot agrees.
    shop.tell(shipment_dispatched("A1", (1, "MUG", 8), at=DAY - 60))
    shop.tell(snapshot("wms", 4 * DAY, MUG=92, HAT=50))
    shop.wait_until(4 * DAY + 120)
    assert drift(shop) == [
        ("MUG", 1, "late", -8),
        ("MUG", 1, "lost", -8),
        ("MUG", 2, "late", -8),
    ]
    assert shop.rows("select status from exception_case") == [("closed",)]


def test_a_despatch_that_is_told_late_is_late_at_the_erp_too_and_no_case(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 8, "6.00")), payment_authorised("A1", "48.00"))
    shop.clock.advance(minutes(3 * DAY))
    shop.tell(shipment_dispatched("A1", (1, "MUG", 8), at=30))
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("update command_outbox set status = 'delivered'")
    # The ERP spoke of yesterday before it could hear of what left the day before that.
    shop.tell(snapshot("erp", 2 * DAY, MUG=100, HAT=50))
    shop.wait_until(3 * DAY + 60)
    assert drift(shop) == [("MUG", 1, "late", 8)]
    assert shop.cases() == []


def test_a_receipt_that_waits_for_its_product_is_late(shop: Shop) -> None:
    mixed = receipt("GR-1", at=10, MUG=5, NEW=1)
    shop.tell(mixed)
    shop.tell(snapshot("wms", 60, MUG=105, HAT=50))
    shop.wait_until(240)
    assert drift(shop) == [("MUG", 1, "late", 5)]
    shop.tell(product("NEW"))
    assert shop.position("MUG") == (105, 0, 0)


def test_a_receipt_that_was_told_twice_under_two_ids_is_a_duplicate(shop: Shop) -> None:
    shop.tell(receipt("GR-1", at=10, MUG=5))
    shop.tell({**receipt("GR-1", at=10, MUG=5), "id": "again"})
    shop.tell(snapshot("erp", 60, MUG=110, HAT=50))
    shop.wait_until(240)
    assert drift(shop) == [("MUG", 1, "duplicate", 5)]
    assert shop.cases() == [("stock_drift", f"erp/{WAREHOUSE}/MUG", 1)]


def test_a_despatch_that_the_erp_was_not_sent_is_late_and_one_it_refused_is_lost(
    shop: Shop,
) -> None:
    sold(shop, "A1", 8, at=0, dispatched_at=30)
    shop.tell(snapshot("erp", 60, MUG=100, HAT=50))
    shop.wait_until(240)
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("update command_outbox set status = 'dead'")
    shop.tell(snapshot("erp", 300, MUG=100, HAT=50))
    shop.wait_until(500)
    assert drift(shop) == [("MUG", 1, "late", 8), ("MUG", 1, "lost", 8)]


@pytest.mark.parametrize(("booked", "reason"), [(0, "late"), (2, "duplicate")])
def test_a_despatch_that_the_erp_took_and_did_not_book_once(
    shop: Shop, booked: int, reason: str
) -> None:
    sold(shop, "A1", 8, at=0, dispatched_at=30)
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("update command_outbox set status = 'delivered'")
    shop.tell(snapshot("erp", 60, MUG=100 - 8 * booked, HAT=50))
    shop.wait_until(240)
    assert drift(shop) == [("MUG", 1, reason, 8 if booked == 0 else -8)]


def test_a_despatch_that_was_booked_is_not_lost_when_another_like_it_is_late(shop: Shop) -> None:
    def delivered() -> None:
        with shop.engine.begin() as connection:
            connection.exec_driver_sql("update command_outbox set status = 'delivered'")

    sold(shop, "A1", 8, at=0, dispatched_at=30)
    delivered()
    shop.tell(snapshot("erp", 60, MUG=92, HAT=50))
    shop.wait_until(4 * DAY)
    sold(shop, "A2", 8, at=4 * DAY, dispatched_at=4 * DAY + 30)
    delivered()
    # Four days later eight are missing again: not those, which both books have agreed about.
    shop.clock.advance(minutes(4 * DAY + 60))
    shop.tell(snapshot("erp", 4 * DAY + 120, MUG=92, HAT=50))
    shop.wait_until(4 * DAY + 240)
    assert drift(shop) == [("MUG", 1, "late", 8)]
    assert shop.cases() == []


def test_a_recount_takes_back_what_the_warehouses_own_word_had_corrected(shop: Shop) -> None:
    shop.tell(snapshot("wms", 60, MUG=97, HAT=50))
    shop.wait_until(240)
    shop.tell(snapshot("wms", DAY, MUG=100, HAT=50), snapshot("erp", DAY, MUG=97, HAT=50))
    shop.wait_until(DAY + 120)
    # The ERP was told of the three and follows; the warehouse need not be told its own word.
    assert drift(shop) == [("MUG", 1, "miscount", -3), ("MUG", 1, "miscount", 3)]
    assert corrections(shop) == [
        ("MUG", "booked", -3, "-7.5000"),
        ("MUG", "booked", 3, "7.5000"),
    ]
    assert shop.position("MUG") == (100, 0, 0)
    assert shop.balance("inventory_adjustment") == 0
    assert shop.cases() == []


@pytest.mark.parametrize("reason", ["not_found", "damaged"])
def test_a_refused_pickup_that_we_heard_of_late_is_late_at_the_erp_and_no_case(
    shop: Shop, reason: str
) -> None:
    shop.tell(count(LEEDS, MUG=5))
    shop.tell(pickup_placed("A1", ("MUG", 1, "6.00")), payment_authorised("A1", "6.00"))
    shop.clock.advance(minutes(DAY))
    shop.tell(store_rejected("A1", reason, (1, "MUG", 1), at=20))
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("update command_outbox set status = 'delivered'")
    # The store knew on the day before; the ERP hears from us that a mug is gone.
    shop.tell(snapshot("erp", 120, node_id=LEEDS, told_at=480, MUG=5))
    shop.wait_until(DAY + 60)
    assert drift(shop) == [("MUG", 1, "late", 1)]
    assert [case for case, *_ in shop.cases()] == ["pickup_not_fulfilled"]


def test_a_pickup_that_the_warehouse_had_not_heard_of_is_late_and_moves_no_stock(
    shop: Shop,
) -> None:
    shop.tell(count(LEEDS, MUG=5))
    shop.tell(pickup_placed("A1", ("MUG", 2, "6.00")), payment_authorised("A1", "12.00"))
    shop.clock.advance(minutes(480))
    # Handed over at the counter in the evening, told in the morning; the shelves' system has both.
    shop.tell(ready_for_pickup("A1"), collected("A1", (1, "MUG", 2), at=300))
    shop.tell(snapshot("wms", 360, node_id=LEEDS, told_at=480, MUG=5))
    shop.wait_until(600)
    assert drift(shop) == [("MUG", 1, "late", 2)]
    assert corrections(shop) == []
    assert shop.position("MUG", LEEDS) == (3, 0, 0)
    assert shop.cases() == []


def test_a_supplier_is_believed_about_what_he_ships_for_us(shop: Shop) -> None:
    mill = "supplier_northmill"
    shop.tell(node(mill), count(mill, MUG=20))
    shop.tell(snapshot("supplier", 60, node_id=mill, MUG=18))
    shop.wait_until(240)
    assert corrections(shop) == [("MUG", "booked", -2, "-5.0000")]
    assert shop.position("MUG", mill) == (18, 0, 0)
    assert shop.cases() == []


def test_a_quantity_in_cases_is_a_unit_of_measure_and_corrects_nothing(shop: Shop) -> None:
    lines = [
        {"sku": "MUG", "quantity": 5, "units_per_case": 20},
        {"sku": "HAT", "quantity": 5, "unit_of_measure": "case", "units_per_case": 10},
    ]
    shop.tell(snapshot("wms", 60, lines=lines))
    shop.wait_until(240)
    assert drift(shop) == [("MUG", 1, "unit_of_measure", -95)]
    assert corrections(shop) == []
    assert shop.cases() == [("stock_drift", f"wms/{WAREHOUSE}/MUG", 1)]


def test_promised_units_that_are_not_there_are_oversold_and_customers_are_looked_after(
    shop: Shop,
) -> None:
    shop.tell(order_placed("A1", ("HAT", 48, "6.00")))
    shop.tell(snapshot("wms", 10, MUG=100, HAT=40))
    shop.clock.advance(minutes(71))
    # Before the reservation runs out, which the next look at promises would notice.
    shop.store.reconcile()
    # Two of the fifty were free; eight of the forty-eight promised are not there.
    assert drift(shop) == [("HAT", 1, "miscount", -2), ("HAT", 1, "oversell", -8)]
    assert corrections(shop) == [("HAT", "booked", -10, "-25.0000")]
    assert [case for case, *_ in shop.cases()] == ["shortage_after_count"]


# Several snapshots at once


@pytest.mark.parametrize("together", [False, True])
def test_two_snapshots_told_together_do_what_they_do_told_one_by_one(
    shop: Shop, together: bool
) -> None:
    # Twenty hats are said to be left, too few to book unasked; the next day they are all there.
    shop.tell(snapshot("wms", 60, MUG=97, HAT=20))
    if not together:
        shop.wait_until(240)
    shop.tell(snapshot("wms", DAY, MUG=95, HAT=50))
    shop.wait_until(DAY + 120)
    assert drift(shop) == [
        ("HAT", 1, "miscount", -30),
        ("MUG", 1, "miscount", -3),
        ("MUG", 1, "miscount", -2),
    ]
    assert corrections(shop) == [
        ("HAT", "proposed", -30, "-75.0000"),
        ("MUG", "booked", -3, "-7.5000"),
        ("MUG", "booked", -2, "-5.0000"),
    ]
    assert shop.position("MUG") == (95, 0, 0)
    assert shop.position("HAT") == (50, 0, 0)
    assert shop.entries("inventory_adjusted") == [
        ("inventory_adjusted", "inventory", "-7.5"),
        ("inventory_adjusted", "inventory_adjustment", "7.5"),
        ("inventory_adjusted", "inventory", "-5"),
        ("inventory_adjusted", "inventory_adjustment", "5"),
    ]
    assert endings(shop) == [("stock_correction", "closed", "wms agrees again")]


def test_a_loss_that_warehouse_and_erp_both_state_in_one_batch_is_booked_once(shop: Shop) -> None:
    shop.tell(snapshot("erp", 60, MUG=97, HAT=50), snapshot("wms", 120, MUG=97, HAT=50))
    shop.wait_until(240)
    assert drift(shop) == [("MUG", 1, "miscount", -3)]
    assert corrections(shop) == [("MUG", "booked", -3, "-7.5000")]
    assert shop.position("MUG") == (97, 0, 0)
    assert shop.cases() == []


def test_a_snapshot_that_is_sent_again_under_another_number_books_nothing_twice(
    shop: Shop,
) -> None:
    shop.tell(
        snapshot("wms", 60, document="one", MUG=97, HAT=50),
        snapshot("wms", 60, document="two", MUG=97),
    )
    shop.wait_until(240)
    assert corrections(shop) == [("MUG", "booked", -3, "-7.5000")]
    assert shop.position("MUG") == (97, 0, 0)
    assert shop.cases() == []


@pytest.mark.parametrize("together", [False, True])
def test_a_case_ends_as_the_last_snapshot_of_a_batch_leaves_it(shop: Shop, together: bool) -> None:
    cases_as_units = [{"sku": "MUG", "quantity": 5, "units_per_case": 20}]
    shop.tell(snapshot("wms", 60, lines=cases_as_units))
    if not together:
        shop.wait_until(240)
    shop.tell(snapshot("wms", DAY, MUG=100))
    shop.wait_until(DAY + 120)
    assert drift(shop) == [("MUG", 1, "unit_of_measure", -95)]
    assert endings(shop) == [("stock_drift", "closed", "wms agrees again")]


# How cases end


def endings(shop: Shop) -> list[tuple[str, str, str | None]]:
    """(case type, status, resolution) of every case."""
    return shop.rows(  # type: ignore[return-value]
        "select case_type, status, resolution from exception_case order by 1, 2"
    )


@pytest.mark.parametrize(
    ("mugs", "resolution"),
    [
        (105, "wms still differs, which no correction cures: late"),
        (97, "our books were corrected as wms says"),
        (79, "a correction of our books as wms says was proposed"),
    ],
)
def test_a_case_about_drift_ends_with_what_became_of_it(
    shop: Shop, mugs: int, resolution: str
) -> None:
    shop.tell(snapshot("wms", 60, lines=[{"sku": "MUG", "quantity": 5, "units_per_case": 20}]))
    shop.wait_until(240)
    assert endings(shop) == [("stock_drift", "open", None)]
    # Five mugs came with a product that nobody knows: their receipt waits.
    shop.tell(receipt("GR-1", at=250, MUG=5, NEW=1))
    shop.tell(snapshot("wms", 300, MUG=mugs))
    shop.wait_until(400)
    assert ("stock_drift", "closed", resolution) in endings(shop)


def test_a_proposal_that_a_stronger_system_overrules_ends_so(shop: Shop) -> None:
    shop.tell(snapshot("erp", 60, MUG=79, HAT=50))
    shop.wait_until(240)
    shop.tell(snapshot("wms", 250, MUG=100, HAT=50))
    shop.tell(snapshot("erp", 300, MUG=79, HAT=50))
    shop.wait_until(400)
    assert endings(shop) == [
        (
            "stock_correction",
            "closed",
            "erp still differs, and its word does not move our books",
        ),
        ("stock_drift", "open", None),
    ]


# What is held or refused


def test_a_feed_that_empties_the_warehouse_is_held_whole_until_a_person_releases_it(
    database_url: str,
) -> None:
    shop = stocked(Shop(database_url), MUG=3, HAT=3, BOWL=3, VASE=3)
    shop.tell(snapshot("wms", 60, document="night", MUG=0, HAT=0, BOWL=3, VASE=1))
    shop.wait_until(240)
    key = f"wms/{WAREHOUSE}/night"
    assert shop.cases() == [("snapshot_mass_drop", key, 1)]
    assert shop.rows("select 1 from inventory_snapshot") == []
    assert shop.position("VASE") == (3, 0, 0)
    ((status, reason),) = shop.rows(
        "select status, waiting_reason from event_inbox where event_id = 'snapshot-night'"
    )
    assert (status, reason) == ("waiting", "mass_drop")
    with shop.store.transaction() as connection:
        (held,) = cases(connection, with_closed=False)
        assert (held["owner"], held["reason"]) == (
            "stock_control",
            "2 of 4 SKUs in stock are said to be gone",
        )
        closed = resolve(connection, str(held["case_id"]), "the aisle was cleared", minutes(DAY))
    assert closed["released"] == 1
    shop.wait_until(241)
    assert shop.position("MUG") == (0, 0, 0)
    assert shop.position("VASE") == (1, 0, 0)
    assert [(sku, units) for sku, _, _, units in drift(shop)] == [
        ("HAT", -3),
        ("MUG", -3),
        ("VASE", -2),
    ]
    assert_all_invariants_hold(shop.engine)
    shop.close()


@pytest.mark.parametrize(
    ("at", "told_at", "reason"),
    [
        (400, 60, "snapshot_from_the_future"),
        (-8 * DAY, 60, "snapshot_too_old"),
        (-365 * DAY, 60, "snapshot_too_old"),
    ],
)
def test_a_snapshot_from_the_future_or_of_long_ago_is_refused(
    shop: Shop, at: float, told_at: float, reason: str
) -> None:
    shop.tell(snapshot("wms", at, told_at=told_at, MUG=1, HAT=1))
    shop.wait_until(240)
    assert quarantine(shop) == [reason]
    assert shop.rows("select 1 from inventory_snapshot") == []
    assert shop.position("MUG") == (100, 0, 0)


def test_a_snapshot_is_compared_once_and_not_after_a_newer_one(shop: Shop) -> None:
    shop.tell(snapshot("wms", 60, document="one", MUG=100, HAT=50))
    shop.wait_until(240)
    again = snapshot("wms", 60, document="one", MUG=90, HAT=50)
    shop.tell({**again, "id": "again"}, snapshot("wms", 30, document="older", MUG=90))
    shop.wait_until(300)
    assert quarantine(shop) == ["document_already_compared", "snapshot_overtaken"]
    assert drift(shop) == []


def test_skus_that_nobody_knows_are_left_out_with_a_case(shop: Shop) -> None:
    shop.tell(snapshot("wms", 60, document="one", MUG=100, GHOST=7))
    shop.wait_until(240)
    assert shop.rows("select sku from inventory_snapshot") == [("MUG",)]
    assert shop.cases() == [("snapshot_of_unknown_skus", f"wms/{WAREHOUSE}/one", 1)]


def test_a_node_without_stock_is_compared_with_nothing(shop: Shop) -> None:
    shop.tell(snapshot("wms", 60, node_id=LEEDS, MUG=2))
    shop.wait_until(240)
    assert drift(shop) == [("MUG", 1, "miscount", 2)]
    assert shop.position("MUG", LEEDS) == (2, 0, 0)


# Channels


def told(shop: Shop, channel: str = WEB) -> list[tuple[str, str, int]]:
    """(publication, SKU, units) that a channel was told, oldest first."""
    return shop.rows(  # type: ignore[return-value]
        "select publication_id::text, sku, published_quantity from availability_published"
        " where channel = :channel order by effective_at, sku",
        channel=channel,
    )


def test_a_channel_that_shows_what_it_was_told_agrees(shop: Shop) -> None:
    shop.wait_until(60)
    shop.tell(snapshot(WEB, 120, channel=WEB, MUG=50, HAT=48))
    shop.wait_until(240)
    assert drift(shop) == []
    assert shop.value("select count(*) from inventory_snapshot where channel = 'web_shop'") == 2


def test_a_channel_that_offers_too_much_is_told_again(shop: Shop) -> None:
    shop.wait_until(60)
    before = len(told(shop))
    shop.tell(snapshot(WEB, 120, channel=WEB, MUG=50, HAT=60))
    shop.wait_until(240)
    assert drift(shop) == [("HAT", 1, "oversell", 12)]
    assert shop.cases() == [("stock_drift", f"{WEB}/{WEB}/HAT", 1)]
    assert [line[1:] for line in told(shop)[before:]] == [("HAT", 48)]
    shop.tell(snapshot(WEB, 300, channel=WEB, MUG=50, HAT=48))
    shop.wait_until(400)
    assert shop.rows("select status from exception_case") == [("closed",)]


@pytest.mark.parametrize(
    ("heard_at", "reason"), [(None, "late"), (130, "late"), (100, "out_of_order")]
)
def test_a_channel_that_shows_the_level_before_the_last(
    shop: Shop, heard_at: float | None, reason: str
) -> None:
    shop.wait_until(60)
    shop.tell(receipt("GR-1", at=70, HAT=1))
    shop.wait_until(90)
    publication = told(shop)[-1][0]
    if heard_at is not None:
        shop.tell(acknowledgement(publication, heard_at))
    # At minute 120 it shows 48 hats; it had been told 49 at minute 90.
    shop.tell(snapshot(WEB, 120, channel=WEB, MUG=50, HAT=48))
    shop.wait_until(240)
    assert drift(shop) == [("HAT", 1, reason, -1)]


def test_an_acknowledgement_is_kept_once_and_an_unknown_one_is_refused(shop: Shop) -> None:
    shop.wait_until(60)
    publication = told(shop)[0][0]
    shop.tell(acknowledgement(publication, 61), acknowledgement(publication, 63))
    ghost = "00000000-0000-5000-8000-000000000000"
    shop.tell(acknowledgement(ghost, 62))
    rows = shop.rows("select publication_id::text, occurred_at from availability_acknowledged")
    assert rows == [(publication, minutes(61))]
    assert quarantine(shop) == ["unknown_publication"]


def test_latency_counts_from_the_earliest_event_that_channels_have_not_heard_of(
    shop: Shop,
) -> None:
    shop.wait_until(60)
    shop.tell(receipt("GR-1", at=70, HAT=1), receipt("GR-2", at=65, HAT=1))
    shop.wait_until(90)
    last = shop.rows(
        "select sku, occurred_at, effective_at from availability_published"
        " where channel = 'b2b' order by effective_at desc, sku limit 1"
    )
    assert last == [("HAT", minutes(65), minutes(90))]


def test_goods_that_leave_as_they_were_promised_are_no_news_to_a_channel(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("HAT", 2, "6.00"), at=5), payment_authorised("A1", "12.00"))
    shop.wait_until(60)
    before = len(told(shop))
    shop.tell(shipment_dispatched("A1", (1, "HAT", 2), at=30))
    assert shop.value("select count(*) from stock_position where is_unpublished") == 0
    shop.wait_until(90)
    assert len(told(shop)) == before


def test_a_brand_has_buffers_of_its_own_in_its_channel(database_url: str, tmp_path: Path) -> None:
    text = (SHIPPED / "inventory.yaml").read_text()
    text = text.replace(
        "overlays: []",
        "overlays:\n  - scope: {brand: house, region: uk}\n"
        "    values: {channels: {web_shop: {threshold_quantity_each: 9}}}",
    )
    (tmp_path / "inventory.yaml").write_text(text)
    shop = stocked(Shop(database_url, FilePolicyBook(tmp_path)), HAT=30)
    shop.wait_until(60)
    assert [units for _, _, units in told(shop)] == [21]
    assert [units for _, _, units in told(shop, "b2b")] == [30]
    ((_, payload),) = [
        sent for sent in shop.commands("availability.publish") if sent[1]["channel"] == WEB
    ]
    assert (payload["legal_entity"], payload["brand"], payload["region"]) == (
        "retailer_uk",
        "house",
        "uk",
    )
    assert_all_invariants_hold(shop.engine)
    shop.close()
