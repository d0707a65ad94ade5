"""The tables as arrays: what every order could ask of every node, and what is left there.

Nodes stand in the order of their ids, so that the first of equals is the one with the smaller id.
A demand is what one order wants of one SKU, over all its lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.commerce.money import to_ten_thousandths
from assets.order_to_fulfillment.sourcing.bundles import Bundles, bundles_by_order
from assets.order_to_fulfillment.sourcing.calendars import arrivals, departures, local_days
from assets.order_to_fulfillment.sourcing.policy import LARGEST_AMOUNT
from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.tables import Tables

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

UNLIMITED = np.int64(2**40)


class Reason(IntFlag):
    """Why a node is out of the question for an order, or second choice."""

    NO_LANE = 1
    EXCLUDED_AFTER_REJECT = 2
    BLACKOUT = 4
    AFTER_CUT_OFF = 8
    NO_PICKUP = 16
    PROMISE_NOT_FEASIBLE = 32


@dataclass(frozen=True)
class Terms:
    """Numbers of each profile (rows) at each node (columns), and of each profile alone."""

    kept: Ints
    protected: Ints
    opportunity: Ints
    capacity: Ints
    counts_units: Flags
    is_weighted: Flags
    may_ship_late: Flags
    maximum_shipments: Ints
    minimum_value: Ints
    extra_shipment: Ints
    late_unit: Ints
    unmet_unit: Ints


@dataclass(frozen=True)
class Offers:
    """What each node (columns) offers each order (rows).

    Attributes:
        is_open: The node may ship for the order, stock and capacity aside.
        is_late: It would arrive after the promise.
        parcel_cost: Lane and preference of the channel (ten-thousandths).
        preference: What of it is preference, which nobody is paid (ten-thousandths).
        unit_cost: Of the lane (ten-thousandths).
        distance: Of the lane; breaks ties.
        slot: Row of `State.used` that the order counts in: a node's local day.
        reasons: `Reason` flags.
    """

    is_open: Flags
    is_late: Flags
    parcel_cost: Ints
    preference: Ints
    unit_cost: Ints
    distance: Ints
    slot: Ints
    reasons: Ints


@dataclass(frozen=True)
class Demands:
    """What orders want: one entry per order and SKU, by order.

    Attributes:
        order: Position of the order.
        sku: Row of `State.stock`.
        quantity: Units (each).
        price: Of a unit, the mean over the lines of the SKU, rounded down (ten-thousandths), and at
            most `LARGEST_AMOUNT`: what is worth more is not protected more.
        start: First entry of each order; one more than there are orders.
        of_line: Entry of each order line.
    """

    order: Ints
    sku: Ints
    quantity: Ints
    price: Ints
    start: Ints
    of_line: Ints


@dataclass
class State:
    """What is left: changed by every decision.

    Attributes:
        stock: Unpromised units by SKU (rows) and node (columns).
        used: Orders and units that a node took on in a local day, by `Offers.slot`.
    """

    stock: Ints
    used: Ints

    def copy(self) -> State:
        """One that can be changed without changing this one."""
        return State(self.stock.copy(), self.used.copy())


@dataclass(frozen=True)
class Problem:
    """Everything that a decision needs, as arrays; ``bundles`` of the orders that have any."""

    profiles: list[Profile]
    node_ids: list[str]
    profile: Ints
    terms: Terms
    offers: Offers
    demands: Demands
    state: State
    bundles: dict[int, Bundles] = field(default_factory=dict)


def lay_out(tables: Tables, profiles: list[Profile]) -> Problem:
    """Turn tables into arrays.

    Raises:
        ValueError: If stock lists a wanted SKU of a node twice, or lines are not in the order of
            orders.
    """
    nodes = tables.nodes.sort_values("node_id", ignore_index=True)
    node_ids = nodes["node_id"].tolist()
    profile = tables.orders["profile"].to_numpy(np.int64)
    terms = _terms(profiles, node_ids, nodes["kind"].tolist())
    demands, skus = _demands(tables.order_lines, len(tables.orders))
    offers, used = _offers(tables, profiles, nodes, terms)
    state = State(_stock(tables.stock, skus, node_ids), used)
    ship_together = [profile.policy.bundles_ship_together for profile in profiles]
    bundles = bundles_by_order(tables, demands.of_line, demands.start, ship_together)
    return Problem(profiles, node_ids, profile, terms, offers, demands, state, bundles)


def _terms(profiles: list[Profile], node_ids: list[str], kinds: list[str]) -> Terms:
    policies = [profile.policy for profile in profiles]
    terms = [
        [policy.terms(node, kind) for node, kind in zip(node_ids, kinds, strict=True)]
        for policy in policies
    ]
    shape = (len(profiles), len(node_ids))

    def by_node(field: str) -> Ints:
        values = [[getattr(node, field) for node in row] for row in terms]
        return np.array(values, np.int64).reshape(shape)

    def amount(texts: list[str]) -> Ints:
        return np.array([to_ten_thousandths(text) for text in texts], np.int64)

    return Terms(
        kept=np.array(
            [[profile.kept(node) for node in node_ids] for profile in profiles], np.int64
        ).reshape(shape),
        protected=by_node("protected_quantity_each"),
        opportunity=by_node("opportunity_basis_points"),
        capacity=np.array(
            [
                [
                    UNLIMITED if node.capacity_per_day is None else node.capacity_per_day
                    for node in row
                ]
                for row in terms
            ],
            np.int64,
        ).reshape(shape),
        counts_units=np.array(
            [[node.capacity_unit == "units" for node in row] for row in terms], bool
        ).reshape(shape),
        is_weighted=np.array([policy.mode == "weighted" for policy in policies], bool),
        may_ship_late=np.array([policy.may_ship_late for policy in policies], bool),
        maximum_shipments=np.array([policy.maximum_splits + 1 for policy in policies], np.int64),
        minimum_value=amount([policy.minimum_shipment_value for policy in policies]),
        extra_shipment=amount([policy.weights.extra_shipment for policy in policies]),
        late_unit=amount([policy.weights.late_unit for policy in policies]),
        unmet_unit=amount([policy.weights.unmet_unit for policy in policies]),
    )


def _demands(lines: pd.DataFrame, orders: int) -> tuple[Demands, pd.Index]:
    of_order = lines["order"].to_numpy(np.int64)
    if (np.diff(of_order) < 0).any():
        raise ValueError("order lines do not stand in the order of their orders")
    codes, skus = pd.factorize(lines["sku"])
    # The first line of a SKU says where its demand stands, so that the order of lines is kept.
    keys, first, inverse = np.unique(
        of_order * max(1, len(skus)) + codes, return_index=True, return_inverse=True
    )
    rank = np.empty(len(keys), np.int64)
    by_first = np.argsort(first, kind="stable")
    rank[by_first] = np.arange(len(keys))
    of_line = rank[inverse]
    chosen = first[by_first]
    quantities = lines["quantity"].to_numpy(np.int64)
    quantity = np.zeros(len(keys), np.int64)
    np.add.at(quantity, of_line, quantities)
    value = np.zeros(len(keys), np.int64)
    prices = np.minimum(lines["unit_price"].to_numpy(np.int64), LARGEST_AMOUNT)
    np.add.at(value, of_line, prices * quantities)
    order = of_order[chosen]
    demands = Demands(
        order=order,
        sku=codes[chosen].astype(np.int64),
        quantity=quantity,
        price=value // np.maximum(quantity, 1),
        start=np.searchsorted(order, np.arange(orders + 1)),
        of_line=of_line,
    )
    return demands, skus


def _stock(stock: pd.DataFrame, skus: pd.Index, node_ids: list[str]) -> Ints:
    result = np.zeros((len(skus), len(node_ids)), np.int64)
    node_of = {node: column for column, node in enumerate(node_ids)}
    rows = skus.get_indexer(pd.Index(stock["sku"]))
    columns = np.array([node_of.get(node, -1) for node in stock["node_id"].tolist()], np.int64)
    known = (rows >= 0) & (columns >= 0)
    cells = rows[known] * len(node_ids) + columns[known]
    if len(np.unique(cells)) < len(cells):
        raise ValueError("stock lists a node and SKU twice")
    result.ravel()[cells] = stock["unpromised_quantity"].to_numpy(np.int64)[known]
    return result


def _offers(
    tables: Tables, profiles: list[Profile], nodes: pd.DataFrame, terms: Terms
) -> tuple[Offers, Ints]:
    orders = tables.orders
    shape = (len(orders), len(nodes))
    lanes = _lanes(orders, profiles, nodes)
    decided = _instants(orders["decided_at"])
    promised = _instants(orders["promised_at"])
    profile = orders["profile"].to_numpy(np.int64)
    promised_day = np.full(len(orders), np.datetime64("NaT", "D"))
    reasons = np.where(lanes.exists, 0, int(Reason.NO_LANE))
    departed = np.full(shape, np.datetime64("NaT", "D"))
    for index in np.unique(profile):
        rows = np.flatnonzero(profile == index)
        promised_day[rows] = local_days(promised[rows], profiles[index].zone)
        policy = profiles[index].policy
        for column, (node, kind, zone) in enumerate(_each(nodes)):
            of_node = policy.terms(node, kind)
            found = departures(decided[rows], zone, of_node, policy.longest_wait_for_pickup_days)
            departed[rows, column] = found.day
            reasons[rows, column] |= np.where(found.is_blacked_out, int(Reason.BLACKOUT), 0)
            reasons[rows, column] |= np.where(found.is_after_cut_off, int(Reason.AFTER_CUT_OFF), 0)
    reasons |= np.where(np.isnat(departed), int(Reason.NO_PICKUP), 0)
    is_late = arrivals(departed, lanes.transit) > promised_day[:, None]
    reasons |= np.where(is_late, int(Reason.PROMISE_NOT_FEASIBLE), 0)
    reasons |= _excluded(tables, nodes)
    never = Reason.NO_LANE | Reason.EXCLUDED_AFTER_REJECT | Reason.NO_PICKUP
    is_open = (reasons & int(never)) == 0
    is_open &= ~is_late | terms.may_ship_late[profile][:, None]
    slots, used = _slots(tables, nodes, decided)
    offers = Offers(
        is_open=is_open,
        is_late=is_late,
        parcel_cost=lanes.parcel_cost + lanes.preference,
        preference=lanes.preference,
        unit_cost=lanes.unit_cost,
        distance=lanes.distance,
        slot=slots,
        reasons=reasons,
    )
    return offers, used


def _each(nodes: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Id, kind and zone of each node."""
    columns = (nodes[column].tolist() for column in ("node_id", "kind", "zone"))
    return list(zip(*columns, strict=True))


@dataclass(frozen=True)
class _Lanes:
    exists: Flags
    transit: Ints
    parcel_cost: Ints
    preference: Ints
    unit_cost: Ints
    distance: Ints


def _lanes(orders: pd.DataFrame, profiles: list[Profile], nodes: pd.DataFrame) -> _Lanes:
    """Lanes of each order, looked up once for all orders of a scope that go one way."""
    # Plain lists: a batch has few routes, and frames cost more than they help for one order.
    keys = list(
        zip(
            orders["profile"].tolist(),
            orders["country_code"].tolist(),
            orders["service_level"].tolist(),
            strict=True,
        )
    )
    routes = {key: position for position, key in enumerate(dict.fromkeys(keys))}
    codes = np.array([routes[key] for key in keys], np.int64)
    found = np.zeros((6, len(routes), len(nodes)), np.int64)
    for row, (index, country, service_level) in enumerate(routes):
        profile = profiles[index]
        step = to_ten_thousandths(profile.policy.preference_step_cost)
        for column, (node, kind, _) in enumerate(_each(nodes)):
            lane = profile.policy.lane(node, kind, country, profile.region, service_level)
            if lane is not None:
                found[:, row, column] = (
                    1,
                    lane.transit_working_days,
                    lane.parcel_amount,
                    step * profile.rank(node),
                    lane.unit_amount,
                    lane.distance_km,
                )
    exists, transit, parcel_cost, preference, unit_cost, distance = found[:, codes, :]
    return _Lanes(exists > 0, transit, parcel_cost, preference, unit_cost, distance)


def _instants(column: pd.Series) -> npt.NDArray[np.datetime64]:
    values = column.dt.tz_convert("UTC").dt.tz_localize(None)
    result: npt.NDArray[np.datetime64] = values.to_numpy("datetime64[us]")
    return result


def _excluded(tables: Tables, nodes: pd.DataFrame) -> Ints:
    result = np.zeros((len(tables.orders), len(nodes)), np.int64)
    if len(tables.exclusions):
        rows = pd.Index(tables.orders["order_id"]).get_indexer(
            pd.Index(tables.exclusions["order_id"])
        )
        columns = pd.Index(nodes["node_id"]).get_indexer(pd.Index(tables.exclusions["node_id"]))
        known = (rows >= 0) & (columns >= 0)
        result[rows[known], columns[known]] = int(Reason.EXCLUDED_AFTER_REJECT)
    return result


def _slots(
    tables: Tables, nodes: pd.DataFrame, decided: npt.NDArray[np.datetime64]
) -> tuple[Ints, Ints]:
    """Which day of which node each order counts in, and what that day has already."""
    slots = np.zeros((len(tables.orders), len(nodes)), np.int64)
    columns = ["node_id", "day", "orders", "units"]
    taken = {
        (node, np.datetime64(day, "D")): (orders, units)
        for node, day, orders, units in zip(
            *(tables.usage[column].tolist() for column in columns), strict=True
        )
    }
    used: list[tuple[int, int]] = []
    for column, (node, _, zone) in enumerate(_each(nodes)):
        days, of_order = np.unique(local_days(decided, zone), return_inverse=True)
        slots[:, column] = len(used) + of_order
        used += [taken.get((node, day), (0, 0)) for day in days]
    return slots, np.array(used, np.int64).reshape(-1, 2)
