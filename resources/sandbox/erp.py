"""The ERP: owns nodes and products, counts opening stock, and buys weekly what was sold.

Its purchasing stands in for procure-to-stock, which is another flow: it looks at four weeks of
orders and its own book of stock, as a planner with a spreadsheet would, and knows nothing of what
is coming. Opening stock follows from the price alone, since nobody knew the demand then either.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from assets.commerce.identifiers import identify
from assets.commerce.money import share_out, to_ten_thousandths, to_text
from assets.contracts.fields import (
    Currency,
    Key,
    Quantity,
    SignedQuantity,
    SkuCode,
    Text,
    UnsignedMoney,
)
from assets.contracts.inventory import (
    CountedLine,
    InventoryCounted,
    InventoryReceived,
    ReceivedLine,
    SnapshotLine,
)
from assets.contracts.master_data import (
    BundleComponent,
    NodeRegistered,
    PriceChanged,
    ProductRegistered,
)
from resources.sandbox import purchasing, transfers
from resources.sandbox.inbound import ORDERED_BEFORE, Delivery, announce, chase
from resources.sandbox.partner import Command, PartnerSystem, Refused, World
from resources.sandbox.settings import NodeSetting, channel_price
from resources.sandbox.snapshots import Daily, Reading, StockBook, node_lines, tell_nodes

TRAILING_DAYS = 28
_DELIVERIES_COME_AT = time(6)
# Up to this list price (ten-thousandths) this many units are bought at first: cheap things by the
# carton, dear ones by the piece.
_PRICE_BANDS: tuple[tuple[float, int, int], ...] = (
    (5_000, 400, 1200),
    (10_000, 240, 720),
    (20_000, 120, 480),
    (50_000, 48, 240),
    (100_000, 24, 120),
    (500_000, 6, 48),
    (math.inf, 2, 12),
)


class Item(msgspec.Struct, frozen=True):
    """A SKU that is new to the ERP.

    One with components is a bundle: nobody buys, counts or keeps it, but what is in it.

    Attributes:
        opening_quantity: Replaces what the price band says.
        product_class: What kind of thing it is.
        supplied_by: The node of the supplier who alone has it; the retailer buys and counts none.
    """

    sku: SkuCode
    list_price: UnsignedMoney
    first_seen_at: datetime
    description: Text = ""
    currency: Currency = "GBP"
    opening_quantity: int | None = None
    supplied_by: Key | None = None
    product_class: Key | None = None
    components: list[BundleComponent] = msgspec.field(default_factory=list)


class _OrderedLine(msgspec.Struct, gc=False):
    sku: SkuCode
    quantity: Quantity


class _SalesOrder(msgspec.Struct, gc=False):
    order_number: Key
    ordered_at: datetime
    lines: list[_OrderedLine]


class _AdjustedLine(msgspec.Struct, gc=False):
    sku: SkuCode
    quantity: SignedQuantity


class _StockAdjustment(msgspec.Struct, gc=False):
    document_number: Key
    node_id: Key
    lines: list[_AdjustedLine]


class _GoodsIssue(msgspec.Struct, gc=False):
    order_number: Key
    node_id: Key
    lines: list[_OrderedLine]


class _Chase(msgspec.Struct, gc=False):
    order_number: Key
    skus: list[Key]


_chase = msgspec.json.Decoder(_Chase).decode
_sales_order = msgspec.json.Decoder(_SalesOrder).decode
_goods_issue = msgspec.json.Decoder(_GoodsIssue).decode
_stock_adjustment = msgspec.json.Decoder(_StockAdjustment).decode


@dataclass
class _Supply:
    """What purchasing looks at; all of it in units."""

    book: defaultdict[str, dict[str, int]]
    ordered: defaultdict[date, defaultdict[str, int]]

    def on_hand(self, sku: str) -> int:
        return sum(of_node.get(sku, 0) for of_node in self.book.values())

    def add(self, node_id: str, sku: str, quantity: int) -> None:
        of_node = self.book[node_id]
        of_node[sku] = of_node.get(sku, 0) + quantity


class Erp(PartnerSystem):
    """Keeps its own book, made only of what it said itself and what it was told."""

    def __init__(self, code: str, world: World) -> None:
        super().__init__(code, world)
        self._supply = _Supply(defaultdict(dict), defaultdict(lambda: defaultdict(int)))
        self._items: dict[str, Item] = {}
        self._uncounted: list[Item] = []
        self._announced: set[str] = set()
        #: Who was told of already.
        self.suppliers: set[str] = set()
        #: The last delivery that was ordered of each SKU.
        self.under_way: dict[str, Delivery] = {}
        self._documents: dict[tuple[str, str, date], int] = {}
        self._next_receipt: datetime | None = None
        self._daily = Daily(world)
        self._dated = StockBook()

    def perform(self, command: Command) -> None:
        """Note an order, a goods issue or a correction; a cancellation takes no demand back."""
        match command.command_type:
            case "sales_order.create":
                order = _sales_order(command.payload)
                day = self._supply.ordered[order.ordered_at.astimezone(self.world.zone()).date()]
                for line in order.lines:
                    for sku, units in self._parts(line.sku):
                        day[sku] += line.quantity * units
            case "goods_issue.post":
                self._issue(command, _goods_issue(command.payload))
            case "stock_adjustment.post":
                adjustment = _stock_adjustment(command.payload)
                for changed in adjustment.lines:
                    self._book(
                        command.effective_at, adjustment.node_id, changed.sku, changed.quantity
                    )
            case (
                "sales_order.cancel"
                | "supplier_invoice.post"
                | "supplier_invoice.release"
                | "supplier.block"
                | "supplier.unblock"
            ):
                pass
            case "supplier.create":
                purchasing.register(self, command)
            case "purchase_order.create":
                purchasing.place(self, command)
            case "stock_transfer.create":
                transfers.move(self, command)
            case "supply.chase":
                asked = _chase(command.payload)
                chase(self, asked.skus, command.effective_at, str(command.command_id))
            case unknown:
                raise Refused(f"the ERP does not know the command {unknown}")

    def _issue(self, command: Command, issue: _GoodsIssue) -> None:
        """Take goods off the book, once and dated as they left, or as a fault has it.

        Purchasing looks at a list of its own, which is right. What a supplier ships was never ours.
        """
        stocked = {node.node_id for node in self._stocking()}
        units: defaultdict[str, int] = defaultdict(int)
        for line in issue.lines:
            units[line.sku] += line.quantity
        for sku, quantity in units.items():
            self._supply.add(issue.node_id, sku, -quantity)
            if not self.world.keeps_books or issue.node_id not in stocked:
                continue
            booked = self.world.stock_faults.book(
                self.code,
                command.command_id,
                issue.node_id,
                sku,
                -quantity,
                command.effective_at,
                self._daily.first,
            )
            for moment, change in booked:
                self._dated.move(moment, issue.node_id, sku, change)

    def receive(self, moment: datetime, node_id: str, sku: str, quantity: int) -> None:
        """Have units come, in its own book and on the shelf."""
        self._book(moment, node_id, sku, quantity)
        self.world.shelve(moment, node_id, sku, quantity)

    def _book(self, moment: datetime, node_id: str, sku: str, quantity: int) -> None:
        """Change the book of a node, dated as its document is."""
        self._supply.add(node_id, sku, quantity)
        if self.world.keeps_books:
            self._dated.move(moment, node_id, sku, quantity)

    def believed(self, node_id: str, reading: Reading) -> list[SnapshotLine]:
        """The lines of one node's snapshot."""
        return node_lines(self._dated.at(reading.as_of)[node_id], self.world.chance)

    def register_nodes(self, nodes: Iterable[NodeSetting], at: datetime) -> None:
        """Announce nodes; one that was announced in the same words is not announced again."""
        for node in nodes:
            registered = NodeRegistered(
                node_id=node.node_id,
                kind=node.kind,
                zone=str(self.world.zone(node.node_id)),
                country=node.country,
                is_active=node.is_active,
            )
            version = identify("version", msgspec.json.encode(registered)).hex
            if version not in self._announced:
                self._announced.add(version)
                event_type = "retail.node.registered.v1"
                self.tell(event_type, at, registered, node.node_id, version=version)

    def knows(self, sku: str) -> bool:
        """Whether the SKU was registered before."""
        return sku in self._items

    def register_items(self, items: Sequence[Item]) -> int:
        """Make products of the SKUs that are new, and say how many were."""
        new: list[Item] = []
        for item in items:
            if item.sku in self._items:
                continue
            self._items[item.sku] = item
            self.world.costs[item.sku] = self._standard_cost(item)
            if item.supplied_by is None and not item.components:
                self._uncounted.append(item)
            registered = ProductRegistered(
                sku=item.sku,
                description=item.description,
                standard_cost=to_text(self.world.costs[item.sku]),
                currency=item.currency,
                tax_rate=self._tax_rate(item.sku),
                is_synthetic=True,
                product_class=item.product_class,
                components=item.components,
            )
            event_type = "retail.product.registered.v1"
            self.tell(event_type, item.first_seen_at, registered, item.sku)
            if self.world.settings.shows_prices:
                self._announce_prices(item)
            new.append(item)
        purchasing.list_items(self, new)
        return len(new)

    def _announce_prices(self, item: Item) -> None:
        """The price of a new SKU in every channel, which the channels are given as well."""
        for channel, basis_points in self.world.price_lists.items():
            price = to_text(channel_price(item.list_price, basis_points))
            of_channel = self.world.prices.setdefault(channel, {})
            of_channel.setdefault(item.sku, []).append((item.first_seen_at, price))
            changed = PriceChanged(
                sku=item.sku, price_channel=channel, unit_price=price, currency=item.currency
            )
            subject = f"{channel}/{item.sku}"
            self.tell("retail.price.changed.v1", item.first_seen_at, changed, subject)

    def is_idle(self, until: datetime) -> bool:
        """Whether no count, no delivery and no snapshot is due."""
        if not self._daily.is_idle(until):
            return False
        if any(item.first_seen_at <= until for item in self._uncounted):
            return False
        ordering = self._ordering_due()
        return ordering is None or ordering > until

    def prepare(self, until: datetime) -> None:
        """Count what is new and receive what was bought, in the order in which it happens."""
        while (ordering := self._ordering_due()) is not None and ordering <= until:
            self._count_openings(ordering)
            self._order_supply(ordering)
        self._count_openings(until)
        for reading in self._daily.take(until):
            nodes = [node.node_id for node in self._stocking()]
            believed = ((node_id, self.believed(node_id, reading)) for node_id in nodes)
            tell_nodes(self, reading, believed)

    def _parts(self, sku: str) -> list[tuple[str, int]]:
        """What has to be bought for one unit."""
        item = self._items.get(sku)
        if item is None or not item.components:
            return [(sku, 1)]
        return [(part.sku, part.quantity) for part in item.components]

    def _standard_cost(self, item: Item) -> int:
        if item.components:
            return sum(
                self._standard_cost(self._items[part.sku]) * part.quantity
                for part in item.components
                if part.sku in self._items
            )
        chance = self.world.chance
        price = to_ten_thousandths(item.list_price)
        if price == 0:
            return chance.between(500, 20_000, "cost_of_unpriced", item.sku)
        return max(1, price * chance.between(3_500, 6_500, "cost", item.sku) // 10_000)

    def _tax_rate(self, sku: str) -> int:
        untaxed = self.world.chance.happens(self.world.settings.untaxed_rate, "untaxed", sku)
        return 0 if untaxed else 2_000

    def _opening_quantity(self, item: Item) -> int:
        if item.opening_quantity is not None:
            return item.opening_quantity
        price = to_ten_thousandths(item.list_price)
        low, high = next((low, high) for limit, low, high in _PRICE_BANDS if price < limit)
        units = self.world.chance.between(low, high, "opening", item.sku)
        return int(units * self.world.settings.opening_stock_factor)

    def _stocking(self) -> list[NodeSetting]:
        return [
            node
            for node in self.world.settings.nodes
            if node.stock_share and node.is_active and node.kind != "drop_ship"
        ]

    def _count_openings(self, until: datetime) -> None:
        due = [item for item in self._uncounted if item.first_seen_at <= until]
        nodes = self._stocking()
        if not due or not nodes:
            return
        self._uncounted = [item for item in self._uncounted if item.first_seen_at > until]
        by_moment: defaultdict[datetime, list[Item]] = defaultdict(list)
        for item in due:
            by_moment[item.first_seen_at].append(item)
        shares = [node.stock_share for node in nodes]
        for moment, items in sorted(by_moment.items()):
            items.sort(key=lambda item: item.sku)
            split = [share_out(self._opening_quantity(item), shares) for item in items]
            for position, node in enumerate(nodes):
                counted = [
                    CountedLine(sku=item.sku, quantity=parts[position])
                    for item, parts in zip(items, split, strict=True)
                ]
                self._tell_counts(node.node_id, moment, counted)

    def _tell_counts(self, node_id: str, moment: datetime, counted: list[CountedLine]) -> None:
        for line in counted:
            self._book(moment, node_id, line.sku, line.quantity)
            self.world.shelve(moment, node_id, line.sku, line.quantity)
        size = self.world.settings.document_lines
        for start in range(0, len(counted), size):
            number = self.document_number("OC", node_id, moment)
            document = InventoryCounted(
                document_number=number,
                node_id=node_id,
                lines=counted[start : start + size],
                is_synthetic=True,
            )
            self.tell("retail.inventory.counted.v1", moment, document, number)

    def _order_supply(self, moment: datetime) -> None:
        """Buy what is short at this moment for the next delivery, and receive it on its day."""
        delivery = self._receipt_due()
        assert delivery is not None  # noqa: S101 - it made this moment
        self._next_receipt = self._monday_after(delivery)
        for node_id, bought in self._bought(moment):
            if self.world.settings.announces_inbound:
                announce(self, node_id, moment, delivery, bought)
            else:
                self.tell_receipts(node_id, delivery, bought)

    def _bought(self, moment: datetime) -> list[tuple[str, list[tuple[str, int]]]]:
        """(node, (SKU, units)) that restore the stock to the weeks of cover, by recent demand."""
        nodes = self._stocking()
        if not nodes:
            return []
        today = moment.astimezone(self.world.zone()).date()
        self._forget_orders_before(today - timedelta(days=2 * TRAILING_DAYS))
        demand: defaultdict[str, int] = defaultdict(int)
        for back in range(1, TRAILING_DAYS + 1):
            for sku, quantity in self._supply.ordered.get(today - timedelta(days=back), {}).items():
                demand[sku] += quantity
        weeks = TRAILING_DAYS // 7
        bought: list[tuple[str, int]] = []
        for sku in sorted(demand.keys() & self._items.keys()):
            item = self._items[sku]
            supplier = purchasing.supplier_of(self, item)
            if item.supplied_by is not None or (supplier and not supplier.erp_buys_too):
                continue
            wanted = math.ceil(demand[sku] / weeks * self.world.settings.cover_weeks)
            short = wanted - self._supply.on_hand(sku)
            if short > 0:
                bought.append((sku, short))
        shares = [node.stock_share for node in nodes]
        split = [share_out(quantity, shares) for _, quantity in bought]
        return [
            (
                node.node_id,
                [
                    (sku, parts[position])
                    for (sku, _), parts in zip(bought, split, strict=True)
                    if parts[position]
                ],
            )
            for position, node in enumerate(nodes)
        ]

    def tell_receipts(
        self,
        node_id: str,
        moment: datetime,
        received: list[tuple[str, int]],
        inbound_document: str | None = None,
    ) -> None:
        """Receive units at a node at a moment, which may still be ahead."""
        size = self.world.settings.document_lines
        for sku, quantity in received:
            self.receive(moment, node_id, sku, quantity)
        for start in range(0, len(received), size):
            number = self.document_number("GR", node_id, moment)
            document = InventoryReceived(
                document_number=number,
                node_id=node_id,
                lines=[
                    ReceivedLine(line_number=line, sku=sku, quantity=quantity)
                    for line, (sku, quantity) in enumerate(received[start : start + size], 1)
                ],
                is_synthetic=True,
                inbound_document=inbound_document,
            )
            self.tell("retail.inventory.received.v1", moment, document, number)

    def document_number(self, kind: str, node_id: str, moment: datetime) -> str:
        """The next number of a kind of document at a node on a day."""
        day = moment.astimezone(self.world.zone()).date()
        number = self._documents.get((kind, node_id, day), 0) + 1
        self._documents[kind, node_id, day] = number
        return f"{kind}-{node_id}-{day:%Y%m%d}-{number:03d}"

    def _forget_orders_before(self, day: date) -> None:
        for old in [ordered for ordered in self._supply.ordered if ordered < day]:
            del self._supply.ordered[old]

    def _ordering_due(self) -> datetime | None:
        """When the next delivery is ordered: on its day where nothing is announced."""
        delivery = self._receipt_due()
        if delivery is None or not self.world.settings.announces_inbound:
            return delivery
        return delivery - ORDERED_BEFORE

    def _receipt_due(self) -> datetime | None:
        if self._next_receipt is None:
            starts_at = self.world.settings.starts_at or min(
                (item.first_seen_at for item in self._items.values()), default=None
            )
            self._next_receipt = None if starts_at is None else self._monday_after(starts_at)
        return self._next_receipt

    def _monday_after(self, instant: datetime) -> datetime:
        zone = self.world.zone()
        day = instant.astimezone(zone).date()
        day += timedelta(days=-day.weekday() % 7)
        monday = datetime.combine(day, _DELIVERIES_COME_AT, zone)
        if monday <= instant:
            monday = datetime.combine(day + timedelta(days=7), _DELIVERIES_COME_AT, zone)
        return monday.astimezone(UTC)
