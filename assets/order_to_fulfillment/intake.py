"""Taking orders in: which of the placed ones are sound, and what of them may be kept where."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from assets.commerce.identifiers import identify, order_id
from assets.contracts.order import OrderPlaced
from assets.order_to_fulfillment.sourcing.lacking import OUT_OF_STOCK
from assets.order_to_fulfillment.writes import Writes
from assets.ports import InboxEvent, PooledLine, ProductTerms

STORE_CLOSED = "store_closed"


@dataclass
class Candidate:
    """An order on its way in, and what sourcing decided about it.

    Attributes:
        first_line: Index of its first line among the lines that are decided together.
        sourced: What each line was given: line index → (node, units).
        unmet: Why a line lacks units: line index → reason code.
        pooled: Lines that wait for supply, whole: line index → line.
        reasons: What else is to be said about the decision.
    """

    event: InboxEvent
    order_id: str
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
    """Park orders of unknown goods or stores; refuse a second order of the same number."""
    ids = [str(order_id(event.channel, event.data.order_number)) for event in events]
    taken = set(writes.unit_of_work.orders.lock(ids)) | set(writes.orders)
    candidates = []
    for event, identity in zip(events, ids, strict=True):
        unknown = next((line.sku for line in event.data.lines if line.sku not in products), None)
        if identity in taken:
            writes.refuse(
                event, "order_already_placed", "the channel used this order number before"
            )
        elif unknown is not None:
            writes.unit_of_work.inbox.park(event, "unknown_sku", f"sku:{unknown}")
        elif event.data.pickup is not None and not _knows_the_store(event, writes):
            continue
        else:
            taken.add(identity)
            candidates.append(Candidate(event, identity))
    return candidates


def _knows_the_store(event: InboxEvent, writes: Writes) -> bool:
    """Whether customers can collect there; the order waits for a place that nobody knows yet."""
    node = event.data.pickup.node_id
    kind, _ = writes.nodes.get(node, (None, None))
    if kind == "store":
        return True
    if kind is not None:
        writes.refuse(event, "not_a_store", f"nobody hands out goods at {node}")
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
