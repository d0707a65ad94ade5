"""The common case, for all orders at once: one node ships all that the order can get.

Every order is given the node that is best for it at the start of the batch. Stock and capacity only
shrink while orders are decided and protected units only become dearer, so nothing that was worse at
the start can have become better since. An order is `settled` when its node stays the best choice
whatever the orders before it that are not settled take; that is proved, not guessed:

- what the node gives is known: it has enough left for everybody before (unsettled orders are
  taken to want all they want from it), or nobody unsettled wants the SKU;
- nothing more can be had: where it gives less than is wanted, no other node had any, and no bundle
  is broken up by it, since an order with bundles is settled only when it gets everything;
- no other node could ship the same for less, at the prices of the start;
- weighted: no two nodes could for less than the two cheapest parcels and the cheapest units, and
  going without costs more than any unit.

Whoever is not settled is decided one after the other, with exactly the stock that is left then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from assets.order_to_fulfillment.sourcing.problem import Flags, Ints, Problem, State

#: After so many rounds what still hangs on each other is decided one after the other.
_ROUNDS = 8
_WORST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Settled:
    """What the common case decides of orders ``first`` and following.

    Attributes:
        orders: Which of them are settled.
        node: The node of each.
        units: What it gives each of their demands.
    """

    orders: Flags
    node: Ints
    units: Ints


class _Batch:
    """Orders [first, last) and their demands, as they stand at the start."""

    def __init__(self, problem: Problem, state: State, first: int, last: int) -> None:
        demands, offers, terms = problem.demands, problem.offers, problem.terms
        rows = slice(demands.start[first], demands.start[last])
        self.problem, self.state = problem, state
        self.orders = slice(first, last)
        self.count = last - first
        self.profile = problem.profile[self.orders]
        self.start = demands.start[first : last + 1] - demands.start[first]
        self.order = demands.order[rows] - first
        self.sku, self.quantity = demands.sku[rows], demands.quantity[rows]
        self.price = demands.price[rows]
        self.wanted = self.by_order(self.quantity)
        self.has_bundles = np.zeros(self.count, bool)
        for order in problem.bundles:
            if first <= order < last:
                self.has_bundles[order - first] = True
        self.is_weighted = terms.is_weighted[self.profile]
        self.late_unit = terms.late_unit[self.profile]
        self.unmet_unit = terms.unmet_unit[self.profile]
        self.parcel = offers.parcel_cost[self.orders]
        self.unit = offers.unit_cost[self.orders]
        self.distance = offers.distance[self.orders]
        self.is_late = offers.is_late[self.orders]
        self.slot = offers.slot[self.orders]
        unit_kind = terms.counts_units[self.profile].astype(np.int64)
        self.capacity = terms.capacity[self.profile] - state.used[self.slot, unit_kind]
        self.counts_units = terms.counts_units[self.profile]
        self.is_open = offers.is_open[self.orders] & (self.capacity > 0)
        of_profile = self.profile[self.order]
        self.kept = terms.kept[of_profile]
        self.floor = np.maximum(self.kept, terms.protected[of_profile])
        self.opportunity = self.price[:, None] * terms.opportunity[of_profile] // 10_000
        stock = state.stock[self.sku]
        self.available = np.where(self.is_open[self.order], np.maximum(stock - self.kept, 0), 0)
        self.plain = np.maximum(stock - self.floor, 0)

    def by_order(self, values: Ints) -> Ints:
        """Added up over the demands of each order."""
        sums = np.concatenate([np.zeros((1, *values.shape[1:]), np.int64), values.cumsum(axis=0)])
        result: Ints = sums[self.start[1:]] - sums[self.start[:-1]]
        return result

    def every(self, holds: Flags) -> Flags:
        """Whether it holds for every demand of an order."""
        result: Flags = self.by_order((~holds).astype(np.int64)) == 0
        return result

    def alone(self, units: Ints) -> tuple[Ints, Ints]:
        """Units and cost of each node (columns) when it ships these alone."""
        total = self.by_order(units)
        protected = np.maximum(units - self.plain, 0) * self.opportunity
        cost = self.unit * total + self.by_order(protected)
        return total, np.where(total > 0, cost + self.parcel, 0)


def settle(problem: Problem, state: State, first: int, last: int) -> Settled:
    """Decide what can be decided at once of the orders [first, last)."""
    batch = _Batch(problem, state, first, last)
    node = _best_nodes(batch)
    settled = _may_be_settled(batch, node)
    units = np.zeros(len(batch.order), np.int64)
    for _ in range(_ROUNDS):
        units, holds = _given(batch, node, settled)
        stays = settled & holds & _is_best(batch, node, units, settled)
        if (stays == settled).all():
            return Settled(settled, node, np.where(settled[batch.order], units, 0))
        fell = np.flatnonzero(settled & ~stays)[0]
        settled = stays
    # Before the first that fell in the last round nothing had changed in that round.
    settled = settled & (np.arange(batch.count) < fell)
    return Settled(settled, node, np.where(settled[batch.order], units, 0))


def _best_nodes(batch: _Batch) -> Ints:
    """The best single node of each order at the start, whatever it can give."""
    units = np.minimum(batch.available, batch.quantity[:, None])
    total, cost = batch.alone(units)
    unmet = batch.wanted[:, None] - total
    late = np.where(batch.is_late, total, 0)
    score = cost + batch.late_unit[:, None] * late + batch.unmet_unit[:, None] * unmet
    weighted = batch.is_weighted[:, None]
    keys = (
        np.where(weighted, score, unmet),
        np.where(weighted, unmet, late),
        cost,
        batch.distance,
    )
    return _first(batch.is_open, keys)


def _first(mask: Flags, keys: tuple[Ints, ...]) -> Ints:
    """The column of the smallest key by row, the leftmost of equals."""
    for key in keys:
        smallest = np.where(mask, key, _WORST).min(axis=1, initial=_WORST)
        mask = mask & (key == smallest[:, None])
    result: Ints = mask.argmax(axis=1) if mask.shape[1] else np.zeros(len(mask), np.int64)
    return result


def _pick(values: Ints | Flags, node: Ints) -> Any:
    return np.take_along_axis(values, node[:, None], axis=1)[:, 0]


def _may_be_settled(batch: _Batch, node: Ints) -> Flags:
    """Orders that need not be looked at one by one for what they are."""
    if not batch.available.shape[1]:
        return np.ones(batch.count, bool)
    is_late = _pick(batch.is_late, node)
    has_any = batch.by_order(batch.available.sum(axis=1)) > 0
    dearest = np.where(
        batch.available > 0,
        batch.opportunity + (batch.unit + batch.late_unit[:, None] * batch.is_late)[batch.order],
        0,
    ).max(axis=1)
    worth_it = batch.every(dearest <= batch.unmet_unit[batch.order])
    # Of a late node only the weighted mode can say what it is worth.
    return ~has_any | np.where(batch.is_weighted, worth_it, ~is_late)


def _given(batch: _Batch, node: Ints, settled: Flags) -> tuple[Ints, Flags]:
    """What each order's node gives it, and whether that is sure and within the node's capacity."""
    order, sku, quantity = batch.order, batch.sku, batch.quantity
    if not batch.available.shape[1]:
        return np.zeros(len(order), np.int64), np.ones(batch.count, bool)
    of_node = node[order]
    rows = np.arange(len(order))
    is_settled = settled[order]
    group = sku * batch.available.shape[1] + of_node
    has_none = batch.available[rows, of_node] == 0
    # A node that may give an order nothing (closed to it, say) has all of it for those after.
    before = _before(group, np.where(is_settled & ~has_none, quantity, 0))
    unsettled = _before(sku, np.where(is_settled, 0, quantity))
    kept = batch.kept[rows, of_node]
    left = batch.state.stock[sku, of_node] - kept - before
    covered = left - unsettled >= quantity
    # Where scopes keep back differently, what was taken before does not follow from what was asked.
    same = _is_uniform(group, kept)
    sure = covered | has_none | ((unsettled == 0) & same)
    units = np.where(has_none, 0, np.clip(left, 0, quantity))
    others = batch.available.sum(axis=1) - batch.available[rows, of_node]
    may_lack = (others == 0) & ~batch.has_bundles[order]
    holds = batch.every(sure & ((units == quantity) | may_lack))
    return units, holds & (_has_room(batch, node, settled) | (batch.by_order(units) == 0))


def _has_room(batch: _Batch, node: Ints, settled: Flags) -> Flags:
    """Whether a node's capacity does for an order, whatever unsettled ones before it use."""
    counts_units = _pick(batch.counts_units, node)
    slot = _pick(batch.slot, node)
    room = np.ones(batch.count, bool)
    for is_units, use in ((False, np.ones(batch.count, np.int64)), (True, batch.wanted)):
        before = _before(slot, np.where(settled, use, 0))
        unsettled = _before(np.zeros(batch.count, np.int64), np.where(settled, 0, use))
        fits = before + unsettled + use <= _pick(batch.capacity, node)
        room &= fits | (counts_units != is_units)
    return room


def _is_best(batch: _Batch, node: Ints, units: Ints, settled: Flags) -> Flags:
    """Whether nothing else would be better for an order than these units from its node."""
    total = batch.by_order(units)
    if not batch.available.shape[1]:
        return np.ones(batch.count, bool)
    cost = _cost_of(batch, node, units, total, settled)
    enough = batch.by_order((batch.available < units[:, None]).astype(np.int64)) == 0
    _, rival_cost = batch.alone(np.broadcast_to(units[:, None], batch.available.shape))
    lexicographic = enough & ~batch.is_late & batch.is_open
    late = _pick(batch.is_late, node) * total
    unmet = batch.wanted - total
    score = cost + batch.late_unit * late + batch.unmet_unit * unmet
    beaten = lexicographic & _is_before(rival_cost, cost, batch, node)
    beaten = np.where(
        batch.is_weighted[:, None], _weighted_rivals(batch, node, cost, unmet, score), beaten
    )
    np.put_along_axis(beaten, node[:, None], False, axis=1)
    is_best = ~beaten.any(axis=1)
    cheap = _least_of_two(batch, units, unmet) >= score
    cheap &= batch.unmet_unit * batch.wanted >= score
    result: Flags = (total == 0) | (is_best & (~batch.is_weighted | cheap))
    return result


def _cost_of(batch: _Batch, node: Ints, units: Ints, total: Ints, settled: Flags) -> Ints:
    """What an order's node costs at most when it is the order's turn."""
    rows, of_node = np.arange(len(batch.order)), node[batch.order]
    is_settled = settled[batch.order]
    group = batch.sku * batch.available.shape[1] + of_node
    gone = _before(group, np.where(is_settled, batch.quantity, 0))
    gone += _before(batch.sku, np.where(is_settled, 0, batch.quantity))
    floor = batch.floor[rows, of_node]
    plain = np.maximum(batch.state.stock[batch.sku, of_node] - gone - floor, 0)
    protected = np.maximum(units - plain, 0) * batch.opportunity[rows, of_node]
    cost = _pick(batch.parcel, node) + _pick(batch.unit, node) * total
    return np.where(total > 0, cost + batch.by_order(protected), 0)


def _is_before(rival_cost: Ints, cost: Ints, batch: _Batch, node: Ints) -> Flags:
    """Whether a node (columns) comes before the order's own by cost, distance and id."""
    own_cost, distance = cost[:, None], batch.distance
    own_distance = _pick(batch.distance, node)[:, None]
    ids = np.arange(batch.available.shape[1])[None, :] < node[:, None]
    closer = (distance < own_distance) | ((distance == own_distance) & ids)
    result: Flags = (rival_cost < own_cost) | ((rival_cost == own_cost) & closer)
    return result


def _weighted_rivals(batch: _Batch, node: Ints, cost: Ints, unmet: Ints, score: Ints) -> Flags:
    """Nodes that, with all they had at the start, might be better in the weighted mode."""
    total, rival_cost = batch.alone(np.minimum(batch.available, batch.quantity[:, None]))
    rival_unmet = batch.wanted[:, None] - total
    late = np.where(batch.is_late, total, 0)
    rival = rival_cost + batch.late_unit[:, None] * late + batch.unmet_unit[:, None] * rival_unmet
    own, own_unmet = score[:, None], unmet[:, None]
    closer = _is_before(rival_cost, cost, batch, node)
    equal = (rival == own) & ((rival_unmet < own_unmet) | ((rival_unmet == own_unmet) & closer))
    result: Flags = batch.is_open & ((rival < own) | equal)
    return result


def _least_of_two(batch: _Batch, units: Ints, unmet: Ints) -> Ints:
    """What no choice of two or more shipments falls below in the weighted mode."""
    if batch.available.shape[1] < 2:
        return np.full(batch.count, _WORST)
    has_any = batch.by_order((batch.available > 0).astype(np.int64)) > 0
    parcels = np.where(has_any, batch.parcel, 2**50)
    two = np.partition(parcels, 1, axis=1)[:, :2].sum(axis=1)
    unit = batch.unit + batch.late_unit[:, None] * batch.is_late
    cheapest = np.where(batch.available > 0, unit[batch.order], 2**40).min(axis=1)
    sent = batch.by_order(np.where(units > 0, units * np.where(units > 0, cheapest, 0), 0))
    further = batch.problem.terms.extra_shipment[batch.profile]
    result: Ints = two + further + sent + batch.unmet_unit * unmet
    return result


def _before(group: Ints, values: Ints) -> Ints:
    """Sum of the values of the same group that stand before each."""
    by_group = np.argsort(group, kind="stable")
    ordered = values[by_group]
    sums = ordered.cumsum() - ordered
    groups = group[by_group]
    starts = np.r_[True, groups[1:] != groups[:-1]] if len(groups) else np.array([], bool)
    base = sums[starts][np.cumsum(starts) - 1] if len(groups) else sums
    result = np.empty_like(values)
    result[by_group] = sums - base
    return result


def _is_uniform(group: Ints, values: Ints) -> Flags:
    """Whether all of a group have the same value."""
    codes, inverse = np.unique(group, return_inverse=True)
    least, most = np.full(len(codes), _WORST), np.full(len(codes), -_WORST)
    np.minimum.at(least, inverse, values)
    np.maximum.at(most, inverse, values)
    result: Flags = (least == most)[inverse]
    return result
