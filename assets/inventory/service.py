"""Applies physical facts about stock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from assets.commerce.identifiers import identify
from assets.contracts.inventory import (
    AvailabilityAcknowledged,
    InboundAnnounced,
    InventoryCounted,
    InventoryReceived,
)
from assets.facts import FactRows
from assets.finance.journal import Journal
from assets.finance.policy import Accounts
from assets.inventory.inbound import take_announcements
from assets.inventory.late_facts import correct_counts, is_known_to
from assets.inventory.ledger import LEDGERS, Movement, PositionChanges, StockLedgers
from assets.inventory.publication import acknowledge
from assets.inventory.rules import book_change, broken_up
from assets.inventory.unknown import awaited
from assets.ports import (
    About,
    Case,
    CaseType,
    Count,
    InboxEvent,
    ProductTerms,
    Reservation,
    Scope,
    UnitOfWork,
)


@dataclass
class Books:
    """Positions as this batch changes them, and the rows that say so."""

    unit_of_work: UnitOfWork
    products: dict[str, ProductTerms]
    journal: Journal
    positions: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    changes: PositionChanges = field(default_factory=PositionChanges)
    #: Open reservations of positions that lost stock, the newest last.
    reservations: dict[tuple[str, str], list[Reservation]] = field(default_factory=dict)
    #: Reservations that this batch has ended.
    ended: set[Reservation] = field(default_factory=set)
    rows: FactRows = field(default_factory=lambda: FactRows(LEDGERS))
    #: The last counts of positions, as far as an event of this batch may be older than they.
    counts: dict[tuple[str, str], Count] = field(default_factory=dict)
    #: Movements that a count knew before we were told of them.
    told_late: list[tuple[Scope, Movement]] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)


def handle(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Apply receipts, counts and adjustments; hear what is announced and what channels took up.

    A physical fact is never refused. Reservations that it leaves without stock give way in the
    same transaction, newest first, and a case opens. A document that names an unknown node or SKU
    waits for it, and one that names a bundle is quarantined: only its components lie anywhere.
    """
    heard = [event for event in events if isinstance(event.data, AvailabilityAcknowledged)]
    acknowledge(heard, unit_of_work)
    announced = [event for event in events if isinstance(event.data, InboundAnnounced)]
    take_announcements(announced, unit_of_work)
    no_facts = (AvailabilityAcknowledged, InboundAnnounced)
    events = [event for event in events if not isinstance(event.data, no_facts)]
    if not events:
        return
    skus = {line.sku for event in events for line in event.data.lines}
    books = open_books(skus, min(event.occurred_at for event in events), unit_of_work)
    nodes = unit_of_work.master_data.nodes()
    bundles = {sku for sku, terms in books.products.items() if terms.is_bundle}
    documents = [reference(event) for event in events]
    booked = unit_of_work.known("stock_movement", "reference_id", documents)
    booked |= unit_of_work.known("inventory_counted", "reference_id", documents)
    for event, document in zip(events, documents, strict=True):
        if waits_for := awaited(event, books.products, nodes):
            unit_of_work.inbox.park(event, *waits_for)
        elif bundle := next((x.sku for x in event.data.lines if x.sku in bundles), None):
            reason = f"{bundle} is a bundle: its components are received and counted"
            unit_of_work.inbox.quarantine(event, "bundle_with_stock", reason)
            case = Case(
                CaseType.BUNDLE_WITH_STOCK,
                f"{event.data.document_number}/{bundle}",
                reason,
                About.scope(event, event.data.node_id),
            )
            books.cases.append(case)
        elif document in booked:
            unit_of_work.inbox.quarantine(
                event, "document_already_booked", f"{event.data.document_number} was booked before"
            )
        else:
            booked.add(document)
            apply(event, books)
    flush(books)


def open_books(skus: Iterable[str], earliest: datetime, unit_of_work: UnitOfWork) -> Books:
    """The positions of these SKUs at every node, locked until the transaction ends.

    Args:
        skus: What may be moved.
        earliest: When the first of the movements happened; counts since then know of it.
        unit_of_work: The transaction.
    """
    wanted = set(skus)
    books = Books(
        unit_of_work, unit_of_work.master_data.products(wanted), Journal(unit_of_work.policies)
    )
    for node_id, sku, *quantities in unit_of_work.stock.lock_positions(wanted):
        books.positions[node_id, sku] = quantities
    for last in unit_of_work.stock.counted_since(wanted, earliest):
        books.counts[last.node_id, last.sku] = last
    return books


def reference(event: InboxEvent) -> str:
    """The id of a stock document, which its movements carry."""
    return str(identify("stock_document", event.source, event.data.document_number))


def apply(event: InboxEvent, books: Books) -> None:
    """Book one document: its movements, what they do to positions, and their value."""
    kind, reason, lines = _changes(event, books)
    accounts = books.journal.accounts(event)
    value: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line_number, sku, change in lines:
        movement = Movement(
            node_id=event.data.node_id,
            sku=sku,
            kind=kind,
            quantity=change,
            reason_code=reason,
            reference_id=reference(event),
            reference_line=line_number,
            order_id=None,
            occurred_at=event.occurred_at,
        )
        is_new = (movement.node_id, sku) not in books.positions
        booked = book(event, movement, books)
        if booked:
            books.rows["stock_movement"].append(movement._replace(quantity=booked))
            terms = books.products[sku]
            against = _against(event, kind, is_new, accounts)
            value[terms.currency_code][against] -= terms.standard_cost * booked
    for currency, by_account in value.items():
        books.journal.post(
            event,
            f"inventory_{kind}",
            f"{reference(event)}/{currency}",
            currency,
            event.occurred_at,
            [(accounts.inventory, -sum(by_account.values())), *by_account.items()],
        )


def _changes(event: InboxEvent, books: Books) -> tuple[str, str, list[tuple[int, str, int]]]:
    """The kind of a document's movements, their reason, and (line, SKU, units) of each."""
    data = event.data
    if isinstance(data, InventoryCounted):
        return "counted", "count", _count_differences(event, books)
    lines = [(line.line_number, line.sku, line.quantity) for line in data.lines]
    if isinstance(data, InventoryReceived):
        if data.inbound_document is not None:
            books.rows["inbound_received"] += [
                (reference(event), number, data.inbound_document, sku, units, event.occurred_at)
                for number, sku, units in lines
            ]
        return "received", "goods_receipt", lines
    return "adjusted", data.reason, lines


def book(event: InboxEvent, movement: Movement, books: Books) -> int:
    """Change the position by a movement; gives the units that the books can show of it."""
    key = (movement.node_id, movement.sku)
    if movement.kind != "counted" and is_known_to(books.counts.get(key), movement):
        # The count has seen to stock and reservations; it is corrected by the same units.
        books.told_late.append((event, movement))
        books.changes.add(*key, on_hand=movement.quantity)
        return movement.quantity
    position = books.positions.get(key, [0, 0, 0])
    booked, giving_way, unbooked = book_change(movement.quantity, *position)
    if unbooked:
        terms = books.products[movement.sku]
        books.cases.append(_beyond_the_books(event, movement.sku, unbooked, terms))
    if giving_way:
        _let_reservations_give_way(event, key, giving_way, books)
    if booked:
        position[0] += booked
        books.positions[key] = position
        books.changes.add(*key, on_hand=booked)
    return booked


def _count_differences(event: InboxEvent, books: Books) -> list[tuple[int, str, int]]:
    """A count is true at its own time: what moved since then is added to it.

    One that is told after a later count of the same position changes nothing any more.
    """
    node = event.data.node_id
    keys = [(node, line.sku) for line in event.data.lines]
    moved = books.unit_of_work.stock.moved_since(keys, event.occurred_at)
    differences = []
    for number, line in enumerate(event.data.lines, start=1):
        key = (node, line.sku)
        books.rows["inventory_counted"].append(
            (reference(event), number, node, line.sku, line.quantity, event.occurred_at)
        )
        later = books.counts.get(key)
        if later is not None and later.occurred_at > event.occurred_at:
            continue
        books.counts[key] = Count(node, line.sku, line.quantity, event.occurred_at)
        on_hand = books.positions.get(key, [0])[0]
        differences.append((number, line.sku, line.quantity + moved.get(key, 0) - on_hand))
    return differences


def _against(event: InboxEvent, kind: str, is_new: bool, accounts: Accounts) -> str:
    """What stands against inventory; the first count of a position opens it."""
    data = event.data
    if (kind == "received" and data.from_node_id) or (kind == "adjusted" and data.to_node_id):
        return accounts.goods_in_transit
    if kind == "received":
        return accounts.goods_received_not_invoiced
    is_opening = kind == "counted" and is_new
    return accounts.opening_balance if is_opening else accounts.inventory_adjustment


def _beyond_the_books(event: InboxEvent, sku: str, unbooked: int, terms: ProductTerms) -> Case:
    data = event.data
    value = unbooked * terms.standard_cost
    return Case(
        CaseType.STOCK_BEYOND_THE_BOOKS,
        f"{data.document_number}/{sku}",
        f"{data.node_id}: {unbooked} units of {sku} were written off that the books do not have",
        About.scope(event, data.node_id, value, terms.currency_code),
    )


def _let_reservations_give_way(
    event: InboxEvent, key: tuple[str, str], units: int, books: Books
) -> None:
    """Move what lost its stock to the shortage pool, newest reservation first and whole."""
    if key not in books.reservations:
        found = books.unit_of_work.stock.open_reservations_of_positions([key])
        books.reservations[key] = found[::-1]
    while units > 0:
        lost = books.reservations[key].pop()
        if lost in books.ended:
            continue
        units -= lost.quantity
        _end(lost, "moved_to_shortage", books)
        order_id, line_number, node_id, sku, quantity = lost
        books.cases.append(
            Case(
                CaseType.SHORTAGE_AFTER_COUNT,
                f"{order_id}/{line_number}",
                f"{quantity} units of {sku} promised from {node_id} are not there",
                _of_reservation(event, lost, books.products[sku]),
            )
        )
        for other in broken_up(lost, books.unit_of_work.stock.open_with(order_id, line_number)):
            if other not in books.ended:
                _end(other, "released", books)


def _of_reservation(event: InboxEvent, lost: Reservation, terms: ProductTerms) -> About:
    """Of goods that an order was promised: at risk is what they cost."""
    value = lost.quantity * terms.standard_cost
    about = About.scope(event, lost.node_id, value, terms.currency_code)
    return replace(about, order_id=lost.order_id)


def _end(reservation: Reservation, kind: str, books: Books) -> None:
    order_id, line_number, node_id, sku, quantity = reservation
    books.ended.add(reservation)
    if (node_id, sku) in books.positions:
        books.positions[node_id, sku][1] -= quantity
    books.changes.add(node_id, sku, reserved=-quantity)
    books.rows["reservation_movement"].append(
        (order_id, line_number, node_id, sku, kind, -quantity, False, None)
    )


def flush(books: Books) -> None:
    """Write what the books have gathered, as one statement a table."""
    unit_of_work = books.unit_of_work
    ledgers = StockLedgers(unit_of_work, books.rows, books.changes, books.journal)
    correct_counts(books.told_late, books.products, ledgers)
    books.rows.flush(unit_of_work)
    books.changes.flush(unit_of_work)
    books.journal.flush(unit_of_work)
    unit_of_work.open_cases(books.cases)
