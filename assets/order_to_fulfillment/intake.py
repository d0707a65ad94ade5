"""Taking orders in: which of the placed ones are sound, and what of them may be kept where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from assets.commerce.identifiers import identify, order_id
from assets.contracts.order import OrderLine, OrderPlaced
from assets.order_to_fulfillment.bundling import (
    Bundled,
    StockLine,
    components_of,
    load_bundles,
    stock_lines,
    unknown_component,
    whole_bundles,
    why_unmet,
)
from assets.order_to_fulfillment.sourcing.lacking import OUT_OF_STOCK
from assets.order_to_fulfillment.writes import Writes
from assets.ports import CaseType, InboxEvent, PooledLine, ProductTerms, Reservation

STORE_CLOSED = "store_closed"


class Given(NamedTuple):
    """What an order line was given; of a bundle, how many, and units of its components.

    One that waits for supply was given nothing and lacks nothing.
    """

    line: OrderLine
    quantity: int
    unmet: str | None
    reservations: list[Reservation]
    pooled: PooledLine | None = None


@dataclass
class Candidate:
    """An order on its way in, and what sourcing decided about it.

    Attributes:
        bundled: What is in its bundles: line number → components.
        first_line: Index of its first stock line among those that are decided together.
        sourced: What each stock line was given: index → (node, units).
        unmet: Why a stock line lacks units: index → reason code.
        pooled: Lines that wait for supply, whole: index → line; no bundle does.
        reasons: What else is to be said about the decision.
    """

    event: InboxEvent
    order_id: str
    bundled: Bundled = field(default_factory=dict)
    first_line: int = 0
    promised_ready_at: datetime | None = None
    sourced: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    unmet: dict[int, str] = field(default_factory=dict)
    pooled: dict[int, PooledLine] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    @property
    def data(self) -> OrderPlaced:
        """The contract's payload."""
        placed: OrderPlaced = self.event.data
        return placed

    def stock_lines(self) -> Iterator[StockLine]:
        """What stock is asked for: its lines, with the components of bundles in their place."""
        return stock_lines(self.data.lines, self.bundled)

    def stretches(self) -> Iterator[tuple[OrderLine, range]]:
        """Each of its lines with the indexes of its stock lines; a bundle has several."""
        index = self.first_line
        for line in self.data.lines:
            until = index + len(self.bundled.get(line.line_number, (line,)))
            yield line, range(index, until)
            index = until

    def given(self) -> Iterator[Given]:
        """What each of its lines was given."""
        index = self.first_line
        for line in self.data.lines:
            components = self.bundled.get(line.line_number)
            if components is None:
                held = self._reservations(index, line.line_number, line.sku)
                units = sum(reservation.quantity for reservation in held)
                yield Given(line, units, self.unmet.get(index), held, self.pooled.get(index))
                index += 1
                continue
            held, by_number, reasons = [], {}, []
            for part in components:
                found = self._reservations(index, part.number, part.sku)
                held += found
                by_number[part.number] = sum(reservation.quantity for reservation in found)
                reasons += [self.unmet[index]] if index in self.unmet else []
                index += 1
            yield Given(line, whole_bundles(components, by_number), why_unmet(reasons), held)

    def _reservations(self, index: int, number: int, sku: str) -> list[Reservation]:
        return [
            Reservation(self.order_id, number, node, sku, units)
            for node, units in self.sourced.get(index, ())
        ]

    @property
    def store_id(self) -> str | None:
        """Where the customer collects it; nowhere what is shipped."""
        return self.data.pickup.node_id if self.data.pickup else None

    @property
    def why_unfilled(self) -> str:
        """Why it lacks units: nobody has them, or its store has no time to hand them out."""
        is_closed = self.store_id is not None and self.promised_ready_at is None
        return STORE_CLOSED if is_closed else OUT_OF_STOCK


def admit(
    events: list[InboxEvent], products: dict[str, ProductTerms], writes: Writes
) -> list[Candidate]:
    """Park orders of unknown goods or stores; refuse a second order of the same number.

    What is in bundles joins the products.
    """
    bundles = load_bundles(products, writes.unit_of_work.master_data)
    ids = [str(order_id(event.channel, event.data.order_number)) for event in events]
    taken = set(writes.unit_of_work.orders.lock(ids)) | set(writes.orders)
    candidates = []
    for event, identity in zip(events, ids, strict=True):
        lines = event.data.lines
        unknown = next((line.sku for line in lines if line.sku not in products), None)
        if unknown is None and bundles:
            unknown = unknown_component(lines, bundles, products)
        if identity in taken:
            writes.refuse(
                event, CaseType.ORDER_ALREADY_PLACED, "the channel used this order number before"
            )
        elif unknown is not None:
            writes.unit_of_work.inbox.park(event, "unknown_sku", f"sku:{unknown}")
        elif (wrong := _what_is_wrong(event, writes)) is not None:
            writes.refuse(event, *wrong)
        elif event.data.pickup is not None and not _knows_the_store(event, writes):
            continue
        else:
            taken.add(identity)
            bundled = components_of(lines, bundles, products) if bundles else {}
            candidates.append(Candidate(event, identity, bundled))
    return candidates


def _what_is_wrong(event: InboxEvent, writes: Writes) -> tuple[CaseType, str] | None:
    """What no system of ours could make up for: whose order it is, and where it goes."""
    if event.channel not in writes.channels:
        return CaseType.UNKNOWN_CHANNEL, f"no policy names the channel {event.channel}"
    ship_to = event.data.ship_to
    policy = writes.policy(event.region, event.brand)
    if (
        event.data.pickup is None
        and ship_to.address is not None
        and ship_to.postcode is None
        and ship_to.country not in policy.countries_without_postcodes
    ):
        return CaseType.ADDRESS_INVALID, f"a parcel to {ship_to.country} needs a postcode"
    return None


def _knows_the_store(event: InboxEvent, writes: Writes) -> bool:
    """Whether customers can collect there; the order waits for a place that nobody knows yet."""
    node = event.data.pickup.node_id
    kind, _ = writes.nodes.get(node, (None, None))
    if kind == "store":
        return True
    if kind is not None:
        writes.refuse(event, CaseType.NOT_A_STORE, f"nobody hands out goods at {node}")
    else:
        writes.unit_of_work.inbox.park(event, "unknown_node", f"node:{node}")
    return False


def remember_customer(candidate: Candidate, writes: Writes) -> str | None:
    """The pseudonymous id; what is personal goes to the one table that can be erased."""
    data, ship_to = candidate.data, candidate.data.ship_to
    personal = (ship_to.name, ship_to.email, ship_to.address, ship_to.city, ship_to.postcode)
    if data.customer_number is None and not any(personal):
        return None
    number = data.customer_number or f"guest of {candidate.order_id}"
    identity = str(identify("customer", candidate.event.legal_entity, number))
    if any(personal):
        writes.remember_contact(identity, number, ship_to.country, *personal)
    return identity
