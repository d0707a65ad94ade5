"""Units that are accepted become stock, and owed for, whether at the dock or after inspection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from assets.inventory.ledger import Movement
from assets.inventory.service import Books, book
from assets.ports import InboxEvent, OrderLineView
from assets.procure_to_stock.rules.receipts import backordered_quantity
from assets.procure_to_stock.writes import Writes


def accept(
    event: InboxEvent,
    kind: str,
    document_id: str,
    accepted: Iterable[tuple[int, OrderLineView, int]],
    books: Books,
) -> None:
    """Book units into stock at standard cost and into clearing at the order's price.

    Args:
        event: The document.
        kind: ``goods_receipt`` or ``goods_inspection``, for movements and journal.
        document_id: Its id.
        accepted: (number of the document's line, order line, units).
        books: Stock and journal of the batch.
    """
    accounts = books.journal.accounts(event)
    legs: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for number, line, units in accepted:
        if not units:
            continue
        movement = Movement(
            event.data.node_id,
            line.sku,
            "received",
            units,
            kind,
            document_id,
            number,
            None,
            event.occurred_at,
        )
        there = book(event, movement, books)
        books.rows["stock_movement"].append(movement._replace(quantity=there))
        terms = books.products[line.sku]
        legs[terms.currency_code][accounts.inventory] += terms.standard_cost * there
        legs[line.currency_code][accounts.goods_invoice_clearing] -= line.unit_price * units
    for currency, by_account in legs.items():
        by_account[accounts.purchase_price_variance] -= sum(by_account.values())
        books.journal.post(
            event,
            kind,
            f"{document_id}/{currency}",
            currency,
            event.occurred_at,
            list(by_account.items()),
        )


def wait_for_the_rest(line: OrderLineView, writes: Writes) -> None:
    """What is missing of a line of which something came is back-ordered, or let go."""
    there = line.accepted_quantity + line.held_quantity
    share = writes.policy(line).under_receipt_basis_points
    is_over = line.is_closed or not line.delivered_quantity
    line.backordered_quantity = (
        0 if is_over else backordered_quantity(line.ordered_quantity, there, share)
    )
