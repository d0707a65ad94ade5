"""P1 and P7: what comes twice, in another order or in other batches leaves the same business."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

import pytest
import sqlalchemy as sa

from resources.operational_store.digests import table_digests
from tests.builders import (
    BRISTOL,
    LEEDS,
    WAREHOUSE,
    Event,
    Shop,
    adjustment,
    assert_all_invariants_hold,
    bundle,
    collected,
    count,
    fulfilment_accepted,
    fulfilment_rejected,
    happy_ending,
    hold_decided,
    ledger_adjustment,
    order_cancelled,
    order_placed,
    payment_authorised,
    payment_captured,
    payment_declined,
    payment_screened,
    pickup_placed,
    product,
    ready_for_pickup,
    receipt,
    shipment_delivered,
    shipment_dispatched,
    store_rejected,
)

DAY = 24 * 60


def trading_week() -> list[list[Event]]:
    """Five days, each a decision window: everything that can happen to an order, and to stock."""
    chance = random.Random(7)
    days: list[list[Event]] = []
    opening: list[Event] = [
        product("MUG", cost="1.10"),
        product("HAT", cost="4.00", tax=0),
        product("VASE", cost="7.50", tax=500),
        count(WAREHOUSE, MUG=60, HAT=30, VASE=4),
        count(LEEDS, MUG=12, HAT=6),
        count(BRISTOL, VASE=5),
    ]
    for day in range(5):
        morning = day * DAY
        events = opening if day == 0 else []
        for position in range(12):
            number, at = f"{day}-{position}", morning + 10 * position + 5
            sku = chance.choice(["MUG", "HAT", "VASE"])
            units = chance.randint(1, 4)
            ship_to = {"country": "GB", "name": f"Customer {position}"}
            order = order_placed(
                number, (sku, units, "2.50"), at=at, customer_number=str(position), ship_to=ship_to
            )
            events.append(order)
            amount = f"{units * 2.5:.2f}"
            if position % 6 == 5:
                events.append(payment_declined(number, at=at + 2))
            elif position % 6 == 4:
                events.append(order_cancelled(number, at=at + 1))
            elif position % 6 == 3:
                events.append(payment_authorised(number, amount, at=at + 1))
                events.append(fulfilment_accepted(number, at=at + 5))
                events.append(fulfilment_rejected(number, at=at + 9))
            elif position % 6 == 2:
                pass  # nobody pays: it expires
            else:
                events += happy_ending(number, sku, units, amount, at)
        events.append(receipt(f"GR-{day}", at=morning + 1, MUG=3, HAT=2, VASE=1))
        events.append(adjustment(f"W-{day}", at=morning + 100, MUG=-2, VASE=-1))
        events.append(ledger_adjustment(f"J-{day}", at=morning + 100))
        days.append(events)
    # Across windows: goods that are not known yet, an answer before its order, other costs.
    days[1].append(order_placed("late-goods", ("BOWL", 2, "3.00"), at=DAY + 50))
    days[1].append(payment_authorised("early", "2.50", at=DAY + 60))
    days[2].append(order_placed("early", ("MUG", 1, "2.50"), at=2 * DAY + 60))
    days[2].append(product("HAT", cost="4.25", at=2 * DAY))
    days[2].append(product("HAT", cost="4.50", at=2 * DAY + 30))
    days[3] += [product("BOWL", at=3 * DAY), receipt("GR-B", at=3 * DAY + 5, BOWL=9)]
    days[3] += [
        payment_authorised("late-goods", "6.00", at=3 * DAY + 200),
        shipment_dispatched("late-goods", (1, "BOWL", 2), at=3 * DAY + 300),
        payment_captured("late-goods", "6.00", at=3 * DAY + 301),
    ]
    days[4].append(shipment_delivered("late-goods", at=4 * DAY))
    for more in (pickups(), bundles()):
        for day, events in enumerate(more):
            days[day] += events
    days[4].append(adjustment("W-all", at=4 * DAY + 110, HAT=-60))
    return days


def pickups() -> list[list[Event]]:
    """Orders to be collected, day by day, each of another fate; they compete with parcels."""
    days: list[list[Event]] = [[product("CUP"), count(LEEDS, at=-49, CUP=20)], [], [], [], []]
    days[0].append(count(BRISTOL, at=-49, CUP=6))

    def placed(number: str, units: int, at: float, price: str = "2.50", **wish: bool) -> None:
        day = int(at // DAY)
        days[day].append(pickup_placed(number, ("CUP", units, price), at=at, **wish))
        amount = f"{units * Decimal(price):.2f}"
        days[day].append(payment_authorised(number, amount, at=at + 1))

    for day in range(3):
        morning = day * DAY
        placed(f"taken-{day}", 2, morning + 6)
        days[day].append(fulfilment_accepted(f"taken-{day}", LEEDS, at=morning + 20))
        days[day].append(ready_for_pickup(f"taken-{day}", at=morning + 60))
        days[day].append(collected(f"taken-{day}", (1, "CUP", 2), at=morning + 200))
        days[day].append(payment_captured(f"taken-{day}", "5.00", at=morning + 201))
        placed(f"refused-{day}", 1, morning + 7, other_store=True)
        days[day].append(store_rejected(f"refused-{day}", "not_found", at=morning + 30))
        days[day].append(ready_for_pickup(f"refused-{day}", BRISTOL, at=morning + 90))
        placed(f"sent-{day}", 1, morning + 8, shipping=True)
        days[day].append(store_rejected(f"sent-{day}", "damaged", at=morning + 31))
        placed(f"silent-{day}", 1, morning + 9)
        days[day].append(order_placed(f"parcel-{day}", ("CUP", 9, "2.50"), at=morning + 2))
        placed(f"dear-{day}", 1, morning + 10, price="300.00")
        days[day].append(payment_screened(f"dear-{day}", "held", at=morning + 12))
    days[1].append(hold_decided("dear-0", "release", at=DAY + 30))
    days[1].append(payment_screened("dear-0", "cleared", at=DAY + 40))
    days[2].append(payment_screened("dear-1", "rejected", at=2 * DAY + 30))
    days[2].append(ready_for_pickup("dear-0", at=2 * DAY + 31))
    return days


def bundles() -> list[list[Event]]:
    """Sets of two trays and a jug, and loose trays beside them, day by day."""
    days: list[list[Event]] = [
        [
            *(product("TRAY", cost="2.00"), product("JUG"), bundle("SET", TRAY=2, JUG=1)),
            *(count(WAREHOUSE, at=-48, TRAY=9, JUG=3), count(LEEDS, at=-48, TRAY=8, JUG=6)),
        ],
        *([], [], [], []),
    ]
    for day in range(4):
        morning = day * DAY
        days[day] += [
            order_placed(f"set-{day}", ("TRAY", 1, "3.00"), ("SET", 2, "9.00"), at=morning + 5),
            payment_authorised(f"set-{day}", "21.00", at=morning + 6),
            shipment_dispatched(
                f"set-{day}", (1, "TRAY", 1), (3, "TRAY", 4), (4, "JUG", 2), at=morning + 90
            ),
            # Nobody pays for these, and one is short of a jug before its time is over.
            order_placed(f"unpaid-{day}", ("SET", 1, "9.00"), at=morning + 7),
            order_placed(f"short-{day}", ("SET", 1, "9.00"), at=morning + 8),
            adjustment(f"JW-{day}", at=morning + 9, JUG=-1),
            receipt(f"SR-{day}", at=morning + 300, TRAY=6, JUG=4),
            pickup_placed(f"set-there-{day}", ("SET", 1, "9.00"), shipping=True, at=morning + 10),
            payment_authorised(f"set-there-{day}", "9.00", at=morning + 11),
        ]
        days[day].append(
            collected(f"set-there-{day}", (2, "TRAY", 2), (3, "JUG", 1), at=morning + 200)
            if day % 2
            else store_rejected(f"set-there-{day}", "not_found", at=morning + 40)
        )
    # A set of what nobody knows yet, another recipe, and one that cannot be.
    days[0].append(bundle("BOX", at=4, TRAY=1, LID=1))
    days[1].append(order_placed("boxed", ("BOX", 1, "5.00"), at=DAY + 4))
    days[2] += [bundle("SET", at=2 * DAY + 1, JUG=2), bundle("CRATE", at=2 * DAY, BOX=1)]
    days[3] += [product("LID", at=3 * DAY), receipt("GR-L", at=3 * DAY + 1, LID=2)]
    return days


@contextmanager
def home(url: str) -> Iterator[Shop]:
    shop = Shop(url)
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def play(shop: Shop, days: Sequence[Sequence[Event]], batch_size: int = 1_000) -> None:
    for number, events in enumerate(days, start=1):
        shop.clock.advance(shop.clock.effective_at().replace(day=2 + number))
        for start in range(0, len(events), batch_size):
            shop.admit(*events[start : start + batch_size])
        shop.store.drain_all(batch_size=batch_size)
        shop.store.report_overdue()
        shop.store.expire_reservations()
        shop.store.reconcile()
        shop.store.publish_availability()


def digests(shop: Shop) -> dict[str, str]:
    with shop.engine.connect() as connection:
        return table_digests(connection)


@pytest.fixture(scope="module")
def expected(postgres_url: str, migrated_template: str) -> Iterator[dict[str, str]]:
    """What the week leaves when everything comes once, in order, day by day."""
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database week template {migrated_template}"))
    url = sa.make_url(postgres_url).set(database="week")
    with home(url.render_as_string(hide_password=False)) as shop:
        play(shop, trading_week())
        states = dict(shop.rows("select status, count(*) from order_state group by 1"))
        assert states.keys() >= {"delivered", "declined", "cancelled", "expired", "unfilled"}
        assert states.keys() >= {"ready_for_pickup", "unclaimed", "rejected", "held", "allocated"}
        yield digests(shop)
    with admin.connect() as connection:
        connection.execute(sa.text("drop database week with (force)"))
    admin.dispose()


def test_everything_delivered_twice_changes_nothing(
    expected: dict[str, str], database_url: str
) -> None:
    week = trading_week()
    with home(database_url) as shop:
        play(shop, [[*day, *day] for day in week])
        assert digests(shop) == expected
        received, accepted = shop.rows("select sum(received), sum(accepted) from door_tally")[0]
        assert (received - 3, accepted - 3) == (2 * sum(map(len, week)), sum(map(len, week)))
        play(shop, [[event for day in week for event in day]])
        assert digests(shop) == expected


@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_may_come_in_any_order(
    expected: dict[str, str], database_url: str, seed: int
) -> None:
    week = trading_week()
    for day in week:
        random.Random(seed).shuffle(day)
    with home(database_url) as shop:
        play(shop, week)
        assert digests(shop) == expected


@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_size_of_batches_changes_nothing(
    expected: dict[str, str], database_url: str, batch_size: int
) -> None:
    with home(database_url) as shop:
        play(shop, trading_week(), batch_size)
        assert digests(shop) == expected


@pytest.mark.parametrize("seed", [3])
def test_a_week_in_any_order_at_all_keeps_every_law_and_loses_nothing(
    database_url: str, seed: int
) -> None:
    week = trading_week()
    master_data = [event for event in week[0] if "registered" in event["type"]]
    others = [event for day in week for event in day if event not in master_data]
    random.Random(seed).shuffle(others)
    with home(database_url) as shop:
        size = len(others) // 5 + 1
        parts = [others[start : start + size] for start in range(0, len(others), size)]
        parts[0] = master_data + parts[0]
        play(shop, parts)
        assert shop.value("select count(*) from event_inbox where status = 'pending'") == 0
        assert shop.value("select count(*) from event_inbox") == 3 + sum(map(len, week))
