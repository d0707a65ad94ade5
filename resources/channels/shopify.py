"""Shopify's API documents, translated to our events. Pure: files and webhooks both come here.

A document is what the Admin API answers, ``{"order": {…}}`` or ``{"orders": […]}``; a webhook's
bare object is the same after `named_by_topic`. Ids make the keys: the order number is Shopify's
order id, because fulfilments, refunds and transactions name an order by nothing else.

Unit prices in a shop whose prices exclude tax stay as they are and the tax is a charge, so that
lines and charges add up to ``total_price`` exactly; what the document itself cannot account for
(its parts do not add up) is the charge ``channel_difference``. In a return, a negative charge is
money given back, like the goods.

Personal data go nowhere but into the fields that the contracts class as personal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from assets.commerce.identifiers import fulfilment_order_id, identify, order_id
from assets.commerce.money import to_ten_thousandths, to_text

Document = Mapping[str, Any]

# fmt: off
_EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})
# fmt: on
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LONGEST_PERSONAL = 200
_LONGEST_TEXT = 500

_SETTLEMENT = "belongs to promotion-to-settlement"
_NOT_OURS = {
    "price_rule": f"price rules: {_SETTLEMENT}",
    "discount_code": f"discount codes: {_SETTLEMENT}",
    "payout": f"payouts: {_SETTLEMENT}",
    "dispute": "disputes: no contract takes a chargeback yet",
    "risk": "order risks: no contract takes an assessment of fraud",
}


class NotTaken(Exception):
    """A document, or a part of one, that no contract takes, with the reason."""


@dataclass(frozen=True)
class Shop:
    """What a shop's documents leave to be declared.

    Attributes:
        source: Code under which the shop's events come in.
        price_channel: The channel of its prices, and of orders whose origin is not listed.
        channel_by_source_name: Of an order, by Shopify's ``source_name``.
        node_id: Where goods leave from when a fulfilment names no location.
        country: Of an order without any address, such as one at a till.
    """

    source: str = "shopify"
    legal_entity: str = "shopify_shop"
    brand: str = "shopify_shop"
    zone: str = "UTC"
    currency: str = "USD"
    country: str = "US"
    node_id: str = "shopify"
    price_channel: str = "web_shop"
    channel_by_source_name: Mapping[str, str] = field(
        default_factory=lambda: {
            "web": "web_shop",
            "pos": "store",
            "amazon": "marketplace",
            "ebay": "marketplace",
        }
    )


@dataclass
class Directory:
    """What one document says that another needs: ids to names. Filled by `learn`."""

    sku_by_item: dict[str, str] = field(default_factory=dict)
    cost_by_item: dict[str, str] = field(default_factory=dict)
    description_by_variant: dict[str, str] = field(default_factory=dict)
    order_by_id: dict[str, Document] = field(default_factory=dict)


class Translation(NamedTuple):
    """The events of a document, and what of it was not taken."""

    envelopes: list[dict[str, Any]]
    not_taken: list[str]


def named_by_topic(topic: str, payload: Document) -> Document:
    """A webhook's bare object as the API would name it: ``orders/create`` → ``{"order": …}``."""
    plural = topic.partition("/")[0]
    name = {"order_transactions": "transaction"}.get(plural, plural.removesuffix("s"))
    return {name: payload}


def translate(
    document: Any, shop: Shop | None = None, directory: Directory | None = None
) -> Translation:
    """Say in our events what a document says.

    Args:
        document: Decoded JSON. It is not changed.
        shop: What the documents leave to be declared.
        directory: What other documents said; without one, an inventory level is taken only if it
            names its SKU, and a shipment only if it needs no order's line numbers.
    """
    shop = shop or Shop()
    known = Directory() if directory is None else directory
    envelopes: list[dict[str, Any]] = []
    not_taken: list[str] = []
    for kind, item in _items(document):
        try:
            translator = _TRANSLATORS.get(kind)
            if translator is None:
                raise NotTaken(_NOT_OURS.get(kind, f"{kind}: no contract takes such a document"))
            if not isinstance(item, Mapping):
                raise NotTaken(f"{kind}: it is no object")
            events = translator(item, shop, known)
            for event in events:
                if event not in envelopes:
                    envelopes.append(event)
        except NotTaken as reason:
            not_taken.append(str(reason))
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            missing = f"has no {problem}" if isinstance(problem, KeyError) else "is not readable"
            not_taken.append(f"{kind}: the document {missing}")
    return Translation(envelopes, list(dict.fromkeys(not_taken)))


def learn(document: Any, directory: Directory) -> None:
    """Note what a document says that others need; to be called before they are translated."""
    for kind, item in _items(document):
        if not isinstance(item, Mapping):
            continue
        if kind == "product":
            for variant in _list(item, "variants"):
                title = " - ".join(
                    text for text in (item.get("title"), variant.get("title")) if text
                )
                directory.description_by_variant[str(variant.get("id"))] = title
                _learn_variant(variant, directory)
        elif kind == "variant":
            _learn_variant(item, directory)
        elif kind == "inventory_item":
            key = str(item.get("id"))
            if item.get("sku"):
                directory.sku_by_item[key] = _sku(item)
            if item.get("cost"):
                directory.cost_by_item[key] = str(item["cost"])
        elif kind == "order" and item.get("line_items"):
            directory.order_by_id[str(item.get("id"))] = item


def _learn_variant(variant: Document, directory: Directory) -> None:
    directory.sku_by_item.setdefault(_item_id(variant), _sku(variant))


def _items(document: Any) -> Iterable[tuple[str, Any]]:
    """Each object of a document with its kind in the singular."""
    if isinstance(document, list):
        # Lists of transactions come without a name around them.
        return [("transaction" if _is_payment(item) else "list", item) for item in document]
    if not isinstance(document, Mapping) or len(document) != 1:
        return [("document", document)]
    ((name, content),) = document.items()
    if not isinstance(content, list):
        return [(name, content)]
    singular = name.removesuffix("s")
    if singular == "transaction" and content and not any(map(_is_payment, content)):
        # Payouts list their bookings under the same name.
        return [("payout", content)]
    return [(singular, item) for item in content]


def _is_payment(item: Any) -> bool:
    return isinstance(item, Mapping) and "kind" in item and "order_id" in item


# Reading single values


def _list(item: Document, name: str) -> list[Any]:
    value = item.get(name)
    return value if isinstance(value, list) else []


def _instant(item: Document, *names: str) -> str:
    for name in names:
        text = item.get(name)
        if isinstance(text, str) and text:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise NotTaken(f"{name} has no zone")
            return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    raise KeyError(names[0])


def _money(value: Any) -> int:
    if value in (None, ""):
        return 0
    if isinstance(value, float):
        raise NotTaken("an amount is a float and not decimal text")
    return to_ten_thousandths(str(value))


def _sku(variant: Document) -> str:
    """Shops may leave the SKU empty; the variant's id stands for it then."""
    sku = str(variant.get("sku") or "").strip().upper()
    return sku or f"VARIANT-{variant.get('variant_id') or variant['id']}"


def _item_id(variant: Document) -> str:
    # Before 2018 a variant was its own inventory item.
    return str(variant.get("inventory_item_id") or variant["id"])


def _region(country: str) -> str:
    if country == "GB":
        return "uk"
    return "eu" if country in _EU else "row"


def _code(text: Any, otherwise: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", str(text or "").lower()).strip("_")
    return plain if _CODE.fullmatch(plain) else otherwise


def _personal(address: Document, name: Any, email: Any) -> dict[str, str]:
    """The personal fields of our contracts, as far as they are filled."""
    lines = ", ".join(str(address[key]) for key in ("address1", "address2") if address.get(key))
    fields = {
        "name": str(name or "")[:_LONGEST_PERSONAL],
        "email": str(email or ""),
        "address": lines[:_LONGEST_PERSONAL],
        "city": str(address.get("city") or "")[:_LONGEST_PERSONAL],
        "postcode": str(address.get("zip") or "")[:16],
    }
    if not _EMAIL.fullmatch(fields["email"]) or len(fields["email"]) > 254:
        del fields["email"]
    return {key: value for key, value in fields.items() if value}


def _full_name(person: Document) -> str:
    return " ".join(str(person[key]) for key in ("first_name", "last_name") if person.get(key))


def _envelope(
    shop: Shop,
    event_type: str,
    identity: tuple[object, ...],
    subject: str,
    time: str,
    data: dict[str, Any],
    *,
    country: str | None = None,
    channel: str | None = None,
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(identify(shop.source, event_type, *identity)),
        "source": shop.source,
        "type": event_type,
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "legalentity": shop.legal_entity,
        "brand": shop.brand,
        "region": _region(country or shop.country),
        "channel": channel or shop.price_channel,
        "correlationid": subject,
        "data": data,
    }


# Master data. Their ids hold what they say: the same said again is the same event, and what two
# documents say differently of one moment are two.


def _product(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    return [
        event for variant in _list(item, "variants") for event in _variant(variant, shop, known)
    ]


def _variant(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    sku = _sku(item)
    time = _instant(item, "updated_at", "created_at")
    price = _money(item["price"])
    cost = to_text(_money(known.cost_by_item.get(_item_id(item), "0")))
    description = known.description_by_variant.get(str(item["id"])) or str(item.get("title") or "")
    registered = {
        "sku": sku,
        "description": description[:_LONGEST_TEXT],
        "standard_cost": cost,
        "currency": shop.currency,
        # Shopify works the tax out by place; it comes with each order.
        "tax_rate": 0,
    }
    changed = {
        "sku": sku,
        "price_channel": shop.price_channel,
        "unit_price": to_text(price),
        "currency": shop.currency,
    }
    return [
        _envelope(
            shop,
            "retail.product.registered.v1",
            (sku, time, *registered.values()),
            sku,
            time,
            registered,
        ),
        _envelope(
            shop, "retail.price.changed.v1", (sku, time, *changed.values()), sku, time, changed
        ),
    ]


def _inventory_item(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    if not item.get("cost"):
        raise NotTaken(
            f"inventory item {item['id']}: it names the SKU of its levels and has no cost to tell"
        )
    sku = _sku(item)
    descriptions = {
        sku_of_item: known.description_by_variant[key]
        for key, sku_of_item in known.sku_by_item.items()
        if key in known.description_by_variant
    }
    time = _instant(item, "updated_at", "created_at")
    data = {
        "sku": sku,
        "description": descriptions.get(sku, "")[:_LONGEST_TEXT],
        "standard_cost": to_text(_money(item["cost"])),
        "currency": shop.currency,
        "tax_rate": 0,
    }
    return [
        _envelope(
            shop, "retail.product.registered.v1", (sku, time, *data.values()), sku, time, data
        )
    ]


def _location(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    del known
    node_id = str(item["id"])
    time = _instant(item, "updated_at", "created_at")
    country = str(item.get("country_code") or item.get("country") or shop.country)
    data = {
        "node_id": node_id,
        # A location that an app fulfils from is not the shop's own; all others can be walked into.
        "kind": "drop_ship" if item.get("legacy") else "store",
        "zone": shop.zone,
        "country": country,
        "is_active": bool(item.get("active", True)) and not item.get("deleted_at"),
    }
    return [
        _envelope(
            shop,
            "retail.node.registered.v1",
            (time, *data.values()),
            node_id,
            time,
            data,
            country=country,
        )
    ]


def _inventory_level(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    item_id, node_id = str(item["inventory_item_id"]), str(item["location_id"])
    sku = known.sku_by_item.get(item_id)
    if sku is None:
        raise NotTaken(
            f"inventory level of item {item_id}: no product, variant or inventory item names its "
            "SKU"
        )
    available = item.get("available")
    if not isinstance(available, int) or available < 0:
        raise NotTaken(f"inventory level of item {item_id}: {available} units cannot be counted")
    time = _instant(item, "updated_at")
    number = f"{item_id}-{node_id}-{time}"
    data = {
        "document_number": number,
        "node_id": node_id,
        "lines": [{"sku": sku, "quantity": available}],
    }
    return [
        _envelope(shop, "retail.inventory.counted.v1", (number, sku, available), number, time, data)
    ]


def _customer(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    del known
    number = str(item["id"])
    time = _instant(item, "updated_at", "created_at")
    address = item.get("default_address") or {}
    country = address.get("country_code")
    data: dict[str, Any] = {"customer_number": number}
    if country:
        data["country"] = country
    data |= _personal(address, _full_name(item), item.get("email"))
    return [
        _envelope(
            shop,
            "retail.customer.registered.v1",
            # Not what it says: an id made of personal data would outlive their erasure.
            (number, time),
            number,
            time,
            data,
            country=country,
        )
    ]


# Orders


def _order(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    number = str(item["id"])
    if item.get("test"):
        raise NotTaken(f"order {number}: it is a test")
    if not _list(item, "line_items"):
        raise NotTaken(f"order {number}: it lists no line items")
    time = _instant(item, "created_at")
    address = item.get("shipping_address") or item.get("billing_address") or {}
    country = str(address.get("country_code") or shop.country)
    channel = _channel(item, shop)
    lines = [
        {
            "line_number": line_number,
            "sku": _sku(line),
            "quantity": line["quantity"],
            "unit_price": to_text(_money(line["price"])),
        }
        for line_number, line in enumerate(_list(item, "line_items"), start=1)
        if line["quantity"]
    ]
    charges = [("discount", -_money(item.get("total_discounts")))]
    charges += [("shipping", _money(line.get("price"))) for line in _list(item, "shipping_lines")]
    charges += [("tip", _money(item.get("total_tip_received")))]
    if not item.get("taxes_included"):
        charges += [("tax", _money(item.get("total_tax")))]
    accounted = sum(
        line["quantity"] * to_ten_thousandths(str(line["unit_price"])) for line in lines
    ) + sum(amount for _, amount in charges)
    charges += [("channel_difference", _money(item["total_price"]) - accounted)]
    data: dict[str, Any] = {
        "order_number": number,
        "currency": str(item.get("currency") or shop.currency),
        "lines": lines,
        "charges": _written(charges),
        "ship_to": {"country": country}
        | _personal(
            address,
            address.get("name") or _full_name(address),
            item.get("email") or item.get("contact_email"),
        ),
    }
    if isinstance(customer := item.get("customer"), Mapping) and customer.get("id"):
        data["customer_number"] = str(customer["id"])
    events = [
        _envelope(
            shop,
            "retail.order.placed.v1",
            (number,),
            number,
            time,
            data,
            country=country,
            channel=channel,
        )
    ]
    if item.get("cancelled_at"):
        reason = {"order_number": number, "reason": _code(item.get("cancel_reason"), "other")}
        events.append(
            _envelope(
                shop,
                "retail.order.cancelled.v1",
                (number,),
                number,
                _instant(item, "cancelled_at"),
                reason,
                country=country,
                channel=channel,
            )
        )
    with_itself = Directory(
        known.sku_by_item,
        known.cost_by_item,
        known.description_by_variant,
        known.order_by_id | {number: item},
    )
    # An order tells its fulfilments and refunds once more; what is not yet done is no fact.
    for part in _list(item, "fulfillments"):
        if part.get("status") == "success":
            events += _fulfillment(part, shop, with_itself)
    for part in _list(item, "refunds"):
        events += _refund({"order_id": number, **part}, shop, with_itself)
    return events


def _channel(order: Document | None, shop: Shop) -> str:
    name = str((order or {}).get("source_name") or "")
    return shop.channel_by_source_name.get(name, shop.price_channel)


def _written(charges: list[tuple[str, int]]) -> list[dict[str, str]]:
    return [{"code": code, "amount": to_text(amount)} for code, amount in charges if amount]


def _of_order(number: str, shop: Shop, known: Directory) -> dict[str, Any]:
    """Region and channel of an order that came before, as its own event had them."""
    order = known.order_by_id.get(number)
    address = (order or {}).get("shipping_address") or (order or {}).get("billing_address") or {}
    return {
        "country": address.get("country_code") or shop.country,
        "channel": _channel(order, shop),
    }


def _fulfillment(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    number, shipment = str(item["order_id"]), str(item["id"])
    if item.get("status") != "success":
        raise NotTaken(
            f"fulfillment {shipment}: it is {item.get('status')}, so nothing was handed over"
        )
    order = known.order_by_id.get(number)
    if order is None:
        raise NotTaken(f"fulfillment {shipment}: order {number} is not known, nor are its lines")
    line_numbers = {
        str(line["id"]): line_number
        for line_number, line in enumerate(_list(order, "line_items"), start=1)
    }
    lines = [
        {
            "line_number": line_numbers[str(line["id"])],
            "sku": _sku(line),
            "quantity": line["quantity"],
        }
        for line in _list(item, "line_items")
    ]
    if not lines:
        raise NotTaken(f"fulfillment {shipment}: it lists no line items")
    node_id = str(item.get("location_id") or shop.node_id)
    about = _of_order(number, shop, known)
    ours = fulfilment_order_id(order_id(str(about["channel"]), number), node_id)
    data = {
        "order_number": number,
        "fulfilment_order_id": str(ours),
        "shipment_number": shipment,
        "node_id": node_id,
        "carrier": str(item.get("tracking_company") or "unknown"),
        "lines": lines,
    }
    time = _instant(item, "created_at")
    return [
        _envelope(shop, "retail.shipment.dispatched.v1", (shipment,), number, time, data, **about)
    ]


def _fulfillment_event(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    number, shipment = str(item["order_id"]), str(item["fulfillment_id"])
    if item.get("status") != "delivered":
        raise NotTaken(
            f"fulfillment event {item['id']}: {item.get('status')} is not a delivery to the "
            "customer"
        )
    return [
        _envelope(
            shop,
            "retail.shipment.delivered.v1",
            (shipment,),
            number,
            _instant(item, "happened_at", "created_at"),
            {"order_number": number, "shipment_number": shipment},
            **_of_order(number, shop, known),
        )
    ]


# Money


def _transaction(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    number, key = str(item["order_id"]), str(item["id"])
    kind, status = item.get("kind"), item.get("status")
    if item.get("test"):
        raise NotTaken(f"transaction {key}: it is a test")
    if kind not in ("authorization", "capture", "sale"):
        raise NotTaken(f"transaction {key}: a {kind} belongs to return-to-resolution")
    if status not in ("success", "failure", "error"):
        raise NotTaken(f"transaction {key}: it is {status}, so nothing is decided")
    if kind == "capture" and status != "success":
        raise NotTaken(f"transaction {key}: a capture that failed moved no money")
    reference = str(item.get("parent_id") or key)
    order = known.order_by_id.get(number) or {}
    amount = {
        "order_number": number,
        "payment_reference": reference,
        "amount": to_text(_money(item["amount"])),
        "currency": str(item.get("currency") or order.get("currency") or shop.currency),
    }
    told: list[tuple[str, dict[str, Any]]]
    if status != "success":
        reason = _code(item.get("error_code"), "declined")
        declined = {"order_number": number, "payment_reference": reference, "reason": reason}
        told = [("retail.payment.declined.v1", declined)]
    elif kind == "authorization":
        told = [("retail.payment.authorised.v1", amount)]
    elif kind == "capture":
        told = [("retail.payment.captured.v1", amount)]
    else:
        # A sale is both at once.
        told = [("retail.payment.authorised.v1", amount), ("retail.payment.captured.v1", amount)]
    time = _instant(item, "processed_at", "created_at")
    about = _of_order(number, shop, known)
    return [
        _envelope(shop, event_type, (key,), number, time, data, **about)
        for event_type, data in told
    ]


def _refund(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    if "id" not in item:
        raise NotTaken("refund: it is a calculation of one, nothing was given back")
    key, number = str(item["id"]), str(item["order_id"])
    lines: list[dict[str, Any]] = []
    charges: list[tuple[str, int]] = []
    for line_number, refunded in enumerate(_list(item, "refund_line_items"), start=1):
        line = refunded["line_item"]
        lines.append(
            {
                "line_number": line_number,
                "sku": _sku(line),
                "quantity": refunded["quantity"],
                "unit_price": to_text(_money(line["price"])),
            }
        )
        charges.append(("tax", -_money(refunded.get("total_tax"))))
    for adjustment in _list(item, "order_adjustments"):
        code = "shipping" if adjustment.get("kind") == "shipping_refund" else "adjustment"
        amount = _money(adjustment.get("amount")) + _money(adjustment.get("tax_amount"))
        charges.append((code, amount))
    payments = [
        payment
        for payment in _list(item, "transactions")
        if payment.get("kind") == "refund" and payment.get("status") == "success"
    ]
    if payments:
        goods = sum(line["quantity"] * to_ten_thousandths(line["unit_price"]) for line in lines)
        given_back = sum(_money(payment["amount"]) for payment in payments)
        accounted = goods - sum(amount for _, amount in charges)
        charges.append(("channel_difference", accounted - given_back))
    written = _written(charges)
    if not lines and not written:
        raise NotTaken(f"refund {key}: it gives back neither goods nor money")
    order = known.order_by_id.get(number) or {}
    currencies = [str(payment["currency"]) for payment in payments if payment.get("currency")]
    data: dict[str, Any] = {
        "return_number": key,
        "order_number": number,
        "currency": (currencies or [str(order.get("currency") or shop.currency)])[0],
        "lines": lines,
        "charges": written,
    }
    customer = order.get("customer")
    if isinstance(customer, Mapping) and customer.get("id"):
        data["customer_number"] = str(customer["id"])
    return [
        _envelope(
            shop,
            "retail.return.requested.v1",
            (key,),
            number,
            _instant(item, "created_at"),
            data,
            **_of_order(number, shop, known),
        )
    ]


_TRANSLATORS: dict[str, Callable[[Document, Shop, Directory], list[dict[str, Any]]]] = {
    "product": _product,
    "variant": _variant,
    "inventory_item": _inventory_item,
    "location": _location,
    "inventory_level": _inventory_level,
    "customer": _customer,
    "order": _order,
    "fulfillment": _fulfillment,
    "fulfillment_event": _fulfillment_event,
    "transaction": _transaction,
    "refund": _refund,
}
