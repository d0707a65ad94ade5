"""Orders in flight, and their parts at nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from assets.ports.cases import About


@dataclass(slots=True)
class OrderView:
    """What the next step of an order needs to know of it.

    ``promised_date`` is what the customer was promised last, until the order ends. ``changed_at``
    is when the event that this batch applies to it happened; it is not stored.
    """

    order_id: str
    order_number: str
    status: str
    legal_entity: str
    brand: str
    region: str
    channel: str
    correlation_id: str
    customer_id: str | None
    country_code: str
    service_level: str
    currency_code: str
    line_count: int
    charge_amount: int
    total_amount: int
    payable_amount: int
    authorised_amount: int
    capture_requested_amount: int
    captured_amount: int
    refund_requested_amount: int
    refunded_amount: int
    payment_reference: str | None
    open_fulfilment_orders: int
    undelivered_fulfilment_orders: int
    expires_at: datetime | None
    promised_date: date | None = None
    promise_number: int = 0
    changed_at: datetime | None = None


@dataclass(slots=True)
class FulfilmentOrderView:
    """One node's part of an order."""

    fulfilment_order_id: str
    order_id: str
    node_id: str
    status: str
    quantity: int
    shipment_number: str | None


class AllocatedLine(NamedTuple):
    """What of an order line a node was given to ship; money in ten-thousandths a unit.

    ``of_bundle`` is the line of the bundle that it is a component of, and its price then only a
    share of that line's.
    """

    sku: str
    quantity: int
    unit_price: int
    of_bundle: int | None = None


@dataclass(slots=True)
class BundleView:
    """A bundle of an order, as it was placed.

    Attributes:
        line_number: Of the order.
        unit_price: Of one bundle (ten-thousandths).
        per_bundle: Units (each) of each component in one bundle, by component number.
        handed_over: Units (each) of each component that have left, by component number.
    """

    line_number: int
    sku: str
    unit_price: int
    per_bundle: dict[int, int]
    handed_over: dict[int, int]

    @property
    def complete(self) -> int:
        """Bundles of which everything has left."""
        return min(self.handed_over[part] // each for part, each in self.per_bundle.items())


@dataclass(frozen=True, slots=True)
class ParcelView:
    """One shipment that its carrier has not delivered yet; ``key`` is how people name it."""

    key: str
    about: About
    carrier: str
    dispatched_at: datetime


class Orders(Protocol):
    """Orders in flight; reading one locks its state until the transaction ends."""

    def lock(self, order_ids: Iterable[str]) -> dict[str, OrderView]: ...
    def taken_on(self, since: datetime, until: datetime) -> list[tuple[str, date, int, int]]:
        """(node_id, local day, orders, units) of orders placed in [since, until].

        Without what was released or has expired since.
        """
        ...

    def declined(self, order_ids: Sequence[str]) -> Counter[str]:
        """How often the provider has refused these orders' payments."""
        ...

    def lock_expired(self, instant: datetime, limit: int) -> dict[str, OrderView]: ...
    def lock_overdue(
        self, days: Mapping[tuple[str, str], date], most_promises: int, limit: int
    ) -> dict[str, OrderView]:
        """Parcels' orders of a (region, brand) promised before its day, promised so often at most.

        Not those that their customers collect, nor those of which something lies unread.
        """
        ...

    def broken(self, days: Mapping[tuple[str, str], date], most_promises: int) -> list[OrderView]:
        """Orders promised more often than that, last before the day of their (region, brand).

        Not those of which a person was told before.
        """
        ...

    def promise_scopes(self) -> list[tuple[str, str]]:
        """(region, brand) of the orders with a promise that is still to be kept."""
        ...

    def put_states(self, orders: Iterable[OrderView]) -> None: ...
    def fulfilment_orders(self, order_ids: Iterable[str]) -> list[FulfilmentOrderView]: ...
    def put_fulfilment_orders(self, fulfilment_orders: Iterable[FulfilmentOrderView]) -> None: ...
    def allocated_lines(
        self, order_ids: Iterable[str]
    ) -> dict[tuple[str, str], dict[int, AllocatedLine]]:
        """By (order_id, node_id): line number → what was allocated."""
        ...

    def bundles(self, order_ids: Iterable[str]) -> dict[str, list[BundleView]]:
        """The bundles of these orders, by order id and line number."""
        ...

    def scopes_under_way(self) -> list[tuple[str, str]]:
        """(region, brand) of what carriers have and have not delivered."""
        ...

    def under_way_since(
        self, deadlines: Mapping[tuple[str, str], datetime], case_type: str
    ) -> list[ParcelView]:
        """Parcels of a (region, brand) dispatched before its deadline, without such a case."""
        ...
