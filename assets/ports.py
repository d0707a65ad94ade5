"""What the flows need of the world, as Protocols; `resources` implements them.

Money crosses these ports as integers in ten-thousandths, ids as text of their UUID, time as aware
UTC datetimes. Columns are plain sequences of equal length, so a port writes sets, never rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """One accepted event as its consumer sees it; ``data`` is the contract's struct."""

    inbox_id: int
    source: str
    event_id: str
    event_type: str
    subject: str
    legal_entity: str
    brand: str
    region: str
    channel: str
    correlation_id: str
    occurred_at: datetime
    data: Any


class Scope(Protocol):
    """Whose business it is: an event and an order both say so."""

    @property
    def legal_entity(self) -> str: ...
    @property
    def brand(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def correlation_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Command:
    """Something to tell a partner.

    Attributes:
        business_key: Orders it among the commands of its partner.
        caused_at: When what made us say it happened; a sandbox answers relative to it.
        discriminator: Tells apart commands of one type about one business key; part of the
            idempotency key.
    """

    partner: str
    command_type: str
    business_key: str
    scope: Scope
    payload: dict[str, Any]
    owner: str
    caused_at: datetime
    discriminator: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Something that needs a person; the same cause twice is one case that counts two."""

    case_type: str
    business_key: str
    owner: str
    reason: str


class Tally(Protocol):
    """What applying events did, in events."""

    applied: int
    waiting: int
    quarantined: int
    cases: int
    batches: int


class Clock(Protocol):
    """Effective time (real, or a replay's simulated time) and the wall's."""

    def effective_at(self) -> datetime: ...
    def wall(self) -> datetime: ...


class PolicyBook(Protocol):
    """Policies by flow, resolved for a region and brand, most specific scope first."""

    def resolve(self, policy: str, region: str, brand: str) -> Mapping[str, Any]: ...
    def policy_hash(self, policy: str) -> str: ...


class Inbox(Protocol):
    """What happened to the events of this batch. An event that is not named was applied."""

    def park(self, event: InboxEvent, reason: str, release_condition: str) -> None: ...
    def quarantine(self, event: InboxEvent, reason_code: str, reason: str) -> None: ...
    def release(self, conditions: Iterable[str]) -> None: ...


class ProductTerms(NamedTuple):
    """What stock and money need to know of a product; the cost is in its own currency."""

    standard_cost: int
    tax_rate_basis_points: int
    currency_code: str
    is_bundle: bool = False


#: Components of a bundle in their order: SKU and units (each) in one bundle.
Components = Sequence[tuple[str, int]]


#: The columns of `MasterData.put_customers`.
CONTACT = (
    "customer_id",
    "customer_number",
    "country_code",
    "name",
    "email",
    "address",
    "city",
    "postcode",
)


class MasterData(Protocol):
    """Products, prices, nodes and customers, as the systems that own them told us."""

    def products(self, skus: Iterable[str]) -> dict[str, ProductTerms]:
        """Terms by known SKU."""
        ...

    def nodes(self) -> dict[str, tuple[str, str]]:
        """Kind and zone of each active node, by node id."""
        ...

    def last_told(self, table: str, keys: Iterable[str]) -> dict[str, datetime]:
        """When what we hold of each known product or node happened, by its key."""
        ...

    def put_products(self, columns: Columns) -> None: ...
    def components(self, skus: Iterable[str]) -> dict[str, Components]:
        """What is in each of these that is a bundle, by its SKU."""
        ...

    def bundles_with(self, skus: Iterable[str]) -> dict[str, Components]:
        """The bundles that any of these SKUs is in, by their SKU."""
        ...

    def put_components(self, bundles: Mapping[str, Components]) -> None:
        """Replace what is in these bundles; channels are told of them again."""
        ...

    def put_prices(self, columns: Columns) -> None: ...
    def latest_shown(
        self, keys: Iterable[tuple[str, str]]
    ) -> list[tuple[str, str, int, str, datetime, datetime]]:
        """The last price that each (channel, sku) showed.

        (channel, sku, unit price, currency, as of, from when on approved prices count).
        """
        ...

    def price_versions(
        self, keys: Iterable[tuple[str, str]]
    ) -> list[tuple[str, str, int, str, datetime]]:
        """(channel, sku, unit price, currency, from when on) of each (channel, sku)."""
        ...

    def put_nodes(self, columns: Columns) -> None: ...
    def put_customers(self, columns: Columns) -> None:
        """Country to the customer, everything personal to the contact that can be erased."""
        ...


class StockPosition(NamedTuple):
    """Units (each) of one SKU at one node."""

    node_id: str
    sku: str
    on_hand: int
    reserved: int
    allocated: int

    @property
    def unpromised(self) -> int:
        """Units that nobody was promised."""
        return self.on_hand - self.reserved - self.allocated


class Reservation(NamedTuple):
    """Units (each) that a node holds for one order line."""

    order_id: str
    line_number: int
    node_id: str
    sku: str
    quantity: int


class Count(NamedTuple):
    """What was counted of one SKU at one node, and when."""

    node_id: str
    sku: str
    quantity: int
    occurred_at: datetime


class Stock(Protocol):
    """Positions and what changes them. Read positions are locked until the transaction ends."""

    def lock_positions(self, skus: Iterable[str]) -> list[StockPosition]:
        """Every node's position of these SKUs, ordered by node and SKU."""
        ...

    def change_positions(self, changes: Mapping[tuple[str, str], tuple[int, int, int]]) -> None:
        """Add to (on hand, reserved, allocated) of each (node_id, sku)."""
        ...

    def open_reservations(self, order_ids: Sequence[str]) -> list[Reservation]:
        """Reservations of these orders that have no end yet."""
        ...

    def open_reservations_of_positions(
        self, positions: Iterable[tuple[str, str]]
    ) -> list[Reservation]:
        """Open reservations at (node_id, sku), the newest first."""
        ...

    def open_with(self, order_id: str, component_number: int) -> list[tuple[Reservation, int]]:
        """Open reservations of the bundle that a component is of, its own included.

        Each with its units in one bundle; none where the line is no component.
        """
        ...

    def moved_since(
        self, positions: Iterable[tuple[str, str]], instant: datetime
    ) -> dict[tuple[str, str], int]:
        """Σ stock movements per (node_id, sku) that happened after an instant."""
        ...

    def counted_since(self, skus: Iterable[str], instant: datetime) -> list[Count]:
        """The last count of each position of these SKUs, if it is of that instant or later."""
        ...

    def take_unpublished(self) -> tuple[Columns, dict[str, datetime]]:
        """``node_id``, ``sku`` and ``unpromised_quantity`` of all nodes of SKUs that changed.

        They count as told from now on; no columns where nothing changed. Also when the earliest
        change of each of these SKUs happened.
        """
        ...

    def take_unpublished_bundles(self, skus: Iterable[str]) -> dict[str, Components]:
        """What is in bundles of these SKUs, and in those that changed themselves, by their SKU.

        They count as told from now on.
        """
        ...

    def unpromised(self, skus: Iterable[str]) -> Columns:
        """``node_id``, ``sku`` and ``unpromised_quantity`` of all nodes, unlocked."""
        ...

    def published(self, skus: Iterable[str]) -> dict[tuple[str, str], int]:
        """What each (channel, sku) was last told."""
        ...

    def put_published(self, columns: Columns) -> None: ...
    def forget_published(self, channel: str, skus: Sequence[str]) -> None:
        """Let a channel be told of these SKUs again, whatever it was told last."""
        ...


class Synchronisation(Protocol):
    """What is known of other systems' stock, and what could explain that it is not ours.

    Facts are (sku, what it is, units, when); `assets.inventory.evidence` says what each shows.
    """

    def watermark(self) -> int:
        """The last number that the stock ledgers have given."""
        ...

    def newest(self) -> dict[tuple[str, str], datetime]:
        """Time of the newest snapshot that was compared, by (system, node or channel)."""
        ...

    def released(self, case_type: str, business_keys: Iterable[str]) -> set[str]:
        """Those of these cases that a person has closed."""
        ...

    def spoken_for(self, systems: Sequence[str], node_id: str, since: datetime) -> set[str]:
        """SKUs of a node of which one of these systems has said something since."""
        ...

    def facts_of_node(
        self, system: str, node_id: str, skus: Sequence[str], since: datetime, as_of: datetime
    ) -> list[tuple[str, str, int, datetime]]: ...

    def levels(self, channel: str, skus: Sequence[str], as_of: datetime) -> dict[str, int]:
        """What a channel had last been told of each SKU by an instant."""
        ...

    def facts_of_channel(
        self, channel: str, skus: Sequence[str], since: datetime, as_of: datetime
    ) -> list[tuple[str, str, int, datetime]]: ...

    def arrived_late(
        self, node_ids: Iterable[str], since: datetime
    ) -> tuple[list[tuple[Any, ...]], list[tuple[str, str, int]]]:
        """Drift of snapshots since, as it was last coded, and what has moved before them since.

        The coding: (snapshot_id, sku, reason_code, quantity, revision, amount a unit, currency,
        as_of, system, node_id, units booked by a correction). The movements: (snapshot_id, sku,
        quantity); of corrections only those count that a snapshot knew of and that were taken back.
        """
        ...


@dataclass(slots=True)
class OrderView:
    """What the next step of an order needs to know of it.

    ``changed_at`` is when the event that this batch applies to it happened; it is not stored.
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


@dataclass(slots=True)
class PickupView:
    """What the next step of an order that is picked up needs to know of it.

    Attributes:
        node_id: The store that works on it; ``None`` once the goods travel instead.
        attempt: How many stores were asked, this one included.
        expires_at: When the goods are no longer held: the time to collect and its grace are over.
        due_at: When time alone changes something: a store's silence, a reminder, the end.
        ready_at: When the goods were at the counter.
    """

    order_id: str
    node_id: str | None
    attempt: int
    promised_ready_at: datetime
    expires_at: datetime
    due_at: datetime | None
    ready_at: datetime | None
    reminders_sent: int
    accepts_other_store: bool
    accepts_shipping: bool


class Pickups(Protocol):
    """Orders that are picked up; their order's lock is theirs."""

    def of_orders(self, order_ids: Iterable[str]) -> dict[str, PickupView]:
        """Those of these orders that are picked up, by order id."""
        ...

    def lock_due(self, instant: datetime, limit: int) -> dict[str, PickupView]:
        """Those at which time alone changes something, their orders locked.

        Not those of which something lies unread: it may be the news that time would tell.
        """
        ...

    def put(self, pickups: Iterable[PickupView]) -> None: ...
    def have_ordered_before(self, customer_ids: Iterable[str]) -> set[str]:
        """Those of these customers whose first order came before this instant."""
        ...


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
    carrier: str
    dispatched_at: datetime


class Orders(Protocol):
    """Orders in flight; reading one locks its state until the transaction ends."""

    def lock(self, order_ids: Iterable[str]) -> dict[str, OrderView]: ...
    def taken_on(self, since: datetime, until: datetime) -> list[tuple[str, date, int, int]]:
        """(node_id, local day, orders, units) of orders placed in [since, until]."""
        ...

    def lock_expired(self, instant: datetime, limit: int) -> dict[str, OrderView]: ...
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


class UnitOfWork(Protocol):
    """One transaction of one flow: everything in it is stored, or nothing is."""

    @property
    def inbox(self) -> Inbox: ...
    @property
    def master_data(self) -> MasterData: ...
    @property
    def stock(self) -> Stock: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def synchronisation(self) -> Synchronisation: ...
    @property
    def pickups(self) -> Pickups: ...
    @property
    def policies(self) -> PolicyBook: ...
    @property
    def effective_at(self) -> datetime: ...

    def append(self, table: str, columns: Columns) -> None:
        """Append facts to a table; ``effective_at`` is added where the table has it."""
        ...

    def known(self, table: str, column: str, ids: Iterable[str]) -> set[str]:
        """Those of these ids that a table of facts holds already in a column."""
        ...

    def send(self, commands: Iterable[Command]) -> None: ...
    def open_cases(self, cases: Iterable[Case]) -> None: ...
    def close_cases(self, case_type: str, business_keys: Iterable[str], resolution: str) -> None:
        """Close those of these cases that are open, saying why they are over."""
        ...
