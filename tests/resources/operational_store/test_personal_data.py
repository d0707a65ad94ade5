"""Where a person may be found between the door and the ledgers, and how they are forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from assets.commerce.identifiers import identify
from assets.contracts.admission import Refusal, Submission
from assets.errors import BadInput
from assets.order_to_fulfillment.service import handle
from resources.operational_store.erasure import Erasure, erase
from resources.operational_store.schema import PERSONAL_TABLES
from tests.builders import (
    Event,
    Shop,
    assert_all_invariants_hold,
    count,
    event,
    order_placed,
    product,
    receipt,
)

ADA = {"country": "GB", "name": "Ada Byron", "email": "Ada@example.org", "city": "Ealing"}


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    shop.tell(product("MUG"), count("dc_midlands", MUG=10))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def order(number: str, sku: str = "MUG", **changes: Any) -> Event:
    return order_placed(number, (sku, 1, "2.40"), **{"ship_to": ADA, **changes})


def customer(number: str, **personal: str) -> Event:
    data = {"customer_number": number, "country": "GB", **personal}
    return event("retail.customer.registered.v1", f"customer-{number}", number, 0, data=data)


def tables_that_know(shop: Shop, words: str = "ada@example|ada byron|ealing") -> set[str]:
    """Tables in which a text is found, also in what is stored as bytes."""
    names = [
        name
        for (name,) in shop.rows(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
    ]
    found = {name for name in names if shop.value(
        f'select exists (select from "{name}" t where t::text ~* :words)', words=words
    )}  # fmt: skip
    in_bytes = "select exists (select from quarantined_body where encode(body, 'escape') ~* :words)"
    return found | ({"quarantined_body"} if shop.value(in_bytes, words=words) else set())


def forget(shop: Shop, name: str, legal_entity: str | None = None) -> Erasure:
    with shop.store.transaction() as connection:
        return erase(connection, name, legal_entity)


def refuse(shop: Shop, body: bytes) -> None:
    with shop.store.transaction() as connection:
        shop.door.admit(connection, [Submission("partner", body, "test")])


def test_an_order_lies_in_the_inbox_without_a_name_from_the_first_moment(shop: Shop) -> None:
    shop.admit(order("A1"))
    assert tables_that_know(shop) == {"event_personal_data"}
    assert shop.value("select has_personal_data from event_inbox where event_id like '%A1'")


def test_what_waits_for_its_goods_is_known_in_one_erasable_table_until_it_is_applied(
    shop: Shop,
) -> None:
    shop.tell(order("A1", sku="VASE", customer_number="C-7"))
    assert shop.inbox() == {"order-web_shop-A1": "waiting"}
    assert tables_that_know(shop) == {"event_personal_data"}
    shop.tell(product("VASE"))
    assert shop.status("A1") == "unfilled"
    assert tables_that_know(shop) == {"customer_contact"}
    assert shop.rows("select customer_number, name, email, city from customer_contact") == [
        ("C-7", "Ada Byron", "Ada@example.org", "Ealing")
    ]
    assert shop.value("select count(*) from event_inbox where has_personal_data") == 0


def test_an_event_without_a_person_leaves_no_row(shop: Shop) -> None:
    shop.admit(order_placed("A1", ("MUG", 1, "2.40"), customer_number="C-7"))
    assert shop.value("select count(*) from event_personal_data") == 0
    assert not shop.value("select bool_or(has_personal_data) from event_inbox")


def test_an_order_that_comes_twice_is_known_by_its_whole_body(shop: Shop) -> None:
    elsewhere = {**ADA, "city": "Hove"}
    shop.tell(order("A1"))
    assert [r.outcome for r in shop.admit(order("A1"), order("A1", ship_to=elsewhere))] == [
        "duplicate",
        "conflict",
    ]
    assert tables_that_know(shop, "hove") == {"quarantined_body"}


def test_two_words_about_a_customer_in_one_batch_both_leave_the_inbox(shop: Shop) -> None:
    first = customer("C-8", name="Ada Byron")
    second = {**customer("C-8", name="Ada Lovelace"), "id": "customer-C-8-again"}
    shop.tell(first, second)
    assert tables_that_know(shop, "lovelace|byron") == {"customer_contact"}
    assert shop.value("select count(*) from event_personal_data") == 0


def test_a_refused_body_is_kept_beside_its_reason_and_comes_in_with_its_name(shop: Shop) -> None:
    shop.door.sources = {"elsewhere"}
    shop.admit(order("A1", customer_number="C-7"))
    assert tables_that_know(shop) == {"quarantined_body"}
    shop.door.sources = None
    with shop.store.transaction() as connection:
        (receipt,) = shop.door.replay_quarantined(connection, [1]).values()
    assert receipt.outcome == "accepted"
    shop.store.drain_all()
    assert shop.value("select name from customer_contact") == "Ada Byron"


def test_what_a_flow_sets_aside_keeps_its_person_where_they_can_be_erased(shop: Shop) -> None:
    shop.tell(order("A1", ship_to={"country": "GB"}))
    shop.tell(order("A1", id="again"))
    assert shop.inbox()["again"] == "quarantined"
    assert tables_that_know(shop) == {"event_personal_data"}
    assert forget(shop, "ada@example.org") == Erasure(0, 1, 0)
    assert tables_that_know(shop) == set()


# A person is forgotten


def test_a_customer_is_forgotten_everywhere_and_the_facts_stay(shop: Shop) -> None:
    shop.tell(order("A1", customer_number="C-7"))
    shop.tell(order("A2", sku="VASE", customer_number="C-7"))
    refuse(shop, b'{"customer": {"id": "C-7", "city": "Ealing"}')
    refuse(shop, b'{"ship_to": {"email": "ADA@example.org"}}')
    digests = shop.rows("select order_id, customer_id, total_amount from order_placed")
    assert forget(shop, "C-7") == Erasure(contacts=1, events=1, quarantined_bodies=2)
    assert tables_that_know(shop) == set()
    assert shop.rows("select order_id, customer_id, total_amount from order_placed") == digests
    assert shop.value("select count(*) from quarantined_event") == 2


def test_an_order_of_a_forgotten_person_is_still_applied(shop: Shop) -> None:
    shop.tell(order("A1", sku="VASE", customer_number="C-7"))
    forget(shop, "C-7")
    shop.tell(product("VASE"), receipt("GR-1", VASE=1))
    assert shop.status("A1") == "awaiting_payment"
    assert shop.value("select customer_id from order_placed") == identify(
        "customer", "uk_ltd", "C-7"
    )
    assert tables_that_know(shop) == set()


def test_an_e_mail_address_leads_to_the_number_and_to_what_a_guest_ordered(shop: Shop) -> None:
    shop.tell(order("A1"))
    shop.tell(customer("C-7", email="ada@example.org"))
    nameless = {"country": "GB", "city": "Ealing"}
    shop.tell(order("A2", sku="VASE", customer_number="C-7", ship_to=nameless))
    assert forget(shop, "ADA@EXAMPLE.ORG") == Erasure(contacts=2, events=1, quarantined_bodies=0)
    assert sum(shop.value(f"select count(*) from {table}") for table in PERSONAL_TABLES) == 0


def test_nobody_else_is_forgotten(shop: Shop) -> None:
    other = {"country": "GB", "name": "Mary", "email": "bada@example.org"}
    shop.tell(order("A1", customer_number="C-7"))
    shop.tell(order("A2", customer_number="C-70", ship_to=other))
    shop.tell(order("A3", sku="VASE", customer_number="C-71", ship_to=other))
    refuse(shop, b'{"customer_number": "C-77", "lines": [{"quantity": "C-7"}]}')
    refuse(shop, b"rubbish about C-70 and bada@example.org and ada@example.org.uk")
    assert forget(shop, "C-7") == Erasure(1, 0, 0)
    assert shop.value("select count(*) from quarantined_body") == 2
    assert shop.rows("select customer_number from customer_contact") == [("C-70",)]
    assert shop.value("select count(*) from event_personal_data") == 1


def test_a_row_of_a_file_that_mentions_a_customer_is_forgotten_with_them(shop: Shop) -> None:
    rows = [Refusal("till", f"5363;MUG;-1;{number};UK".encode(), f"f.csv:{number}", "bad_row", "x")
            for number in (17850, 117850)]  # fmt: skip
    with shop.store.transaction() as connection:
        shop.door.refuse(connection, rows)
    assert forget(shop, "17850") == Erasure(0, 0, 1)
    assert shop.value("select body from quarantined_body") == b"5363;MUG;-1;117850;UK"


def test_a_number_that_two_legal_entities_have_given_needs_to_be_said_whose(shop: Shop) -> None:
    for entity in ("uk_ltd", "eu_bv"):
        shop.tell({**customer("C-7", name=f"{entity} Ada"), "id": entity, "legalentity": entity})
    with pytest.raises(BadInput, match="2 legal entities have given the number C-7"):
        forget(shop, "C-7")
    assert forget(shop, "C-7", "eu_bv") == Erasure(1, 0, 0)
    assert shop.rows("select name from customer_contact") == [("uk_ltd Ada",)]


@pytest.mark.parametrize(
    ("name", "entity", "reason"),
    [
        ("C-9", None, "nothing personal is kept of such a person"),
        ("nobody@example.org", None, "nothing personal is kept of such a person"),
        (" ", None, "say who"),
        ("ada@example.org", "uk_ltd", "an e-mail address is one person's"),
    ],
)
def test_who_is_not_known_is_said_so(
    shop: Shop, name: str, entity: str | None, reason: str
) -> None:
    shop.tell(order("A1", customer_number="C-7"))
    with pytest.raises(BadInput, match=reason):
        forget(shop, name, entity)
    assert tables_that_know(shop) == {"customer_contact"}


def test_a_contact_that_is_just_being_written_is_waited_for_and_erased(shop: Shop) -> None:
    shop.admit(order("A1", customer_number="C-7"))
    erased: list[Erasure] = []
    eraser = threading.Thread(target=lambda: erased.append(forget(shop, "C-7")))
    with shop.store.unit_of_work() as unit_of_work:
        handle(unit_of_work.inbox.claim("order_to_fulfillment", shop.clock.wall(), 9), unit_of_work)
        eraser.start()
        _wait_for_a_lock(shop.engine)
    eraser.join()
    assert [erasure.contacts for erasure in erased] == [1]
    assert tables_that_know(shop) == set()


def _wait_for_a_lock(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        for _ in range(2_000):
            waiting = connection.exec_driver_sql(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and wait_event_type = 'Lock'"
            ).scalar_one()
            connection.rollback()
            if waiting:
                return
    raise AssertionError("nobody waits")
