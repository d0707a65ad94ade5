"""A week of trade: who orders what, where and when, made up but the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from assets.commerce.money import to_ten_thousandths, to_text
from assets.contracts.master_data import CustomerRegistered
from assets.contracts.order import (
    Authorisation,
    OrderCancelled,
    OrderCharge,
    OrderLine,
    OrderPlaced,
    Pickup,
    ShipTo,
)
from resources.sandbox.catalogue import popularity
from resources.sandbox.chance import Chance, Weights
from resources.sandbox.channel import Channel, Habits
from resources.sandbox.erp import Item
from resources.sandbox.events import Scope
from resources.sandbox.partner import World
from resources.sandbox.settings import channel_price

CUSTOMERS = 400
_CANCELLED_RATE = 0.01
# Few orders are taken back, and a share of them as of everything else would be nobody.
_OVERTAKEN_WEIGHT = 10
# The higher, the more lines are for one unit.
_UNITS_SKEW = 2.5
# Of one kind in an order.
_MOST_SETS = 2
_POSTAGE = {"standard": 39_500, "express": 69_500, "pickup": 0}
_FIRST = (
    "Aisha", "Ben", "Chloe", "Dev", "Elin", "Femi", "Grace", "Hugo", "Ines", "Jakub",
    "Kirsty", "Liam", "Maya", "Niamh", "Omar", "Petra", "Quentin", "Rosa", "Sanne", "Tomas",
)  # fmt: skip
_LAST = (
    "Abbott", "Brandt", "Carver", "Dubois", "Eastwood", "Fischer", "Garcia", "Hartley", "Iqbal",
    "Jansen", "Keogh", "Lambert", "Marsh", "Novak", "Okafor", "Prior", "Quinn", "Rowe", "Sharma",
    "Thorne",
)  # fmt: skip
_STREETS = ("Mill Lane", "Station Road", "Orchard Close", "Church Street", "Harbour View")
_CITIES = {
    "GB": ("Leeds", "Bristol", "Nottingham", "Cardiff", "Glasgow"),
    "IE": ("Cork", "Galway", "Dublin"),
    "DE": ("Bremen", "Leipzig", "Mainz"),
    "FR": ("Lille", "Nantes", "Dijon"),
    "NL": ("Utrecht", "Delft", "Breda"),
    "ES": ("Bilbao", "Gijon", "Murcia"),
}


class Rise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class of products that the home region asks for more than usual, from a day on.

    Attributes:
        share: Part of the orders that have it among their lines for that.
    """

    product_class: str
    from_day: Annotated[int, Meta(ge=0, le=365)]
    share: Annotated[float, Meta(gt=0, le=1)]


class Trading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller asks for."""

    starts_at: Annotated[datetime, Meta(tz=True)]
    days: Annotated[int, Meta(ge=1, le=366)] = 7
    orders: Annotated[int, Meta(ge=1, le=1_000_000)] = 1_500
    #: Part of the orders that have a set beside their other lines; none is sold at zero.
    set_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    rise: Rise | None = None


class Planned(msgspec.Struct, frozen=True):
    """What became of it."""

    status: Literal["accepted", "duplicate"]
    orders: int
    order_lines: int
    cancellations: int
    items: int
    customers: int


def expected_units(habits: Sequence[Habits], orders: int) -> float:
    """Units that a planner expects of so many orders."""
    total = sum(habit.order_share for habit in habits)
    units = 0.0
    for habit in habits:
        weights = habit.line_weights
        lines = sum(n * weight for n, weight in enumerate(weights, 1)) / sum(weights)
        units += habit.order_share / total * lines * (0.5 + habit.most_units / (1 + _UNITS_SKEW))
    return units * orders


def expected_sets(wanted: Trading) -> float:
    """Sets that a planner expects to sell."""
    return wanted.orders * wanted.set_share * (1 + _MOST_SETS) / 2


def customers(chance: Chance) -> list[CustomerRegistered]:
    """Made-up people; most of them are at home."""
    countries = Weights([0.7, 0.06, 0.1, 0.07, 0.04, 0.03])
    found = []
    for number in range(1, CUSTOMERS + 1):
        key = f"C{number:05d}"
        country = list(_CITIES)[countries.position(chance.share("country", key))]
        person = _person(chance, key, country)
        found.append(
            CustomerRegistered(
                customer_number=key,
                country=country,
                name=person.name,
                email=person.email,
                address=person.address,
                city=person.city,
                postcode=person.postcode,
            )
        )
    return found


def _person(chance: Chance, key: str, country: str) -> ShipTo:
    first = _FIRST[chance.between(0, len(_FIRST) - 1, "first", key)]
    last = _LAST[chance.between(0, len(_LAST) - 1, "last", key)]
    cities = _CITIES[country]
    street = _STREETS[chance.between(0, len(_STREETS) - 1, "street", key)]
    return ShipTo(
        country=country,
        name=f"{first} {last}",
        email=f"{first}.{last}.{key}@example.com".lower(),
        address=f"{chance.between(1, 180, 'house', key)} {street}",
        city=cities[chance.between(0, len(cities) - 1, "city", key)],
        postcode=f"{chance.between(10_000, 99_999, 'postcode', key)}",
    )


class Trade:
    """Plans the orders of one request and queues them with their channels."""

    def __init__(
        self,
        world: World,
        channels: Sequence[Channel],
        range_: Sequence[Item],
        known: Sequence[CustomerRegistered],
        sets: Sequence[Item] = (),
        set_share: float = 0.0,
    ) -> None:
        self._world = world
        self._sets = sets
        self._set_share = set_share if sets else 0.0
        self._channels = channels
        self._range = range_
        self._known: dict[str, list[CustomerRegistered]] = {}
        for customer in known:
            self._known.setdefault(customer.country or "GB", []).append(customer)
        self._what = Weights(popularity([item.sku for item in range_], world.chance))
        self._where = Weights([channel.habits.order_share for channel in channels])
        self.orders = 0
        self.lines = 0
        self.cancellations = 0

    def plan(self, wanted: Trading) -> None:
        """Queue every order, and the few that are taken back, for their time."""
        chance = self._world.chance
        for number in range(1, wanted.orders + 1):
            key = f"{wanted.starts_at.astimezone(UTC):%Y%m%d%H%M}-{number:05d}"
            channel = self._channels[self._where.position(chance.share("channel", key))]
            at = self._moment(channel.habits, wanted, key)
            if at is None:
                continue
            order_number = f"{channel.code[:1].upper()}{key}"
            order = self._order(channel.habits, order_number, key, self._wanted_more(wanted, at))
            scope = self._scope(channel.code, order.ship_to.country)
            regret = None
            if chance.happens(_CANCELLED_RATE, "cancelled", key):
                regret = at + timedelta(seconds=chance.between(120, 2_400, "regret", key))
            held_until = self._overtaken(channel.habits, order_number, regret)
            placed = "retail.order.placed.v1"
            channel.tell(placed, at, order, order_number, scope, held_until=held_until)
            self.orders += 1
            self.lines += len(order.lines)
            if regret is not None:
                self._cancel(channel, order_number, regret, scope, held_until)

    def _overtaken(
        self, habits: Habits, order_number: str, regret: datetime | None
    ) -> datetime | None:
        """When an order is told that its own cancellation overtakes, ``None`` for the others.

        Not one that was paid for at the checkout: its cancellation needs a person in any order.
        """
        if regret is None or habits.is_authorised:
            return None
        faults, chance = self._world.faults, self._world.chance
        if not faults.strikes("out_of_order", order_number, weight=_OVERTAKEN_WEIGHT):
            return None
        return regret + timedelta(minutes=chance.between(10, 600, "overtaken_by", order_number))

    def _cancel(
        self,
        channel: Channel,
        order_number: str,
        regret: datetime,
        scope: Scope,
        held_until: datetime | None,
    ) -> None:
        """Take an order back, and note what the product cannot settle by itself."""
        cancelled = OrderCancelled(order_number=order_number, reason="customer_request")
        event_type = "retail.order.cancelled.v1"
        identity = channel.tell(event_type, regret, cancelled, order_number, scope)
        self.cancellations += 1
        order = f"{channel.code}/{order_number}"
        faults = self._world.faults
        if held_until is not None:
            faults.note("out_of_order", held_until, channel.code, order, identity)
        elif not channel.habits.is_authorised:
            # Not too late, unless its node is told before the product hears of it.
            self._world.regrets[order] = (identity, regret)
        else:
            expected = "case:illegal_transition"
            faults.note("late_cancellation", regret, channel.code, order, identity, expected)

    def _scope(self, channel: str, country: str) -> Scope:
        settings = self._world.settings
        region = settings.region if country == "GB" else "eu"
        return Scope(settings.legal_entity, settings.brand, region, channel)

    def _moment(self, habits: Habits, wanted: Trading, key: str) -> datetime | None:
        chance = self._world.chance
        zone: ZoneInfo = self._world.zone()
        first = wanted.starts_at.astimezone(zone).date()
        days = [first + timedelta(days=offset) for offset in range(wanted.days)]
        weights = [habits.weekday_weights[day.weekday()] for day in days]
        if not any(weights):
            return None
        day = days[Weights(weights).position(chance.share("day", key))]
        hours = Weights(habits.hour_weights)
        hour = habits.first_hour + hours.position(chance.share("hour", key))
        second = chance.between(0, 3_599, "second", key)
        local = datetime.combine(day, time(hour), zone) + timedelta(seconds=second)
        at = local.astimezone(UTC)
        # A week that starts at noon ends at noon: what would lie before it lies at its end.
        if at <= wanted.starts_at:
            at += timedelta(days=wanted.days)
        return at

    def note_rise(self, wanted: Trading) -> None:
        """Tell the answer key of a rise."""
        if wanted.rise is not None:
            settings = self._world.settings
            key = f"{settings.region}/{wanted.rise.product_class}"
            at = wanted.starts_at + timedelta(days=wanted.rise.from_day)
            self._world.faults.note("demand_rise", at, "channels", key, key, "case:demand_spike")

    def _wanted_more(self, wanted: Trading, at: datetime) -> Rise | None:
        """The rise that an order of this moment may be part of."""
        rise = wanted.rise
        if rise is None or at < wanted.starts_at + timedelta(days=rise.from_day):
            return None
        return rise

    def _order(self, habits: Habits, order_number: str, key: str, rise: Rise | None) -> OrderPlaced:
        chance = self._world.chance
        countries = Weights(list(habits.countries.values()))
        country = list(habits.countries)[countries.position(chance.share("country", key))]
        levels = Weights(list(habits.service_levels.values()))
        level = list(habits.service_levels)[levels.position(chance.share("service", key))]
        pickup = self._pickup(habits, key, country)
        level = "pickup" if pickup else level
        ship_to, customer_number = self._recipient(habits, key, country)
        lines = self._lines(habits, key, rise if country == "GB" else None)
        goods = sum(line.quantity * to_ten_thousandths(line.unit_price) for line in lines)
        postage = 0 if goods >= habits.free_postage_from else _POSTAGE[level]
        authorisation = None
        if habits.is_authorised:
            authorisation = Authorisation(
                reference=f"{habits.code.upper()}-{key}", amount=to_text(goods + postage)
            )
        return OrderPlaced(
            order_number=order_number,
            currency=self._world.settings.currency,
            lines=lines,
            charges=[OrderCharge(code="postage", amount=to_text(postage))] if postage else [],
            customer_number=customer_number,
            ship_to=ship_to,
            service_level=level,
            authorisation=authorisation,
            pickup=pickup,
        )

    def _pickup(self, habits: Habits, key: str, country: str) -> Pickup | None:
        """Where the customer collects it, for a few of those who live near a store."""
        chance = self._world.chance
        stores = [
            node.node_id
            for node in self._world.settings.nodes
            if node.kind == "store" and node.is_active and node.country == country
        ]
        if not stores or not chance.happens(habits.collected_share, "collected", key):
            return None
        return Pickup(
            node_id=stores[chance.between(0, len(stores) - 1, "store", key)],
            accepts_other_store=chance.happens(0.5, "other_store", key),
            accepts_shipping=True,
        )

    def _recipient(self, habits: Habits, key: str, country: str) -> tuple[ShipTo, str | None]:
        if not habits.is_known:
            return ShipTo(country=country), None
        chance = self._world.chance
        here = self._known.get(country)
        # Every third order of a private channel is a guest's.
        if not here or chance.happens(0.3, "guest", key):
            return _person(chance, key, country), None
        customer = here[chance.between(0, len(here) - 1, "customer", key)]
        person = ShipTo(
            country=country,
            name=customer.name,
            email=customer.email,
            address=customer.address,
            city=customer.city,
            postcode=customer.postcode,
        )
        return person, customer.customer_number

    def _lines(self, habits: Habits, key: str, rise: Rise | None) -> list[OrderLine]:
        chance = self._world.chance
        count = 1 + Weights(habits.line_weights).position(chance.share("lines", key))
        chosen: dict[str, Item] = {}
        attempt = 0
        while len(chosen) < min(count, len(self._range)):
            item = self._range[self._what.position(chance.share("sku", key, attempt))]
            chosen.setdefault(item.sku, item)
            attempt += 1
        if rise is not None and chance.happens(rise.share, "rise", key):
            wanted = [item for item in self._range if item.product_class == rise.product_class]
            if wanted:
                item = wanted[chance.between(0, len(wanted) - 1, "which_rise", key)]
                chosen.setdefault(item.sku, item)
        lines = [
            OrderLine(
                line_number=number,
                sku=item.sku,
                quantity=1
                + int(habits.most_units * chance.share("units", key, number) ** _UNITS_SKEW),
                unit_price=to_text(channel_price(item.list_price, habits.price_basis_points)),
            )
            for number, item in enumerate(chosen.values(), 1)
        ]
        if chance.happens(self._set_share, "set", key):
            chosen_set = self._sets[chance.between(0, len(self._sets) - 1, "which_set", key)]
            price = to_text(channel_price(chosen_set.list_price, habits.price_basis_points))
            lines.append(
                OrderLine(
                    line_number=len(lines) + 1,
                    sku=chosen_set.sku,
                    quantity=chance.between(1, _MOST_SETS, "sets", key),
                    unit_price=price,
                )
            )
        return lines
