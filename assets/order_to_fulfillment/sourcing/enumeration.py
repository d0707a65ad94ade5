"""The best choice for one order by looking at every set of nodes, from the smallest on.

Within a set each SKU is by itself and its units become dearer, never cheaper, from one to the next,
so the cheapest units first is the best. That is exact unless a capacity in units or a minimum value
ties SKUs together; then the choice is only a bound, and `enumerate_sets` says that it is.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np

from assets.order_to_fulfillment.sourcing.problem import Flags, Ints
from assets.order_to_fulfillment.sourcing.single import LATE_FIRST, SingleOrder

#: Sets of which units are worked out at once; bounds the memory and nothing else.
_CHUNK = 512
#: Sets that the weighted mode looks into before it asks which of the others can still win.
_FIRST_LOOK = 64


def is_enumerable(order: SingleOrder) -> bool:
    """Whether the policy lets all sets of this order's nodes be looked at."""
    count = len(order.nodes)
    sizes = range(1, min(order.maximum_shipments, count) + 1)
    return sum(comb(count, size) for size in sizes) <= order.limits.node_sets


def best_of_sets(order: SingleOrder) -> tuple[Ints, bool]:
    """Units by SKU and node of the best choice, and whether nothing can be better.

    Where the second is false, a limit that ties SKUs together is broken by the choice.
    """
    if order.is_limited:
        return _nothing(order), False
    given = _weighted(order) if order.is_weighted else _lexicographic(order)
    return given, order.is_allowed(given)


def _nothing(order: SingleOrder) -> Ints:
    return np.zeros(order.units.shape, np.int64)


@lru_cache(maxsize=256)
def _sets(count: int, size: int) -> Ints:
    """Every set of that many nodes, in the order of their positions."""
    flat = np.fromiter(
        (node for chosen in combinations(range(count), size) for node in chosen), np.int64
    )
    return flat.reshape(-1, size)


def _feasible_sets(order: SingleOrder, size: int) -> Ints:
    """Sets of which every node could make a shipment that is worth its while."""
    sets = _sets(len(order.nodes), size)
    if size < 2 or not order.minimum_value:
        return sets
    if size * order.minimum_value > int((order.price * order.quantity).sum()):
        return sets[:0]
    is_worth_it = order.values(order.units) >= order.minimum_value
    return sets[is_worth_it[sets].all(axis=1)]


def _lexicographic(order: SingleOrder) -> Ints:
    on_time = np.where(order.is_late, 0, order.units)
    wanted = int(order.quantity.sum())
    most = int(np.minimum(order.units.sum(axis=1), order.quantity).sum())
    punctual = int(np.minimum(on_time.sum(axis=1), order.quantity).sum())
    ideal = (wanted - most, most - punctual)
    best: tuple[int, int] | None = None
    chosen = np.zeros((0, 0), np.int64)
    for size in range(1, min(order.maximum_shipments, len(order.nodes)) + 1):
        sets = _feasible_sets(order, size)
        if not len(sets):
            continue
        total = _together(order.units, sets, order.quantity)
        prompt = _together(on_time, sets, order.quantity) if order.is_late.any() else total
        unmet, late = wanted - total, total - prompt
        fewest = int(unmet.min())
        soonest = int(late[unmet == fewest].min())
        if best is None or (fewest, soonest) < best:
            best = (fewest, soonest)
            chosen = sets[(unmet == fewest) & (late == soonest)]
        if best == ideal:
            break
    if best is None or not len(chosen):
        return _nothing(order)
    if len(chosen) == 1:
        return _Given(order, _Slots(order), chosen)(0)
    cost, distance, given_of = _costs(order, chosen)
    winner = np.lexsort((np.arange(len(chosen)), distance, cost))[0]
    return given_of(int(winner))


def _together(units: Ints, sets: Ints, quantity: Ints) -> Ints:
    """How many wanted units the nodes of each set have together."""
    # Column by column over long rows: several times as fast as one gather over short ones.
    total = units[:, sets[:, 0]]
    for column in range(1, sets.shape[1]):
        total = total + units[:, sets[:, column]]
    result: Ints = np.minimum(total, quantity[:, None]).sum(axis=0)
    return result


def _weighted(order: SingleOrder) -> Ints:
    best_key: tuple[int, ...] = order.objective(_nothing(order))
    best = _nothing(order)
    for size in range(1, min(order.maximum_shipments, len(order.nodes)) + 1):
        if _least(order, size) > best_key[0]:
            # More shipments only cost more.
            break
        sets = _feasible_sets(order, size)
        bound = _at_least(order, sets)
        promising = np.argsort(bound, kind="stable")
        for start in range(0, len(sets), _FIRST_LOOK):
            # The most promising first: what they reach spares most of the others a look.
            part = np.sort(promising[start : start + _FIRST_LOOK])
            if bound[promising[start]] > best_key[0]:
                break
            score, unmet, cost, distance, given_of = _scores(order, sets[part])
            first = int(np.lexsort((part, distance, cost, unmet, score))[0])
            found = (score[first], unmet[first], size, cost[first], distance[first], part[first])
            key = tuple(int(value) for value in found)
            if key < best_key:
                best_key, best = key, given_of(first)
    return best


def _least(order: SingleOrder, size: int) -> int:
    """What no choice of that many shipments falls below."""
    parcels = int(np.sort(order.parcel_cost)[:size].sum())
    unit = order.unit_cost + order.late_unit * order.is_late
    cheapest = min(int(unit.min()), order.unmet_unit)
    wanted = int(order.quantity.sum())
    return parcels + order.extra_shipment * (size - 1) + cheapest * wanted


def _at_least(order: SingleOrder, sets: Ints) -> Ints:
    """What no choice of each set falls below."""
    together = _together(order.units, sets, order.quantity)
    unit = (order.unit_cost + order.late_unit * order.is_late)[sets].min(axis=1)
    missing = int(order.quantity.sum()) - together
    parcels = order.parcel_cost[sets].sum(axis=1) + order.extra_shipment * (sets.shape[1] - 1)
    result: Ints = (
        parcels + np.minimum(unit, order.unmet_unit) * together + order.unmet_unit * missing
    )
    return result


class _Slots:
    """The stretches of equal units of each SKU, the cheapest first, and who offers them."""

    def __init__(self, order: SingleOrder) -> None:
        count = len(order.nodes)
        near = np.empty(count, np.int64)
        near[order.preference] = np.arange(count)
        late = LATE_FIRST if not order.is_weighted else order.late_unit
        plain = np.broadcast_to(order.unit_cost, order.units.shape)
        costs = np.hstack([plain, plain + order.opportunity])
        marginal = costs + late * np.tile(order.is_late, 2)
        sizes = np.hstack([order.plain, order.units - order.plain])
        if order.is_weighted:
            # A unit that costs more than going without it is better not sent.
            sizes = np.where(marginal > order.unmet_unit, 0, sizes)
        by_cost = np.lexsort((np.broadcast_to(np.tile(near, 2), costs.shape), costs, marginal))
        self.nodes = (by_cost % count).astype(np.int64)
        self.costs = np.take_along_axis(costs, by_cost, axis=1)
        self.sizes = np.take_along_axis(sizes, by_cost, axis=1)
        self.quantity = order.quantity

    def taken(self, members: Flags) -> Ints:
        """Units by set, SKU and slot when the sets (rows of ``members``) give what they can."""
        offered = np.where(members[:, self.nodes], self.sizes, 0)
        before = offered.cumsum(axis=2) - offered
        result: Ints = np.clip(self.quantity[:, None] - before, 0, offered)
        return result


def _costs(order: SingleOrder, sets: Ints) -> tuple[Ints, Ints, _Given]:
    """Cost and distance of the cheapest way of each set that ships all that the set can."""
    slots = _Slots(order)
    cost = np.empty(len(sets), np.int64)
    for start in range(0, len(sets), _CHUNK):
        part = sets[start : start + _CHUNK]
        taken = slots.taken(_members(part, len(order.nodes)))
        cost[start : start + _CHUNK] = (taken * slots.costs).sum(axis=(1, 2))
    cost += order.parcel_cost[sets].sum(axis=1)
    return cost, order.distance[sets].sum(axis=1), _Given(order, slots, sets)


def _scores(order: SingleOrder, sets: Ints) -> tuple[Ints, Ints, Ints, Ints, _Given]:
    """Score, unmet units, cost and distance of each set; what leaves a node idle is no set."""
    slots = _Slots(order)
    count, size = len(order.nodes), sets.shape[1]
    wanted = int(order.quantity.sum())
    columns = np.empty((3, len(sets)), np.int64)
    idle = np.zeros(len(sets), bool)
    for start in range(0, len(sets), _CHUNK):
        part = sets[start : start + _CHUNK]
        here = slice(start, start + _CHUNK)
        taken = slots.taken(_members(part, count))
        late = (taken * order.is_late[slots.nodes]).sum(axis=(1, 2))
        columns[0, here] = wanted - taken.sum(axis=(1, 2))
        columns[1, here] = (taken * slots.costs).sum(axis=(1, 2))
        columns[2, here] = late
        by_node = _by_node(taken, slots.nodes, count)
        idle[here] = (np.take_along_axis(by_node.sum(axis=1), part, axis=1) == 0).any(axis=1)
    unmet, cost, late = columns
    cost = cost + order.parcel_cost[sets].sum(axis=1)
    score = (
        cost + order.extra_shipment * (size - 1) + order.late_unit * late + order.unmet_unit * unmet
    )
    # The smaller set without the idle node says the same, for less.
    score[idle] = np.iinfo(np.int64).max
    return score, unmet, cost, order.distance[sets].sum(axis=1), _Given(order, slots, sets)


class _Given:
    """Units by SKU and node of one of several sets, worked out when it has won."""

    def __init__(self, order: SingleOrder, slots: _Slots, sets: Ints) -> None:
        self._count, self._slots, self._sets = len(order.nodes), slots, sets

    def __call__(self, index: int) -> Ints:
        members = _members(self._sets[index : index + 1], self._count)
        result: Ints = _by_node(self._slots.taken(members), self._slots.nodes, self._count)[0]
        return result


def _members(sets: Ints, count: int) -> Flags:
    members = np.zeros((len(sets), count), bool)
    np.put_along_axis(members, sets, True, axis=1)
    return members


def _by_node(taken: Ints, nodes: Ints, count: int) -> Ints:
    """Slots (last axis) added up by their node."""
    # Each node has as many slots as any other, so that a stable sort lines them up.
    order = np.argsort(nodes, axis=1, kind="stable")
    lined_up = np.take_along_axis(taken, np.broadcast_to(order, taken.shape), axis=2)
    result: Ints = lined_up.reshape(*taken.shape[:2], count, -1).sum(axis=3)
    return result
