"""What every partner system has in common: it takes a command once and tells what came of it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from assets.commerce.identifiers import identify
from resources.sandbox.chance import Chance
from resources.sandbox.events import EventQueue, Scope, cloud_event
from resources.sandbox.faults import Faults, Telling
from resources.sandbox.settings import NodeSetting, Settings
from resources.sandbox.snapshots import StockBook
from resources.sandbox.stock_faults import StockFaults

_zone = lru_cache(ZoneInfo)


class Command(msgspec.Struct, frozen=True, gc=False):
    """One command as it arrives; who it is for defaults to the retailer's own settings."""

    command_id: str
    command_type: str
    business_key: str
    effective_at: datetime
    payload: msgspec.Raw
    legal_entity: str = ""
    brand: str = ""
    region: str = ""
    channel: str = ""
    correlation_id: str = ""


class Result(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What became of one command."""

    command_id: str
    status: Literal["accepted", "duplicate", "rejected"]
    reason: str | None = None


class Refused(Exception):
    """The partner will not do this command, now or later."""


class World:
    """What all partners of one sandbox share; replaced settings count from the next request on.

    Attributes:
        settings: As they were last given.
        chance: Draws of their seed.
        faults: What goes wrong.
        shelves: What lies at each node, whatever anybody's book says of it.
        price_lists: What each channel asks of the list price, in basis points.
        prices: By channel and SKU, the prices that were announced: (from when on, price).
        worth: By channel and order number, what the payment provider was asked to authorise.
        regrets: By channel and order number, the cancellation (event id, when) that will come of an
            order whose payment is asked for after it was placed.
        costs: Standard cost by SKU (ten-thousandths a unit).
        stock_faults: What goes wrong between what is there and what is told of it.
    """

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.shelves = StockBook()
        self.price_lists: dict[str, int] = {}
        self.prices: dict[str, dict[str, list[tuple[datetime, str]]]] = {}
        self.worth: dict[str, int] = {}
        self.regrets: dict[str, tuple[str, datetime]] = {}
        self.costs: dict[str, int] = {}
        self.stock_faults = StockFaults(self)
        self.settle(Settings())

    def settle(self, settings: Settings) -> None:
        """Take new settings."""
        self.settings = settings
        self.chance = Chance(settings.seed)
        self.faults.settle(settings.faults, self.chance)
        self._nodes = {node.node_id: node for node in settings.nodes}

    @property
    def scope(self) -> Scope:
        """For whom something happens that no command caused."""
        settings = self.settings
        return Scope(settings.legal_entity, settings.brand, settings.region, settings.channel)

    @property
    def keeps_books(self) -> bool:
        """Whether anybody will be asked what he believes."""
        return self.settings.snapshot_hour is not None

    def shelve(self, moment: datetime, node_id: str, sku: str, quantity: int) -> None:
        """Put units on a node's shelves, or take them off."""
        if self.keeps_books:
            self.shelves.move(moment, node_id, sku, quantity)

    def node(self, node_id: str) -> NodeSetting:
        """A configured node, or one that nobody told us about."""
        return self._nodes.get(node_id) or NodeSetting(node_id=node_id)

    def zone(self, node_id: str | None = None) -> ZoneInfo:
        """Where a node is; the ERP's own zone without one."""
        return _zone((self.node(node_id).zone if node_id else None) or self.settings.zone)

    def note_regret(self, command: Command, order_number: str) -> None:
        """Whoever is told to send or prepare it was not told that it will be taken back."""
        channel = self.channel_of(command)
        order = f"{channel}/{order_number}"
        if order in self.regrets:
            identity, at = self.regrets[order]
            expected = "case:illegal_transition"
            self.faults.note("late_cancellation", at, channel, order, identity, expected)

    def channel_of(self, command: Command) -> str:
        """Whose order a command is about."""
        return command.channel or self.settings.channel


class PartnerSystem:
    """One partner: remembers which commands it has taken and queues its events."""

    def __init__(self, code: str, world: World) -> None:
        self.code = code
        self.world = world
        self.queue = EventQueue()
        self._refusals: dict[str, str | None] = {}

    def take(self, command: Command) -> Result:
        """Do one command once; a refused one is refused again with the same words."""
        if command.command_id in self._refusals:
            refusal = self._refusals[command.command_id]
            if refusal is None:
                return Result(command.command_id, "duplicate")
            return Result(command.command_id, "rejected", refusal)
        try:
            self.perform(command)
        except (Refused, msgspec.DecodeError) as error:
            refusal = self._refusals[command.command_id] = str(error)
            return Result(command.command_id, "rejected", refusal)
        self._refusals[command.command_id] = None
        return Result(command.command_id, "accepted")

    def perform(self, command: Command) -> None:
        """Do a command that was not seen before.

        Raises:
            Refused: If this partner does not do such a thing.
        """
        raise Refused(f"{self.code} does not know the command {command.command_type}")

    def prepare(self, until: datetime) -> None:
        """Make what time alone brings about; most partners only answer."""

    def is_idle(self, until: datetime) -> bool:
        """Whether `prepare` would change nothing, so that a poll need not be remembered."""
        del until
        return True

    def answer(
        self,
        command: Command,
        event_type: str,
        due: datetime,
        data: msgspec.Struct,
        subject: str,
        held_until: datetime | None = None,
        occasion: str = "",
    ) -> str:
        """Queue the event that a command leads to, echoing whom the command was for; gives its id.

        ``held_until`` is when it is told where that is not when it happens; an ``occasion`` tells a
        later answer of the same type from the first.
        """
        own = self.world.scope
        scope = Scope(
            command.legal_entity or own.legal_entity,
            command.brand or own.brand,
            command.region or own.region,
            command.channel or own.channel,
        )
        which = (occasion,) if occasion else ()
        event_id = str(identify("event", command.command_id, event_type, *which))
        correlation = command.correlation_id or subject
        self._queue(event_id, event_type, subject, due, scope, correlation, data, held_until)
        return event_id

    def tell(
        self,
        event_type: str,
        due: datetime,
        data: msgspec.Struct,
        subject: str,
        scope: Scope | None = None,
        version: object = "",
        held_until: datetime | None = None,
    ) -> str:
        """Queue an event that no command caused; ``version`` tells two about one subject apart."""
        event_id = str(identify("event", self.code, event_type, subject, version))
        scope = scope or self.world.scope
        self._queue(event_id, event_type, subject, due, scope, subject, data, held_until)
        return event_id

    def _queue(
        self,
        event_id: str,
        event_type: str,
        subject: str,
        due: datetime,
        scope: Scope,
        correlation_id: str,
        data: msgspec.Struct,
        held_until: datetime | None,
    ) -> None:
        body = cloud_event(
            event_id, self.code, event_type, subject, due, scope, correlation_id, data
        )
        if held_until is not None:
            self.queue.add(held_until, event_id, body)
            return
        key = f"{scope.channel}/{subject}"
        told = Telling(self.code, event_id, event_type, key, due, body)
        for moment, delivered in self.world.faults.deliveries(told):
            self.queue.add(moment, event_id, delivered)


def working_moment(
    instant: datetime,
    zone: ZoneInfo,
    weekdays: tuple[int, ...],
    days: int,
    opens: time,
    closes: time,
    share: float,
) -> datetime:
    """A moment of opening time that many working days after a local day, in UTC.

    Midnight belongs to the day that it ends: a decision window of whole days decides at its end,
    and what it decided was ordered on the day before.
    """
    day = (instant - timedelta(microseconds=1)).astimezone(zone).date()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() in weekdays
    opening = datetime.combine(day, opens, zone).astimezone(UTC)
    closing = datetime.combine(day, closes, zone).astimezone(UTC)
    seconds = int((closing - opening).total_seconds() * share)
    return opening + timedelta(seconds=seconds)
