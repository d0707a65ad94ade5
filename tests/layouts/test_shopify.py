from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.commerce.identifiers import fulfilment_order_id, order_id
from assets.commerce.money import to_ten_thousandths
from assets.contracts.admission import check
from assets.errors import BadInput
from resources.channels.shopify.directory import Directory, learn
from resources.channels.shopify.documents import named_by_topic
from resources.channels.shopify.translation import Translation, translate
from resources.layouts.shopify import Shopify
from resources.layouts.spooled import SpooledReading
from tests.layouts.made_files import ADMITTED_AT, SHARED_DATA, refused, told

AT = "2026-03-02T10:00:00-05:00"
ADDRESS = {
    "name": "Ada Doe",
    "address1": "1 High Street",
    "city": "Leeds",
    "zip": "LS1 1AA",
    "country_code": "GB",
}


def order(**changes: Any) -> dict[str, Any]:
    return {
        "id": 10,
        "created_at": AT,
        "currency": "GBP",
        "email": "ada@example.com",
        "taxes_included": False,
        "total_price": "32.00",
        "total_tax": "5.00",
        "total_discounts": "2.50",
        "source_name": "web",
        "customer": {"id": 77, "email": "ada@example.com"},
        "line_items": [
            {"id": 1, "sku": "mug", "quantity": 2, "price": "10.00"},
            {"id": 2, "sku": "", "variant_id": 5, "quantity": 1, "price": "5.50"},
        ],
        "shipping_lines": [{"price": "4.00"}],
        "shipping_address": ADDRESS,
    } | changes


def translated(document: Any, *others: Any) -> Translation:
    """The translation, every event admitted by its contract."""
    directory = Directory()
    for each in (document, *others):
        learn(each, directory)
    translation = translate(document, directory=directory)
    for envelope in translation.envelopes:
        check("shopify", json.dumps(envelope).encode(), ADMITTED_AT)
    return translation


def the_event(document: Any, *others: Any) -> dict[str, Any]:
    translation = translated(document, *others)
    assert translation.not_taken == []
    (envelope,) = translation.envelopes
    return envelope


def total(data: dict[str, Any]) -> int:
    return sum(
        line["quantity"] * to_ten_thousandths(line["unit_price"]) for line in data["lines"]
    ) + sum(to_ten_thousandths(charge["amount"]) for charge in data["charges"])


def test_an_order_keeps_its_lines_charges_and_exact_total() -> None:
    envelope = the_event({"order": order()})
    assert (envelope["type"], envelope["time"]) == (
        "retail.order.placed.v1",
        "2026-03-02T15:00:00Z",
    )
    assert (envelope["region"], envelope["channel"]) == ("uk", "web_shop")
    assert envelope["data"] == {
        "order_number": "10",
        "currency": "GBP",
        "lines": [
            {"line_number": 1, "sku": "MUG", "quantity": 2, "unit_price": "10.0000"},
            {"line_number": 2, "sku": "VARIANT-5", "quantity": 1, "unit_price": "5.5000"},
        ],
        "charges": [
            {"code": "discount", "amount": "-2.5000"},
            {"code": "shipping", "amount": "4.0000"},
            {"code": "tax", "amount": "5.0000"},
        ],
        "ship_to": {
            "country": "GB",
            "name": "Ada Doe",
            "email": "ada@example.com",
            "address": "1 High Street",
            "city": "Leeds",
            "postcode": "LS1 1AA",
        },
        "customer_number": "77",
    }


@pytest.mark.parametrize(
    ("changes", "charge"),
    [
        ({"taxes_included": True, "total_price": "27.00"}, None),
        ({"total_price": "33.01"}, {"code": "channel_difference", "amount": "1.0100"}),
        (
            {"total_tip_received": "3.00", "total_price": "35.00"},
            {"code": "tip", "amount": "3.0000"},
        ),
    ],
)
def test_an_order_always_comes_to_its_total_price(
    changes: dict[str, Any], charge: dict[str, str] | None
) -> None:
    data = the_event({"order": order(**changes)})["data"]
    expected = changes["total_price"]
    assert total(data) == to_ten_thousandths(expected)
    known = ("discount", "shipping", "tax")
    assert [c for c in data["charges"] if c["code"] not in known] == ([charge] if charge else [])
    assert ("tax" in {c["code"] for c in data["charges"]}) == (not changes.get("taxes_included"))


def test_a_cancelled_order_is_placed_and_then_cancelled() -> None:
    translation = translated(
        {"orders": [order(cancelled_at="2026-03-03T09:00:00Z", cancel_reason="customer")]}
    )
    assert [(e["type"], e["time"]) for e in translation.envelopes] == [
        ("retail.order.placed.v1", "2026-03-02T15:00:00Z"),
        ("retail.order.cancelled.v1", "2026-03-03T09:00:00Z"),
    ]
    assert translation.envelopes[1]["data"] == {"order_number": "10", "reason": "customer"}


def test_a_fulfilment_is_a_shipment_of_the_orders_lines_once_it_succeeded() -> None:
    part = {
        "id": 20,
        "order_id": 10,
        "status": "success",
        "created_at": AT,
        "location_id": 3,
        "tracking_company": "Royal Mail",
        "line_items": [{"id": 2, "sku": "", "variant_id": 5, "quantity": 1}],
    }
    whole = {"order": order()}
    envelope = the_event({"fulfillment": part}, whole)
    assert envelope["data"] == {
        "order_number": "10",
        "fulfilment_order_id": str(fulfilment_order_id(order_id("web_shop", "10"), "3")),
        "shipment_number": "20",
        "node_id": "3",
        "carrier": "Royal Mail",
        "lines": [{"line_number": 2, "sku": "VARIANT-5", "quantity": 1}],
    }
    inside = translated({"order": order(fulfillments=[part])}).envelopes
    assert inside[1] == envelope
    assert (
        "nothing was handed over"
        in translated({"fulfillment": part | {"status": "pending"}}, whole).not_taken[0]
    )
    assert "order 10 is not known" in translated({"fulfillment": part}).not_taken[0]


def test_a_delivery_is_told_and_other_tracking_events_are_named() -> None:
    step = {"id": 1, "fulfillment_id": 20, "order_id": 10, "happened_at": AT}
    envelope = the_event({"fulfillment_event": step | {"status": "delivered"}})
    assert envelope["type"] == "retail.shipment.delivered.v1"
    assert envelope["data"] == {"order_number": "10", "shipment_number": "20"}
    assert translated({"fulfillment_event": step | {"status": "in_transit"}}).not_taken == [
        "fulfillment event 1: in_transit is not a delivery to the customer"
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": "authorization"}, ["retail.payment.authorised.v1"]),
        ({"kind": "capture", "parent_id": 29}, ["retail.payment.captured.v1"]),
        ({"kind": "sale"}, ["retail.payment.authorised.v1", "retail.payment.captured.v1"]),
        ({"kind": "sale", "status": "failure"}, ["retail.payment.declined.v1"]),
        ({"kind": "capture", "status": "failure"}, []),
        ({"kind": "authorization", "status": "pending"}, []),
        ({"kind": "refund"}, []),
        ({"kind": "sale", "test": True}, []),
    ],
)
def test_a_transaction_is_the_payment_event_that_it_proves(
    changes: dict[str, Any], expected: list[str]
) -> None:
    item = {"id": 30, "order_id": 10, "amount": "32.00", "status": "success", "created_at": AT}
    translation = translated([item | changes], {"order": order()})
    assert [envelope["type"] for envelope in translation.envelopes] == expected
    assert len(translation.not_taken) == (not expected)
    for envelope in translation.envelopes:
        assert envelope["data"]["payment_reference"] == str(changes.get("parent_id", 30))
        assert envelope["data"].get("currency", "GBP") == "GBP"


def test_a_refund_gives_back_goods_tax_shipping_and_what_is_left() -> None:
    envelope = the_event(
        {
            "refund": {
                "id": 40,
                "order_id": 10,
                "created_at": AT,
                "refund_line_items": [
                    {
                        "quantity": 1,
                        "total_tax": "2.00",
                        "line_item": {"id": 1, "sku": "MUG", "price": "10.00"},
                    }
                ],
                "order_adjustments": [{"kind": "shipping_refund", "amount": "-4.00"}],
                "transactions": [{"kind": "refund", "status": "success", "amount": "15.50"}],
            }
        },
        {"order": order()},
    )
    assert envelope["data"] == {
        "return_number": "40",
        "order_number": "10",
        "currency": "GBP",
        "customer_number": "77",
        "lines": [{"line_number": 1, "sku": "MUG", "quantity": 1, "unit_price": "10.0000"}],
        "charges": [
            {"code": "tax", "amount": "-2.0000"},
            {"code": "shipping", "amount": "-4.0000"},
            {"code": "channel_difference", "amount": "0.5000"},
        ],
    }


def test_products_carry_the_cost_that_their_inventory_item_has() -> None:
    variant = {"id": 5, "sku": "mug", "title": "Red", "price": "9.99", "updated_at": AT}
    product = {"product": {"id": 4, "title": "Mug", "variants": [variant]}}
    item = {"inventory_item": {"id": 5, "sku": "mug", "cost": "3.10", "updated_at": AT}}
    registered, changed = translated(product, item).envelopes
    assert registered["data"] == {
        "sku": "MUG",
        "description": "Mug - Red",
        "standard_cost": "3.1000",
        "currency": "USD",
        "tax_rate": 0,
    }
    assert changed["data"]["unit_price"] == "9.9900"
    assert translated({"variant": variant}, product, item).envelopes == [registered, changed]
    assert the_event(item, product) == registered
    without_cost = translated(product).envelopes[0]
    assert without_cost["data"]["standard_cost"] == "0.0000"
    assert without_cost["id"] != registered["id"]


def test_an_inventory_level_is_a_count_if_its_sku_is_known() -> None:
    level = {"inventory_item_id": 5, "location_id": 3, "available": 6, "updated_at": AT}
    item = {"inventory_item": {"id": 5, "sku": "mug", "updated_at": AT}}
    assert the_event({"inventory_level": level}, item)["data"]["lines"] == [
        {"sku": "MUG", "quantity": 6}
    ]
    unknown, negative = (
        translated({"inventory_levels": [level]}).not_taken,
        translated({"inventory_level": level | {"available": -1}}, item).not_taken,
    )
    assert "names its SKU" in unknown[0]
    assert "-1 units cannot be counted" in negative[0]


def test_a_location_is_a_node_and_a_deleted_one_is_not_active() -> None:
    location = {"id": 3, "country_code": "GB", "updated_at": AT}
    assert the_event({"location": location})["data"] == {
        "node_id": "3",
        "kind": "store",
        "zone": "UTC",
        "country": "GB",
        "is_active": True,
    }
    assert not the_event({"location": location | {"deleted_at": AT}})["data"]["is_active"]


def test_a_customers_event_id_says_nothing_about_the_person() -> None:
    person = {"id": 77, "first_name": "Ada", "email": "ada@example.com", "updated_at": AT}
    named = the_event({"customer": person | {"default_address": ADDRESS}})
    assert named["data"]["name"] == "Ada"
    assert named["id"] == the_event({"customer": person | {"first_name": "Eve"}})["id"]


def test_a_webhook_is_the_same_document_under_its_topics_name() -> None:
    for topic, name, payload in (
        ("orders/create", "order", order()),
        ("inventory_levels/update", "inventory_level", {"id": 1}),
        ("order_transactions/create", "transaction", {"id": 1}),
    ):
        assert named_by_topic(topic, payload) == {name: payload}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"price_rule": {"id": 1}}, "price rules: belongs to promotion-to-settlement"),
        ({"gift_card": {"id": 1}}, "gift_card: no contract takes such a document"),
        ({"orders": [{"id": 9, "line_items": []}]}, "order 9: it lists no line items"),
        ({"order": order(test=True)}, "order 10: it is a test"),
        ({"order": order(created_at=None)}, "order: the document has no 'created_at'"),
        ({"order": order(created_at="2026-03-02T10:00:00")}, "created_at has no zone"),
        ({"order": order(total_price="12,00")}, "order: the document is not readable"),
        ({"order": order(total_price=12.5)}, "an amount is a float and not decimal text"),
        ({"order": "10"}, "order: it is no object"),
        (17, "document: no contract takes such a document"),
    ],
)
def test_what_no_contract_takes_is_named_with_its_reason(document: Any, reason: str) -> None:
    assert translate(document) == Translation([], [reason])


def read(path: Path) -> SpooledReading:
    return Shopify().read(path)


def test_documents_in_files_need_no_order_among_themselves(tmp_path: Path) -> None:
    documents = {
        "a.json": {
            "inventory_level": {
                "inventory_item_id": 5,
                "location_id": 3,
                "available": 6,
                "updated_at": AT,
            }
        },
        "b.json": {"orders": [order(), {"id": 11, "created_at": AT}]},
        "z.json": {"variant": {"id": 5, "sku": "MUG", "price": "1.00", "updated_at": AT}},
    }
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "broken.json").write_text('{"order": {"id"')
    (tmp_path / "rule.json").write_text('{"price_rule": {}}')
    reading = read(tmp_path)
    assert [verdict.path.name for verdict in reading.files] == [
        "a.json",
        "b.json",
        "broken.json",
        "rule.json",
        "z.json",
    ]
    assert refused(reading) == {
        "broken.json": "is not a JSON document, or is cut",
        "rule.json": "not taken: price rules: belongs to promotion-to-settlement",
    }
    assert (tmp_path / "b.json", "order 11: it lists no line items") in reading.not_taken
    assert (reading.orders, reading.order_lines, reading.returns) == (1, 2, 0)
    assert sorted(event["type"] for event in told(reading).events) == [
        "retail.inventory.counted.v1",
        "retail.order.placed.v1",
        "retail.price.changed.v1",
        "retail.product.registered.v1",
    ]
    with pytest.raises(BadInput, match="price rules"):
        read(tmp_path / "rule.json")


def test_the_real_payloads_are_taken_or_named() -> None:
    folder = SHARED_DATA / "shopify_payloads"
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}")
    reading = read(folder)
    taken = {verdict.path.name for verdict in reading.files if verdict.refused_because is None}
    assert taken == {
        "customer.json",
        "inventory_level.json",
        "inventory_levels.json",
        "location.json",
        "order.json",
        "product.json",
        "refund.json",
        "transaction.json",
        "transactions.json",
        "variant.json",
    }
    assert all(reason for reason in refused(reading).values())
    answer = told(reading, timedelta(days=1))
    (placed,) = answer.of("order")
    assert total(placed["data"]) == to_ten_thousandths("409.94")
    (returned,) = answer.of("return")
    assert returned["data"]["order_number"] == placed["data"]["order_number"]
    assert reading.starts_at == datetime(2005, 8, 1, tzinfo=UTC)
