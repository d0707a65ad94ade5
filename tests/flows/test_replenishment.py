"""From a demand to a proposal, an order, a dock for what comes, and the goods on the shelf."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from assets.approvals.service import decide
from assets.procure_to_stock.planning import Planned
from assets.procure_to_stock.rules.demand import history
from resources.operational_store.invariants import check
from resources.operational_store.people import put_person, read_people
from resources.operational_store.replenishment import positions
from resources.replenishment_planning import Demand, plan_for
from tests.builders import (
    OPENING,
    WAREHOUSE,
    Event,
    Shop,
    assert_all_invariants_hold,
    count,
    event,
    minutes,
    node,
    product,
)
from tests.procure_to_stock.documents import SUPPLIER, goods, purchase_order, supplier

MINUTE = timedelta(minutes=1)


def sells(*items: dict[str, Any], supplier_id: str = SUPPLIER, at: float = -50) -> Event:
    data = {
        "document_number": f"terms-{supplier_id}-{at}",
        "supplier_id": supplier_id,
        "currency": "GBP",
        "items": [{"unit_price": "2.00", "lead_time_days": 8, **item} for item in items],
    }
    identity = f"terms-{supplier_id}-{at}"
    return event("retail.supplier.terms_set.v1", identity, supplier_id, at, data=data)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Mugs by the dozen, of one supplier; every story ends lawfully."""
    shop = Shop(database_url)
    shop.tell(
        node(WAREHOUSE),
        product("MUG", cost="2.00"),
        supplier(),
        sells({"sku": "MUG", "minimum_quantity": 10, "case_quantity": 12}),
    )
    with shop.engine.begin() as connection:
        put_person(connection, "pia", ("purchasing_lead",), ("purchasing",))
        put_person(connection, "hugo", ("head_of_operations",), ("operations",))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def demand(units: int = 20, days: int = 84) -> Demand:
    """So many mugs a day, now and then one more or less."""
    last = date(2026, 3, 1)
    first = last - timedelta(days=days - 1)
    random = np.random.default_rng(4)
    daily = pd.DataFrame(
        {
            "region": "uk",
            "sku": "MUG",
            "demand_date": [first + timedelta(days=day) for day in range(days)],
            "ordered_quantity": units + random.integers(-2, 3, days),
            "largest_line_quantity": 3,
            "is_out_of_stock": False,
            "is_promoted": False,
        }
    )
    shares = pd.DataFrame({"region": ["uk"], "node_id": [WAREHOUSE], "share": [1.0]})
    return Demand(history(daily, ["region", "sku"], first, last), shares, last)


def planned(shop: Shop, wanted: Demand | None = None) -> Planned:
    result = plan_for(shop.store, wanted or demand())
    shop.store.drain_all()
    return result


def ordered(shop: Shop) -> list[dict[str, Any]]:
    return [payload for _, payload in shop.commands("purchase_order.create")]


def consent(shop: Shop, person: str, decision: str = "approved") -> None:
    with shop.store.unit_of_work() as unit_of_work:
        people = read_people(unit_of_work.connection)
        for (approval_id,) in shop.rows(
            "select approval_id::text from approval_request where status = 'pending'"
        ):
            decide(approval_id, people[person], decision, "looked at it", unit_of_work)
    shop.store.drain_all()


def test_a_small_need_is_ordered_without_asking(shop: Shop) -> None:
    result = planned(shop, demand(units=5))
    assert (result.proposals, result.requisitions, result.waiting) == (1, 1, 0)
    [order] = ordered(shop)
    [line] = order["lines"]
    assert (order["supplier_id"], order["node_id"], line["sku"]) == (SUPPLIER, WAREHOUSE, "MUG")
    assert line["quantity"] % 12 == 0
    assert line["unit_price"] == "2.0000"
    assert order["approved_by"] == "policy:replenishment"


def test_what_was_proposed_is_proposed_once_however_often_it_is_planned(shop: Shop) -> None:
    first = planned(shop)
    again = planned(shop)
    assert (first.proposals, first.waiting) == (1, 1)
    assert (again.proposals, again.requisitions) == (0, 0)
    assert ordered(shop) == []
    [(quantity,)] = shop.rows("select order_quantity from replenishment_proposal")
    consent(shop, "pia")
    [order] = ordered(shop)
    assert order["lines"][0]["quantity"] == quantity
    assert order["approved_by"] == "pia"
    # Asked for and not placed yet: still nothing is missing.
    assert planned(shop).proposals == 0
    line = ("1", "MUG", quantity, "2.00")
    placed = purchase_order("P1", line, requisition_id=order["requisition_id"])
    shop.tell(placed)
    assert planned(shop).proposals == 0
    # Now it is on order, and no longer requested.
    [(node_position,)] = shop.rows("select position_quantity from replenishment_level")
    assert node_position == quantity


def test_what_is_denied_is_proposed_anew(shop: Shop) -> None:
    planned(shop)
    consent(shop, "pia", "denied")
    assert ordered(shop) == []
    assert planned(shop).proposals == 1


def test_two_plans_in_one_transaction_each_see_nothing_of_a_plan_that_was_undone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("assets.procure_to_stock.planning._ask", killed)
        with pytest.raises(KeyboardInterrupt):
            planned(shop)
    assert shop.rows("select count(*) from replenishment_proposal") == [(0,)]
    assert planned(shop).proposals == 1


def broken_consent(shop: Shop, statement: str) -> set[str]:
    """What P4 says after a statement, past the triggers that would refuse it."""
    with shop.engine.connect() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        connection.execute(sa.text(statement))
        [result] = check(connection, ["P4"])
        connection.rollback()
    return {str(violation["wrong"]) for violation in result.violations}


@pytest.mark.parametrize(
    ("wrong", "statement"),
    [
        (
            "something was ordered that nobody consented to",
            "delete from requisition_decided",
        ),
        (
            "a requisition was decided about another amount than it is worth",
            "update requisition_decided set total_amount = 1",
        ),
        (
            "a requisition was decided otherwise than people decided",
            "update approval_request set status = 'denied'",
        ),
    ],
)
def test_an_order_without_consent_breaks_a_law(shop: Shop, wrong: str, statement: str) -> None:
    planned(shop)
    consent(shop, "pia")
    assert len(ordered(shop)) == 1
    assert broken_consent(shop, "select 1") == set()
    assert wrong in broken_consent(shop, statement)


def test_a_requisition_of_another_amount_was_not_consented_to(shop: Shop) -> None:
    planned(shop)
    [(requisition,)] = shop.rows("select requisition_id::text from replenishment_proposal")
    said = {"requisition_id": requisition, "total_amount": "1.00", "decision": "approved"}
    words = {"decided_by": "pia", "reason": "cheap"}
    shop.tell(event("retail.requisition.decided.v1", "forged", requisition, 5, data=said | words))
    assert ordered(shop) == []
    assert [case[0] for case in shop.cases()] == ["release_not_asked_for"]


def test_nothing_is_ordered_of_a_supplier_whose_account_is_not_confirmed(shop: Shop) -> None:
    shop.tell(supplier(at=1, bank_account="GB29NWBK60161331926819"))
    result = planned(shop)
    assert (result.proposals, result.without_supplier) == (0, 1)


def test_a_supplier_who_never_comes_in_time_gets_no_further_orders(shop: Shop) -> None:
    lines = tuple((str(number), "MUG", 1, "2.00") for number in range(20))
    shop.tell(purchase_order("P1", *lines, at=0, due=60))
    shop.tell(goods("P1", *((number, 1, 0) for number, *_ in lines), at=1_440))
    shop.wait_until(2_880)
    assert planned(shop).without_supplier == 1
    said = "select supplier_id, standing, due_line_count, good_line_count from supplier_standing"
    assert shop.rows(said) == [(SUPPLIER, "prevent", 20, 0)]
    assert ("supplier_standing", SUPPLIER, 1) in shop.cases()
    # Said once, and taken back when they have come in time long enough.
    planned(shop)
    assert len(shop.rows(said)) == 1
    better = tuple((str(number), "MUG", 1, "2.00") for number in range(180))
    shop.tell(purchase_order("P2", *better, at=1_500, due=2_700))
    shop.tell(goods("P2", *((number, 1, 0) for number, *_ in better), at=2_600))
    planned(shop)
    assert shop.rows(said)[1:] == [(SUPPLIER, "good", 200, 180)]
    ended = "select status from exception_case where case_type = 'supplier_standing'"
    assert shop.rows(ended) == [("closed",)]


def test_the_lead_time_is_learnt_from_what_came(shop: Shop) -> None:
    for number in range(8):
        order = purchase_order(f"P{number}", ("1", "MUG", 1, "2.00"), at=number, due=99_999)
        shop.tell(order, goods(f"P{number}", ("1", 1, 0), at=number + 1_440 * (3 + number % 2)))
    planned(shop)
    [(days, deviation)] = shop.rows(
        "select lead_time_days, lead_time_deviation_days from replenishment_level"
    )
    assert days == pytest.approx(3.5)
    assert deviation == pytest.approx(0.5345, abs=1e-4)


def test_a_plan_keeps_what_it_rests_on(shop: Shop) -> None:
    planned(shop)
    [row] = shop.rows(
        "select demand_class, round(daily_demand), safety_stock_quantity, reorder_point_quantity,"
        " target_quantity, needed_quantity, order_quantity, lead_time_days from"
        " replenishment_proposal"
    )
    demand_class, daily, safety, reorder_point, target, needed, quantity, days = row
    assert (demand_class, daily, days) == ("smooth", 20, 8)
    assert reorder_point == pytest.approx(20 * 9 + safety, abs=4)
    assert target == pytest.approx(reorder_point + 280, abs=10)
    assert needed == target
    assert quantity == -(-needed // 12) * 12
    chosen = shop.rows("select model from forecast_model where is_chosen")
    assert len(chosen) == 1


# Acknowledgement, despatch, receiving plan


def despatch(
    number: str, order: str, *lines: tuple[str, int], expected: float = 2_880, at: float = 60
) -> Event:
    data = {
        "document_number": number,
        "purchase_order_id": order,
        "supplier_id": SUPPLIER,
        "node_id": WAREHOUSE,
        "expected_at": minutes(expected).isoformat(),
        "lines": [
            {"line_number": place, "purchase_order_line_id": line, "quantity": units}
            for place, (line, units) in enumerate(lines, 1)
        ],
    }
    return event("retail.goods.despatched.v1", f"despatch-{number}", order, at, data=data)


def slots(shop: Shop) -> list[tuple[Any, ...]]:
    """(order, dock, minutes from the start to its beginning and end, work)."""
    return [
        (
            order,
            dock,
            (start - OPENING).total_seconds() / 60,
            (end - OPENING).total_seconds() / 60,
            work,
        )
        for order, dock, start, end, work in shop.rows(
            "select purchase_order_id, dock_number, starts_at, ends_at, labour_minutes"
            " from receiving_slot order by starts_at, dock_number"
        )
    ]


def test_what_is_on_its_way_gets_a_dock_a_time_and_people(shop: Shop) -> None:
    shop.tell(purchase_order("P1", ("1", "MUG", 600, "2.00")), despatch("D1", "P1", ("1", 600)))
    [(order, dock, start, end, work)] = slots(shop)
    # 20 minutes for the lorry, 3 for the line, half an hour for six hundred units; two people.
    assert (order, dock, work, end - start) == ("P1", 1, 53, 60)
    assert start >= 2_880
    [(_, told)] = shop.commands("receiving_plan.update")
    assert (told["dock_number"], told["labour_minutes"]) == (1, 53)
    assert told["lines"] == [{"sku": "MUG", "quantity": 600}]


def test_a_dock_is_given_out_once_and_the_same_advice_again_changes_nothing(shop: Shop) -> None:
    shop.tell(purchase_order("P1", ("1", "MUG", 600, "2.00")))
    for number in ("D1", "D2", "D3"):
        shop.tell(despatch(number, "P1", ("1", 100)))
    first, second, third = slots(shop)
    assert (first[1], second[1], third[1]) == (1, 2, 1)
    assert first[2] == second[2]
    assert third[2] == first[3]
    again = despatch("D1", "P1", ("1", 100), at=61)
    again["id"] = "despatch-D1-again"
    shop.tell(again)
    assert len(slots(shop)) == 3


def test_a_delivery_that_no_dock_is_free_for_is_somebodys_case(shop: Shop) -> None:
    # A whole fortnight of both docks: ten hours a day of two people each.
    shop.tell(purchase_order("P1", ("1", "MUG", 900_000, "2.00")))
    for number in range(1, 30):
        shop.tell(despatch(f"D{number}", "P1", ("1", 30_000)))
    assert len(slots(shop)) < 29
    cases = {key for kind, key, _ in shop.cases() if kind == "no_dock_free"}
    assert len(cases) == 29 - len(slots(shop))
    # What is on its way is known all the same.
    assert shop.rows("select count(*) from goods_despatched") == [(29,)]


def test_an_advice_waits_for_its_order_and_one_of_another_suppliers_order_is_set_aside(
    shop: Shop,
) -> None:
    shop.tell(despatch("D1", "P1", ("1", 5)))
    assert slots(shop) == []
    shop.tell(purchase_order("P1", ("1", "MUG", 5, "2.00"), at=61))
    assert len(slots(shop)) == 1
    strange = despatch("D2", "P1", ("7", 5))
    shop.tell(strange)
    assert [case[0] for case in shop.cases()] == ["receipt_not_ordered"]


def test_a_supplier_who_confirms_less_or_later_is_a_shortage_for_somebody(shop: Shop) -> None:
    shop.tell(purchase_order("P1", ("1", "MUG", 600, "2.00")))
    data = {
        "document_number": "A1",
        "purchase_order_id": "P1",
        "supplier_id": SUPPLIER,
        "lines": [{"purchase_order_line_id": "1", "status": "changed", "quantity": 500}],
    }
    shop.tell(event("retail.purchase_order.acknowledged.v1", "ack-1", "P1", 5, data=data))
    [(case_type, key, *_)] = shop.cases()
    assert (case_type, key) == ("supplier_shortage", "P1/1")
    # Only what is confirmed is on order.
    planned(shop, demand(units=1))
    [(position,)] = shop.rows("select position_quantity from replenishment_level")
    assert position == 500


def test_a_flow_from_need_to_shelf_is_linked_by_ids(shop: Shop) -> None:
    planned(shop)
    consent(shop, "pia")
    [order] = ordered(shop)
    units = order["lines"][0]["quantity"]
    shop.tell(
        purchase_order("P1", ("1", "MUG", units, "2.00"), requisition_id=order["requisition_id"]),
        despatch("D1", "P1", ("1", units)),
        goods("P1", ("1", units, 0), at=2_900),
    )
    assert shop.position("MUG") == (units, 0, 0)
    [(linked,)] = shop.rows(
        "select count(*) from replenishment_proposal p"
        " join requisition_decided d using (requisition_id)"
        " join purchase_order_placed o using (requisition_id)"
        " join receiving_slot s using (purchase_order_id)"
        " join goods_received g using (purchase_order_id)"
    )
    assert linked == 1


STORE = "store_leeds"


def moved(number: str, units: int, *kinds: str) -> list[Event]:
    """What the ERP says of a transfer of mugs to the store: ``out``, ``announced``, ``in``."""
    line = {"line_number": 1, "sku": "MUG"}
    said = {
        "out": (
            "retail.inventory.adjusted.v1",
            {
                "document_number": f"{number}/out",
                "node_id": WAREHOUSE,
                "to_node_id": STORE,
                "reason": "stock_transfer",
                "lines": [{**line, "quantity": -units}],
            },
        ),
        "announced": (
            "retail.inventory.inbound_announced.v1",
            {
                "document_number": number,
                "node_id": STORE,
                "status": "in_transit",
                "expected_at": minutes(2_000).isoformat(),
                "lines": [{**line, "quantity": units}],
            },
        ),
        "in": (
            "retail.inventory.received.v1",
            {
                "document_number": f"{number}/in",
                "node_id": STORE,
                "from_node_id": WAREHOUSE,
                "inbound_document": number,
                "lines": [{**line, "quantity": units}],
            },
        ),
    }
    return [
        event(said[kind][0], f"{number}-{kind}", number, 60 + place, data=said[kind][1])
        for place, kind in enumerate(kinds)
    ]


def test_what_one_place_has_too_much_of_is_moved_once_and_stays_in_the_books(shop: Shop) -> None:
    shop.tell(node(STORE, kind="store"), count(WAREHOUSE, MUG=5_000))
    wanted = demand()
    shares = pd.DataFrame({"region": "uk", "node_id": [WAREHOUSE, STORE], "share": [0.5, 0.5]})
    wanted = Demand(wanted.history, shares, wanted.last_day)
    first = planned(shop, wanted)
    assert (first.transfers, first.proposals) == (1, 0)
    [(_, told)] = shop.commands("stock_transfer.create")
    number = told["transfer_number"]
    [line] = told["lines"]
    assert (told["from_node_id"], told["to_node_id"], line["sku"]) == (WAREHOUSE, STORE, "MUG")
    units = line["quantity"]
    # What is told to leave is spoken for, whatever is still to come.
    with shop.store.transaction() as connection:
        free = positions(connection, minutes(60), timedelta(days=14), timedelta(days=3))
    [reserved] = free.loc[free["node_id"] == WAREHOUSE, "reserved_quantity"]
    assert reserved == units
    # Neither while nobody has answered, nor on the road, nor once it is there, is it moved again.
    for kinds in ((), ("out", "announced"), ("in",)):
        shop.tell(*moved(number, units, *kinds))
        again = planned(shop, wanted)
        assert (again.transfers, again.proposals) == (0, 0)
        [(position,)] = shop.rows(
            f"select position_quantity from replenishment_level where node_id = '{STORE}'"
        )
        assert position == units
        in_transit = shop.balance("goods_in_transit")
        assert in_transit == (units * 2 if "out" in kinds else 0)
    held = shop.rows("select node_id, on_hand_quantity from stock_position order by 1")
    assert held == [(WAREHOUSE, 5_000 - units), (STORE, units)]
