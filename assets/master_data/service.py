"""Takes over what the systems of record say about products, prices, nodes and customers."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from assets.commerce.identifiers import identify
from assets.commerce.money import to_ten_thousandths
from assets.contracts.master_data import (
    CustomerRegistered,
    NodeRegistered,
    PriceChanged,
    PriceShown,
    ProductRegistered,
)
from assets.facts import in_columns
from assets.finance.journal import Journal
from assets.master_data.bundles import possible, put_bundles
from assets.master_data.parity import judge_prices, take_shown_prices
from assets.ports import CONTACT, InboxEvent, ProductTerms, UnitOfWork

CONSUMER = "master_data"


def handle(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Apply master data in the order in which it happened; the newest word about a key stays."""
    _take_nodes(_of(events, NodeRegistered), unit_of_work)
    _take_products(_of(events, ProductRegistered), unit_of_work)
    _take_prices(_of(events, PriceChanged), unit_of_work)
    _take_customers(_of(events, CustomerRegistered), unit_of_work)
    take_shown_prices(_of(events, PriceShown), unit_of_work)


def _of(events: list[InboxEvent], kind: type) -> list[InboxEvent]:
    return [event for event in events if isinstance(event.data, kind)]


def _is_older(event: InboxEvent, told: datetime | None) -> bool:
    """A word that comes late does not undo a newer one."""
    return told is not None and event.occurred_at < told


def _take_nodes(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    told = unit_of_work.master_data.last_told("node", {event.data.node_id for event in events})
    events = [event for event in events if not _is_older(event, told.get(event.data.node_id))]
    latest = {event.data.node_id: event for event in events}
    if not latest:
        return
    rows = [
        (e.data.node_id, e.data.kind, e.data.zone, e.data.country, e.data.is_active, e.occurred_at)
        for e in latest.values()
    ]
    names = ("node_id", "kind", "zone", "country_code", "is_active", "occurred_at")
    unit_of_work.master_data.put_nodes(in_columns(names, rows))
    unit_of_work.inbox.release(f"node:{node_id}" for node_id in latest)


def _take_products(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    told = unit_of_work.master_data.last_told("product", {event.data.sku for event in events})
    events = [event for event in events if not _is_older(event, told.get(event.data.sku))]
    terms = unit_of_work.master_data.products({event.data.sku for event in events})
    events = possible(events, terms, unit_of_work)
    latest = {event.data.sku: event for event in events}
    if not latest:
        return
    _revalue(events, terms, unit_of_work)
    rows = [
        (
            sku,
            event.data.description,
            to_ten_thousandths(event.data.standard_cost),
            event.data.currency,
            event.data.tax_rate,
            event.data.gtin,
            event.data.available_from,
            event.data.product_class,
            event.data.is_synthetic,
            bool(event.data.components),
            event.occurred_at,
        )
        for sku, event in latest.items()
    ]
    names = (
        "sku",
        "description",
        "standard_cost",
        "currency_code",
        "tax_rate_basis_points",
        "gtin",
        "available_from",
        "product_class",
        "is_synthetic",
        "is_bundle",
        "occurred_at",
    )
    unit_of_work.master_data.put_products(in_columns(names, rows))
    put_bundles(latest.values(), unit_of_work)
    unit_of_work.inbox.release(f"sku:{sku}" for sku in latest)


def _revalue(
    events: list[InboxEvent], held: dict[str, ProductTerms], unit_of_work: UnitOfWork
) -> None:
    """A new standard cost changes what the stock on hand is worth, so the ledger must follow."""
    costs = {sku: (terms.currency_code, terms.standard_cost) for sku, terms in held.items()}
    changed = []
    for event in events:
        sku = event.data.sku
        new = (event.data.currency, to_ten_thousandths(event.data.standard_cost))
        if costs.get(sku, new) != new:
            changed.append((event, costs[sku], new))
        costs[sku] = new
    if not changed:
        return
    on_hand: dict[str, int] = defaultdict(int)
    skus = {event.data.sku for event, _, _ in changed}
    for position in unit_of_work.stock.lock_positions(skus):
        on_hand[position.sku] += position.on_hand
    journal = Journal(unit_of_work.policies)
    for event, (old_currency, old_cost), (currency, cost) in changed:
        value = {old_currency: 0, currency: 0}
        value[old_currency] -= on_hand[event.data.sku] * old_cost
        value[currency] += on_hand[event.data.sku] * cost
        accounts = journal.accounts(event)
        for code, amount in value.items():
            journal.post(
                event,
                "inventory_revaluation",
                f"{event.source}/{event.event_id}" + (f"/{code}" if code != currency else ""),
                code,
                event.occurred_at,
                [(accounts.inventory, amount), (accounts.inventory_revaluation, -amount)],
            )
    journal.flush(unit_of_work)


def _take_prices(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Keep approved prices; of two for one instant the first stays, and the other one is set aside.

    The first is the first in the order of events, so it is the same however they are batched.
    """
    first: dict[tuple[str, str, datetime], InboxEvent] = {}
    for event in events:
        first.setdefault(_price_key(event), event)
    if not first:
        return
    rows = [(*key, *_price(event)) for key, event in first.items()]
    names = ("sku", "channel", "occurred_at", "unit_price", "currency_code")
    held = unit_of_work.master_data.put_prices(in_columns(names, rows))
    for event in events:
        sku, channel, occurred_at = key = _price_key(event)
        if held[key] != _price(event):
            reason = f"{channel} had another price of {sku} approved from {occurred_at} on"
            unit_of_work.inbox.quarantine(event, "price_contradicted", reason)
    # A price that is told late may be the one that a channel has shown all along.
    judge_prices({(channel, sku) for sku, channel, _ in first}, unit_of_work)


def _price_key(event: InboxEvent) -> tuple[str, str, datetime]:
    return event.data.sku, event.data.price_channel, event.occurred_at


def _price(event: InboxEvent) -> tuple[int, str]:
    return to_ten_thousandths(event.data.unit_price), event.data.currency


def _take_customers(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    latest = {(event.legal_entity, event.data.customer_number): event for event in events}
    if not latest:
        return
    rows = []
    for (legal_entity, number), event in latest.items():
        data = event.data
        identity = str(identify("customer", legal_entity, number))
        personal = (data.name, data.email, data.address, data.city, data.postcode)
        rows.append((identity, number, data.country, *personal))
    unit_of_work.master_data.put_customers(in_columns(CONTACT, rows))
