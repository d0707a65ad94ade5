"""The whole sandbox without HTTP: what a request changes, live or read from the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from resources.sandbox import b2b, catalogue, marketplace, store, trading, web_shop
from resources.sandbox.answer_key import AnswerKey
from resources.sandbox.carrier import Carrier
from resources.sandbox.channel import Channel
from resources.sandbox.crm import Crm
from resources.sandbox.erp import Erp, Item
from resources.sandbox.events import Page
from resources.sandbox.faults import DONE_UNHEARD, Faults, Interrupted
from resources.sandbox.journal import Journal
from resources.sandbox.partner import Command, PartnerSystem, Result, World
from resources.sandbox.payment_provider import PaymentProvider
from resources.sandbox.portal import SupplierPortal
from resources.sandbox.settings import NodeSetting, Settings, changed
from resources.sandbox.store import Store
from resources.sandbox.supplier import Supplier
from resources.sandbox.trading import Planned, Trade, Trading
from resources.sandbox.wms import Wms

T = TypeVar("T")


class CommandBatch(msgspec.Struct):
    """What a batch request holds."""

    commands: list[Command]


class ItemBatch(msgspec.Struct):
    """What the ERP is given to register."""

    items: list[Item]


class Until(msgspec.Struct):
    """An instant up to which something is due."""

    until: datetime


class Acknowledgement(msgspec.Struct):
    """A page that the other side has."""

    token: str


class Retailer:
    """All partner systems and their journal.

    Every change is checked first, then written down, then made, so a request that was answered is
    in the journal and a request in the journal can always be made again.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._answer_key = AnswerKey(journal.folder)
        self._world = World(Faults(self._answer_key))
        self._trades: set[datetime] = set()
        self.erp = Erp("erp", self._world)
        self.crm = Crm("crm", self._world)
        self.wms = Wms("wms", self._world)
        self.supplier = Supplier("supplier", self._world)
        habits = (web_shop.HABITS, marketplace.HABITS, store.HABITS, b2b.HABITS)
        self.channels = {
            habit.code: (Store if habit.code == "store" else Channel)(habit, self._world)
            for habit in habits
        }
        systems: list[PartnerSystem] = [
            self.erp,
            self.crm,
            *self.channels.values(),
            PaymentProvider("payment_provider", self._world),
            self.wms,
            self.supplier,
            Carrier("carrier", self._world),
            SupplierPortal("supplier_portal", self._world, self.erp),
        ]
        self.systems = {system.code: system for system in systems}
        again: dict[str, Callable[[str, bytes], object]] = {
            "configure": lambda _, body: self._configure(changed(self._world.settings, body)),
            "items": lambda _, body: self._register(_decode(body, ItemBatch).items),
            "commands": lambda code, body: self._take(code, _decode(body, CommandBatch).commands),
            "trading": lambda _, body: self._trade(_decode(body, Trading)),
            "until": lambda code, body: self.systems[code].prepare(_decode(body, Until).until),
            "acknowledge": lambda code, body: self.systems[code].queue.acknowledge(
                _decode(body, Acknowledgement).token
            ),
        }
        for record in journal.records():
            again[record.kind](record.partner, bytes(record.body))

    def configure(self, body: bytes) -> Settings:
        """Lay the given settings over the held ones.

        Raises:
            msgspec.ValidationError: If they cannot be meant; nothing has changed then.
        """
        settings = changed(self._world.settings, body)
        self._journal.append("configure", "", body)
        return self._configure(settings)

    def register(self, body: bytes) -> dict[str, int]:
        """Give items to the ERP; one that it knows changes nothing."""
        items = _decode(body, ItemBatch).items
        if not all(self.erp.knows(item.sku) for item in items):
            self._journal.append("items", "erp", body)
        return self._register(items)

    def take(self, code: str, body: bytes) -> list[Result]:
        """Give commands to a partner, in their order.

        Raises:
            Interrupted: If a fault strikes the request; whether it was done depends on the fault.
        """
        commands = _decode(body, CommandBatch).commands
        struck_by = self._world.faults.interruption(
            code,
            [(wanted.command_id, wanted.business_key, wanted.effective_at) for wanted in commands],
        )
        if struck_by and struck_by != DONE_UNHEARD:
            raise Interrupted(struck_by)
        self._journal.append("commands", code, body)
        results = self._take(code, commands)
        if struck_by:
            raise Interrupted(struck_by)
        return results

    def trade(self, body: bytes) -> Planned:
        """Plan a trading period, with a range, nodes and customers where there are none."""
        wanted = _decode(body, Trading)
        self._journal.append("trading", "", body)
        return self._trade(wanted)

    def page(self, code: str, until: datetime, limit: int) -> Page:
        """What is due of one partner, after all that time alone brings about."""
        system = self.systems[code]
        # The warehouse counts what the ERP's suppliers have brought, so those come first.
        needed = (self.erp, system) if code == self.wms.code else (system,)
        for one in needed:
            if not one.is_idle(until):
                self._journal.append("until", one.code, msgspec.json.encode(Until(until)))
                one.prepare(until)
        return system.queue.page(until, limit)

    def acknowledge(self, code: str, token: str) -> None:
        """Forget the events of a page.

        Raises:
            BadToken: If the text is not a token.
        """
        if self.systems[code].queue.acknowledge(token):
            self._journal.append("acknowledge", code, msgspec.json.encode(Acknowledgement(token)))

    def close(self) -> None:
        """Let go of the journal and the answer key."""
        self._journal.close()
        self._answer_key.close()

    def _configure(self, settings: Settings) -> Settings:
        self._world.settle(settings)
        at = settings.starts_at or datetime(2000, 1, 1, tzinfo=UTC)
        self.erp.register_nodes(settings.nodes, at)
        self.crm.register(settings.customers, at)
        return settings

    def _register(self, items: Sequence[Item]) -> dict[str, int]:
        fresh = self.erp.register_items(items)
        self.supplier.list_items(items)
        return {"accepted": fresh, "duplicates": len(items) - fresh}

    def _take(self, code: str, commands: Sequence[Command]) -> list[Result]:
        take = self.systems[code].take
        return [take(command) for command in commands]

    def _trade(self, wanted: Trading) -> Planned:
        if wanted.starts_at in self._trades:
            return Planned("duplicate", 0, 0, 0, 0, 0)
        self._trades.add(wanted.starts_at)
        settings, chance = self._world.settings, self._world.chance
        if not settings.nodes:
            nodes: list[NodeSetting] = list(catalogue.NODES)
            starts_at = settings.starts_at or wanted.starts_at
            settings = msgspec.structs.replace(settings, nodes=nodes, starts_at=starts_at)
            self._world.settle(settings)
            self.erp.register_nodes(nodes, wanted.starts_at)
        channels = list(self.channels.values())
        units = trading.expected_units([channel.habits for channel in channels], wanted.orders)
        suppliers = [node.node_id for node in settings.nodes if self.supplier.works_at(node)]
        supplier = suppliers[0] if suppliers else None
        sold_sets = trading.expected_sets(wanted)
        range_ = catalogue.items(
            chance, wanted.starts_at, settings.currency, units, sold_sets, supplier
        )
        known = settings.customers or trading.customers(chance)
        sets = catalogue.sets(range_) if wanted.set_share else []
        fresh = self.erp.register_items([*range_, *sets])
        self.supplier.list_items(range_)
        if not settings.customers:
            self.crm.register(known, wanted.starts_at)
        trade = Trade(self._world, channels, range_, known, sets, wanted.set_share)
        trade.note_rise(wanted)
        trade.plan(wanted)
        return Planned(
            "accepted", trade.orders, trade.lines, trade.cancellations, fresh, len(known)
        )


def _decode(body: bytes, kind: type[T]) -> T:
    return msgspec.json.decode(body, type=kind)
