"""The warehouse system: picks what it is told and hands it to a carrier on the next working day."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from assets.commerce.identifiers import identify
from assets.contracts.fields import Country, Key
from assets.contracts.fulfilment import FulfilmentAccepted, FulfilmentRejected
from assets.contracts.inventory import SnapshotLine
from assets.contracts.shipment import ShippedLine
from resources.sandbox.partner import Command, PartnerSystem, Refused, World, working_moment
from resources.sandbox.settings import NodeSetting
from resources.sandbox.snapshots import Daily, Reading, StockBook, node_lines, tell_nodes

OPENS, CLOSES = time(9), time(17)
_CARRIERS = {
    "GB": "royal_parcel",
    "IE": "royal_parcel",
    "DE": "rhein_kurier",
    "FR": "colis_express",
}
_OTHER_CARRIER = "world_parcel"
_lines = msgspec.json.Decoder(
    Annotated[list[ShippedLine], Meta(min_length=1, max_length=5_000)]
).decode


class FulfilmentOrder(msgspec.Struct, gc=False):
    """What a node is asked to ship."""

    order_number: Key
    fulfilment_order_id: Key
    node_id: Key
    service_level: Literal["standard", "express", "pickup"]
    country: Country
    lines: msgspec.Raw


class _ShipmentDispatched(msgspec.Struct, gc=False):
    """The contract's struct, with lines that are passed through as they came."""

    order_number: str
    fulfilment_order_id: str
    shipment_number: str
    node_id: str
    carrier: str
    lines: msgspec.Raw


class Wms(PartnerSystem):
    """Ships all of a fulfilment order or refuses all of it, and knows what lies on the shelves."""

    #: The reason of a refusal.
    CANNOT: ClassVar = "stock_not_found"

    def __init__(self, code: str, world: World) -> None:
        super().__init__(code, world)
        self._daily = Daily(world)

    @property
    def shelves(self) -> StockBook:
        """What lies at its nodes."""
        return self.world.shelves

    def shelve(self, moment: datetime, node_id: str, sku: str, quantity: int) -> None:
        """Put units on the shelves of a node, or take them off."""
        if self.world.keeps_books:
            self.shelves.move(moment, node_id, sku, quantity)

    def works_at(self, node: NodeSetting) -> bool:
        """Whether a node is one of its own."""
        return node.kind != "drop_ship"

    def is_idle(self, until: datetime) -> bool:
        """Whether no snapshot is due."""
        return self._daily.is_idle(until)

    def prepare(self, until: datetime) -> None:
        """Tell each day what lies on the shelves."""
        for reading in self._daily.take(until):
            nodes = [n for n in self.world.settings.nodes if n.is_active and self.works_at(n)]
            believed = ((n.node_id, self.believed(n.node_id, reading)) for n in nodes)
            tell_nodes(self, reading, believed)

    def believed(self, node_id: str, reading: Reading) -> list[SnapshotLine]:
        """The lines of one node's snapshot."""
        shelves = self.shelves
        lines = node_lines(shelves.at(reading.as_of)[node_id], self.world.chance)
        return self.world.stock_faults.stated(self.code, node_id, reading, lines, shelves)

    def perform(self, command: Command) -> None:
        """Take one fulfilment order."""
        if command.command_type == "receiving_plan.update":
            # Who unloads what is between it and its docks; nothing comes of it that it would tell.
            return
        if command.command_type != "fulfilment_order.create":
            raise Refused(f"{self.code} does not know the command {command.command_type}")
        wanted = msgspec.json.decode(command.payload, type=FulfilmentOrder)
        if not self.works_at(self.world.node(wanted.node_id)):
            raise Refused(f"{self.code} does not work at {wanted.node_id}")
        # A broken line must be refused here and not shipped; the good ones are passed on as text.
        lines = _lines(wanted.lines)
        self.world.note_regret(command, wanted.order_number)
        faults, key = self.world.faults, wanted.fulfilment_order_id
        heard = command.effective_at + timedelta(minutes=1)
        if faults.strikes("store_reject", key):
            expected = "case:fulfilment_rejected"
            faults.note("store_reject", heard, self.code, key, key, expected)
            rejected = FulfilmentRejected(
                order_number=wanted.order_number,
                fulfilment_order_id=key,
                node_id=wanted.node_id,
                reason=self.CANNOT,
            )
            event_type = "retail.fulfilment.rejected.v1"
            self.answer(command, event_type, heard, rejected, wanted.order_number)
            return
        due = self._leaves_at(command.effective_at, wanted)
        if self.world.settings.accepts_fulfilment:
            self._accept(command, wanted, heard, due)
        dispatched = _ShipmentDispatched(
            order_number=wanted.order_number,
            fulfilment_order_id=key,
            shipment_number=f"SH-{identify('shipment', key).hex[:16].upper()}",
            node_id=wanted.node_id,
            carrier=_CARRIERS.get(wanted.country, _OTHER_CARRIER),
            lines=wanted.lines,
        )
        event_type = "retail.shipment.dispatched.v1"
        self.answer(command, event_type, due, dispatched, wanted.order_number)
        for line in lines:
            self.shelve(due, wanted.node_id, line.sku, -line.quantity)

    def _accept(
        self, command: Command, wanted: FulfilmentOrder, heard: datetime, leaves_at: datetime
    ) -> None:
        """Say that the work was taken; out of order, when the goods have left already."""
        faults, key = self.world.faults, wanted.fulfilment_order_id
        accepted = FulfilmentAccepted(
            order_number=wanted.order_number, fulfilment_order_id=key, node_id=wanted.node_id
        )
        held_until = None
        if faults.strikes("out_of_order", key):
            minutes = self.world.chance.between(10, 600, "overtaken_by", key)
            held_until = leaves_at + timedelta(minutes=minutes)
        event_type = "retail.fulfilment.accepted.v1"
        number = wanted.order_number
        identity = self.answer(command, event_type, heard, accepted, number, held_until)
        if held_until is not None:
            order = f"{self.world.channel_of(command)}/{number}"
            faults.note("out_of_order", held_until, self.code, order, identity)

    def _leaves_at(self, decided: datetime, wanted: FulfilmentOrder) -> datetime:
        settings = self.world.settings
        zone = self.world.zone(wanted.node_id)
        share = self._share(wanted)
        local = decided.astimezone(zone)
        if (
            wanted.service_level != "standard"
            and local.weekday() in settings.working_weekdays
            and local.hour < settings.cut_off_hour
            and local.time() != time(0)
        ):
            closing = datetime.combine(local.date(), CLOSES, zone)
            earliest = max(local, datetime.combine(local.date(), OPENS, zone))
            # A cut-off later than closing time must not let goods leave before the order.
            if earliest < closing:
                return earliest + timedelta(seconds=1 + int((closing - earliest).seconds * share))
        return self._next_working_day(decided, wanted)

    def _next_working_day(self, decided: datetime, wanted: FulfilmentOrder) -> datetime:
        zone, weekdays = self.world.zone(wanted.node_id), self.world.settings.working_weekdays
        share = self._share(wanted)
        return working_moment(decided, zone, weekdays, 1, OPENS, CLOSES, share)

    def _share(self, wanted: FulfilmentOrder) -> float:
        return self.world.chance.share("despatch", wanted.fulfilment_order_id)
