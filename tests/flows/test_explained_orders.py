"""What `explain` says of an order that was decided about more than once, or not at all yet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.commerce.identifiers import order_id
from assets.contracts.admission import Refusal, Submission
from assets.errors import BadInput
from orchestration.cli import app
from resources.operational_store.explanation import explain
from tests.builders import (
    LEEDS,
    WAREHOUSE,
    WEB,
    Shop,
    count,
    inbound,
    minutes,
    order_placed,
    payment_authorised,
    pickup_placed,
    product,
    receipt,
    store_rejected,
)
from tests.contracts import events

DAY = 24 * 60


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Five hats in the warehouse, two mugs in Leeds, and ten mugs confirmed for Thursday."""
    shop = Shop(database_url)
    shop.tell(product("MUG"), product("HAT", cost="4.00"))
    shop.tell(count(WAREHOUSE, HAT=5, MUG=0), count(LEEDS, MUG=2))
    shop.tell(inbound("PO1", due=3 * DAY, MUG=10))
    yield shop
    shop.close()


def explained(shop: Shop, name: str) -> list[dict[str, Any]]:
    with shop.store.transaction() as connection:
        first = explain(connection, name)
    json.dumps(first)
    return [first, *first["later_decisions"]]


def refused(shop: Shop, name: str) -> str:
    with shop.store.transaction() as connection, pytest.raises(BadInput) as said:
        explain(connection, name)
    return str(said.value)


def backordered(shop: Shop) -> None:
    lines = (("HAT", 1, "9.00"), ("MUG", 5, "2.40"))
    shop.tell(order_placed("A1", *lines), payment_authorised("A1", "21.00"))


def test_an_order_that_waited_is_explained_from_its_placing_to_its_supply(shop: Shop) -> None:
    backordered(shop)
    shop.clock.advance(minutes(3 * DAY))
    shop.tell(receipt("GR1", at=3 * DAY, inbound="PO1", MUG=10))
    shop.wait_until(3 * DAY + 10)
    assert shop.status("A1") == "allocated"

    decisions = explained(shop, "A1")
    assert [
        (each["kind"], each["about"], each["outcome"], each["reason_codes"]) for each in decisions
    ] == [
        ("sourcing", None, "partly_filled", ["waits_in_backorder"]),
        ("backorder", "2", "waits", ["backorder"]),
        ("backorder_release", "2", "served", ["backorder"]),
        ("sourcing", "supplied/2", "filled", ["supplied"]),
    ]
    assert [each["policy"]["policy"] for each in decisions] == [
        "order_to_fulfillment",
        "backorder",
        "backorder",
        "order_to_fulfillment",
    ]
    assert all(each["recomputation_agrees"] for each in decisions)
    assert decisions[1]["lines_as_placed"] == [
        {
            "line_number": 2,
            "sku": "MUG",
            "ordered_quantity": 5,
            "reserved_quantity": 0,
            "backordered_quantity": 5,
            "unfilled_quantity": 0,
            "unfilled_reason_code": None,
        }
    ]
    # What supply brought has its candidates as the placing had.
    (line,) = decisions[3]["lines"]
    by_node = {each["node_id"]: each["reserved_quantity"] for each in line["candidates"]}
    assert (line["sku"], by_node[WAREHOUSE]) == ("MUG", 5)


def test_a_pickup_is_explained_with_its_lines_and_the_store_that_took_over(shop: Shop) -> None:
    shop.tell(pickup_placed("P1", ("MUG", 2, "2.40"), other_store=True))
    shop.tell(payment_authorised("P1", "4.80"), store_rejected("P1", "too_busy", at=20))
    placed, moved = explained(shop, str(order_id(WEB, "P1")))
    assert (placed["kind"], placed["outcome"], placed["policy"]["policy"]) == (
        "pickup",
        "filled",
        "pickup",
    )
    assert [(line["sku"], line["reserved_quantity"]) for line in placed["lines_as_placed"]] == [
        ("MUG", 2)
    ]
    assert (moved["kind"], moved["outcome"], moved["reason_codes"]) == (
        "pickup_store",
        "no_store",
        ["out_of_stock"],
    )
    assert placed["recomputation_agrees"] and moved["recomputation_agrees"]  # noqa: PT018


def test_an_order_that_waits_for_its_product_says_so(shop: Shop) -> None:
    shop.tell(order_placed("A9", ("LAMP", 1, "9.00")), payment_authorised("A9", "9.00"))
    said = refused(shop, "A9")
    assert said.startswith(
        "nothing was decided about A9: retail.order.placed.v1 of web_shop waits for sku:LAMP"
        " (unknown_sku) since 2026-03-02T09:00:00Z, see `omniflow waiting list`;"
        " retail.payment.authorised.v1 of web_shop waits for order:"
    )
    # What waits for the order names its id, so that is asked for, too.
    assert "waits for order:" in refused(shop, str(order_id(WEB, "A9")))


def test_an_order_that_no_flow_has_looked_at_is_pending(shop: Shop) -> None:
    shop.admit(order_placed("A9", ("HAT", 1, "9.00")))
    assert "retail.order.placed.v1 of web_shop is pending since 20" in refused(shop, "A9")


def test_an_order_that_was_refused_says_why_whoever_refused_it(shop: Shop) -> None:
    broken = events.order("A7", [events.line(quantity=-1)])
    row = Refusal(WEB, b"A8,MUG,minus one\n", "orders.csv:3", "bad_rows", "no quantity")
    with shop.store.transaction() as connection:
        shop.door.admit(connection, [Submission(WEB, events.body(broken), "batch[0]")])
        shop.door.refuse(connection, [row])
    assert "is in quarantine as number 1 because of " in refused(shop, "A7")
    assert refused(shop, "A8") == (
        "nothing was decided about A8: what web_shop said of it is in quarantine as number 2"
        " because of bad_rows: no quantity, see `omniflow quarantine list`"
    )
    # A number that is only somewhere in a body is not what the body is about.
    assert refused(shop, "MU") == "no decision and no order with decisions is known as MU"


def test_all_decisions_are_read_in_a_terminal(
    shop: Shop,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    backordered(shop)
    description = {"format": 1, "id": "story", "created_at": "2026-03-02T09:00:00+00:00"}
    (tmp_path / "home.json").write_text(json.dumps(description))
    monkeypatch.setenv("OMNIFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("OMNIFLOW_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as end:
        app(["explain", "A1"])
    assert not end.value.code
    shown = capsys.readouterr().out
    assert shown.startswith("2 decisions were taken about this order\n")
    assert "order          A1 of web_shop, line 2\n" in shown
    assert "outcome        waits; reasons: backorder\n" in shown
    assert shown.count("decided again  the same\n") == 2
    assert max(map(len, shown.splitlines())) <= 80

    shop.tell(order_placed("A9", ("LAMP", 1, "9.00")))
    with pytest.raises(SystemExit) as end:
        app(["explain", "A9"])
    assert end.value.code == 1
    assert "waits for sku:LAMP" in capsys.readouterr().err
