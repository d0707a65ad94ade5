"""Many at once, on real connections: nothing is sold twice, applied twice or locked in a ring."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.builders import (
    LEEDS,
    WAREHOUSE,
    Shop,
    adjustment,
    assert_all_invariants_hold,
    count,
    order_placed,
    payment_authorised,
    product,
    shipment_dispatched,
)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    skus = ["MUG", "HAT", "VASE"]
    shop.tell(*(product(sku) for sku in skus))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Start all calls at the same moment, each in a thread; gives what they return."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def drains(shop: Shop, workers: int, batch_size: int) -> list[Callable[[], Any]]:
    return [
        lambda: shop.store.drain("order_to_fulfillment", batch_size=batch_size)
        for _ in range(workers)
    ]


def test_of_two_hundred_who_want_one_of_ten_units_ten_get_it(shop: Shop) -> None:
    shop.tell(count(WAREHOUSE, MUG=6), count(LEEDS, MUG=6))  # Leeds keeps two.
    orders = [order_placed(f"A{number}", ("MUG", 1, "2.40")) for number in range(200)]
    at_once(*(lambda part=part: shop.admit(*orders[part::8]) for part in range(8)))
    tallies = at_once(*drains(shop, 6, 3))
    assert sum(tally.applied for tally in tallies) == 200
    assert dict(shop.rows("select status, count(*) from order_state group by 1")) == {
        "awaiting_payment": 10,
        "unfilled": 190,
    }
    assert shop.position("MUG") == (6, 6, 0)
    assert shop.position("MUG", LEEDS) == (6, 4, 0)


def test_two_hundred_connections_worth_of_updates_cannot_reserve_an_eleventh_unit(
    shop: Shop,
) -> None:
    """The last line of defence, where a defect forgets to look: the constraint itself."""
    shop.tell(count(WAREHOUSE, MUG=10))
    url = sa.make_url(str(shop.engine.url.render_as_string(hide_password=False)))
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)

    def reserve_many() -> tuple[int, int]:
        done = refused = 0
        with psycopg.connect(plain, autocommit=True) as connection:
            for _ in range(20):
                try:
                    connection.execute(
                        "update stock_position set reserved_quantity = reserved_quantity + 1"
                    )
                    done += 1
                except psycopg.errors.CheckViolation:
                    refused += 1
        return done, refused

    results = at_once(*[reserve_many] * 10)
    assert sum(done for done, _ in results) == 10
    assert sum(refused for _, refused in results) == 190
    with shop.engine.begin() as connection:
        connection.execute(sa.text("update stock_position set reserved_quantity = 0"))


def test_workers_who_need_the_same_stock_in_another_order_do_not_block_each_other(
    shop: Shop,
) -> None:
    """Orders, payments, despatches and write-offs of the same three SKUs, by six at once."""
    shop.tell(count(WAREHOUSE, MUG=100, HAT=100, VASE=100))
    skus = ["MUG", "HAT", "VASE"]
    numbers = [f"A{number}" for number in range(60)]
    for position, number in enumerate(numbers):
        lines = skus[position % 3 :] + skus[: position % 3]
        shop.admit(order_placed(number, *((sku, 1, "1.00") for sku in lines)))
    at_once(*drains(shop, 6, 5))
    for position, number in enumerate(numbers):
        lines = skus[position % 3 :] + skus[: position % 3]
        sent = [(line, sku, 1) for line, sku in enumerate(lines, start=1)]
        shop.admit(payment_authorised(number, "3.00"))
        if position % 2:
            shop.admit(shipment_dispatched(number, *sent))
    shop.admit(*(adjustment(f"W{number}", MUG=-1, HAT=-1, VASE=-1) for number in range(40)))
    at_once(
        *drains(shop, 5, 5),
        lambda: shop.store.drain("inventory", batch_size=5),
    )
    shop.store.drain_all()
    assert set(shop.inbox().values()) <= {"applied", "quarantined"}
    states = dict(shop.rows("select status, count(*) from order_state group by 1"))
    assert sum(states.values()) == 60
    assert states.keys() <= {"allocated", "dispatched"}


def test_two_drains_at_once_apply_each_event_once(shop: Shop) -> None:
    shop.tell(count(WAREHOUSE, MUG=500))
    numbers = range(120)
    shop.admit(*(order_placed(f"A{number}", ("MUG", 1, "2.40")) for number in numbers))
    shop.admit(*(payment_authorised(f"A{number}", "2.40") for number in numbers))
    at_once(shop.store.drain_all, shop.store.drain_all)
    shop.store.drain_all()
    assert dict(shop.rows("select status, count(*) from order_state group by 1")) == {
        "allocated": 120
    }
    assert set(shop.inbox().values()) == {"applied"}
    assert shop.position("MUG") == (500, 0, 120)
    assert len(shop.commands("fulfilment_order.create")) == 120


def test_one_order_number_told_by_two_events_at_once_is_one_order(shop: Shop) -> None:
    shop.tell(count(WAREHOUSE, MUG=500))
    for number in range(30):
        shop.admit(
            order_placed(f"A{number}", ("MUG", 1, "2.40"), id=f"first-{number}"),
            order_placed(f"A{number}", ("MUG", 1, "2.40"), id=f"second-{number}"),
        )
    at_once(*drains(shop, 4, 1))
    assert shop.value("select count(*) from order_placed") == 30
    assert shop.position("MUG") == (500, 30, 0)
    assert sorted(shop.inbox().values()) == ["applied"] * 30 + ["quarantined"] * 30
