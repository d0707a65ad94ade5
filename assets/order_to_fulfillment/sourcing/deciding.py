"""Sourcing of a batch: order after order in effect, at once wherever that comes to the same.

`common_case` settles what one node can ship; everybody else is decided in their turn, exactly where
the policy allows it: by enumerating sets of nodes, by the solver where a limit ties SKUs together
or the sets are too many, and beyond that by a good choice that says what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import pandas as pd

from assets.order_to_fulfillment.sourcing.common_case import Settled, settle
from assets.order_to_fulfillment.sourcing.enumeration import best_of_sets, is_enumerable
from assets.order_to_fulfillment.sourcing.greedy import good_choice
from assets.order_to_fulfillment.sourcing.lacking import reasons_for_lack
from assets.order_to_fulfillment.sourcing.problem import Ints, Problem, lay_out
from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.single import SingleOrder, single
from assets.order_to_fulfillment.sourcing.solver import (
    best_of_all,
    best_with_bundles,
    is_solvable,
)
from assets.order_to_fulfillment.sourcing.tables import Tables

#: Orders that the common case looks at together: few enough that those which do not settle hold up
#: few of the others. The result does not depend on it.
CHUNK = 250


class Method(IntEnum):
    """How an order was decided; all but the last two are exact."""

    COMMON_CASE = 0
    ENUMERATED = 1
    SOLVED = 2
    BEYOND_EXACT_SIZE = 3
    BEYOND_EXACT_EFFORT = 4


#: What is to be said about an order that was not decided exactly.
REASONS = {
    Method.BEYOND_EXACT_SIZE: ["beyond_exact_size"],
    Method.BEYOND_EXACT_EFFORT: ["beyond_exact_effort"],
}


@dataclass(frozen=True)
class Sourced:
    """The result of a decision.

    Attributes:
        units: One row per line and node with units: ``line`` (position in ``order_lines``),
            ``node_id``, ``quantity`` (> 0, each), by line and then from the nearest node on.
        unmet: One row per line that lacks units: ``line``, ``quantity`` (> 0, each) and
            ``reason_code``.
        method: `Method` of each order.
        late_units: How many units of each order would come after its promise.
        shipments: In how many each order goes.
        transport: What lanes cost for each order (ten-thousandths).
    """

    units: pd.DataFrame
    unmet: pd.DataFrame
    method: Ints
    late_units: Ints
    shipments: Ints
    transport: Ints


@dataclass(frozen=True)
class Choice:
    """What one order is given: units of its demands (rows) from ``nodes`` (columns).

    ``whole`` is how many of each bundle are in them, as `Bundles.seen_in` gives it.
    """

    nodes: Ints
    given: Ints
    method: Method
    whole: Ints | None = None


def source(tables: Tables, profiles: list[Profile]) -> Sourced:
    """Decide which node ships which units of each order, the orders in their order.

    Args:
        tables: Everything to decide from; nothing of it is changed.
        profiles: What the policy of each scope says, by the ``profile`` of the orders.

    Raises:
        ValueError: If stock lists a node and SKU twice, or lines are not in the order of orders.
    """
    problem = lay_out(tables, profiles)
    desk = Desk(problem)
    for first in range(0, len(tables.orders), CHUNK):
        desk.decide(first, min(first + CHUNK, len(tables.orders)))
    return desk.result(tables.order_lines)


class Desk:
    """Decides stretches of orders one after the other; what is left stays here.

    Attributes:
        state: What is left when everything so far has been decided.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.state = problem.state.copy()
        self._method = np.zeros(len(problem.profile), np.int64)
        self._stretches: list[tuple[Ints, Ints, Ints]] = []
        self._bundled_lines: list[tuple[int, int, int]] = []
        self._has_lines = np.zeros(len(problem.demands.order), bool)
        self._unmet: dict[int, str] = {}

    def decide(self, first: int, last: int) -> None:
        """Decide the orders [first, last), the next ones."""
        demands = self.problem.demands
        settled = settle(self.problem, self.state, first, last)
        rows = np.arange(demands.start[first], demands.start[last])
        of_order = demands.order[rows] - first
        is_given = settled.units > 0
        taken = _Taken(
            order=demands.order[rows][is_given],
            demand=rows[is_given],
            node=settled.node[of_order][is_given],
            units=settled.units[is_given],
        )
        self._stretches.append((taken.demand, taken.node, taken.units))
        is_short = np.zeros(last - first, bool)
        is_short[of_order[settled.units < demands.quantity[rows]]] = True
        done = 0
        for order in (first + np.flatnonzero(~settled.orders | is_short)).tolist():
            is_settled = bool(settled.orders[order - first])
            # A settled order's own units are among those that are gone when its lack is explained.
            until = int(np.searchsorted(taken.order, order + is_settled))
            self._take(taken.part(done, until))
            done = until
            if not is_settled:
                self._take_one(order)
            self._explain_lack(order, settled, first)
        self._take(taken.part(done, len(taken.order)))

    def _take_one(self, order: int) -> None:
        alone = single(self.problem, self.state, order)
        choice = choose(alone)
        self._method[order] = choice.method
        near = np.lexsort((choice.nodes, self.problem.offers.distance[order, choice.nodes]))
        demand, column = np.nonzero(choice.given[:, near])
        taken = _Taken(
            order=np.full(len(demand), order),
            demand=self.problem.demands.start[order] + demand,
            node=choice.nodes[near][column],
            units=choice.given[:, near][demand, column],
        )
        self._stretches.append((taken.demand, taken.node, taken.units))
        self._take(taken)
        if alone.bundles is not None and choice.whole is not None:
            self._has_lines[taken.demand] = True
            shares = alone.bundles.by_line(choice.given, choice.whole, alone.preference)
            nodes = choice.nodes.tolist()
            self._bundled_lines += [(line, nodes[column], units) for line, column, units in shares]

    def _take(self, taken: _Taken) -> None:
        if not len(taken.order):
            return
        problem = self.problem
        skus = problem.demands.sku[taken.demand]
        np.subtract.at(self.state.stock, (skus, taken.node), taken.units)
        slot = problem.offers.slot[taken.order, taken.node]
        np.add.at(self.state.used[:, 1], slot, taken.units)
        shipments = np.unique(taken.order * len(problem.node_ids) + taken.node, return_index=True)
        np.add.at(self.state.used[:, 0], slot[shipments[1]], 1)

    def _explain_lack(self, order: int, settled: Settled, first: int) -> None:
        demands = self.problem.demands
        start, end = demands.start[order], demands.start[order + 1]
        if settled.orders[order - first]:
            given = settled.units[start - demands.start[first] : end - demands.start[first]]
            shipments = int(given.any())
        else:
            given = np.zeros(end - start, np.int64)
            demand, nodes, units = self._stretches[-1]
            shipments = len(np.unique(nodes))
            np.add.at(given, demand - start, units)
        short = np.flatnonzero(given < demands.quantity[start:end])
        if len(short):
            reasons = reasons_for_lack(self.problem, self.state, order, short, shipments)
            self._unmet.update(zip((start + short).tolist(), reasons, strict=True))

    def result(self, order_lines: pd.DataFrame) -> Sourced:
        """Everything decided, by line."""
        demand, node, units = (
            np.concatenate(column) if column else np.array([], np.int64)
            for column in (list(zip(*self._stretches, strict=True)) or [(), (), ()])
        )
        by_line = self._shares(order_lines, demand, node, units)
        offers = self.problem.offers
        order = self.problem.demands.order[demand]
        late_units, shipments, transport = np.zeros((3, len(self._method)), np.int64)
        np.add.at(late_units, order, units * offers.is_late[order, node])
        np.add.at(transport, order, units * offers.unit_cost[order, node])
        columns = max(1, len(self.problem.node_ids))
        shipped, shipper = np.divmod(np.unique(order * columns + node), columns)
        np.add.at(shipments, shipped, 1)
        paid = offers.parcel_cost[shipped, shipper] - offers.preference[shipped, shipper]
        np.add.at(transport, shipped, paid)
        unmet = self._lacking(order_lines, by_line)
        return Sourced(by_line, unmet, self._method, late_units, shipments, transport)

    def _shares(
        self, order_lines: pd.DataFrame, demand: Ints, node: Ints, units: Ints
    ) -> pd.DataFrame:
        """Units by line and node; of orders that were decided with their bundles as they were."""
        if not self._bundled_lines:
            return _by_line(self.problem, order_lines, demand, node, units)
        rest = ~self._has_lines[demand]
        shared = _by_line(self.problem, order_lines, demand[rest], node[rest], units[rest])
        names = np.array(self.problem.node_ids, object)
        line, at, given = np.array(self._bundled_lines, np.int64).T
        bundled = pd.DataFrame(
            {"line": line, "node_id": pd.Series(names[at], dtype="str"), "quantity": given}
        )
        return pd.concat([shared, bundled]).sort_values("line", kind="stable", ignore_index=True)

    def _lacking(self, order_lines: pd.DataFrame, by_line: pd.DataFrame) -> pd.DataFrame:
        missing = order_lines["quantity"].to_numpy(np.int64).copy()
        np.subtract.at(missing, by_line["line"].to_numpy(np.int64), by_line["quantity"].to_numpy())
        line = np.flatnonzero(missing > 0)
        demand = self.problem.demands.of_line[line].tolist()
        return pd.DataFrame(
            {
                "line": line,
                "quantity": missing[line],
                "reason_code": pd.Series([self._unmet[key] for key in demand], dtype="str"),
            }
        )


@dataclass(frozen=True)
class _Taken:
    """Units of demands from nodes, by order."""

    order: Ints
    demand: Ints
    node: Ints
    units: Ints

    def part(self, first: int, last: int) -> _Taken:
        """Entries [first, last)."""
        here = slice(first, last)
        return _Taken(self.order[here], self.demand[here], self.node[here], self.units[here])


def choose(order: SingleOrder) -> Choice:
    """Decide one order by itself."""
    given: Ints | None = None
    if not len(order.nodes):
        return Choice(order.nodes, np.zeros(order.units.shape, np.int64), Method.ENUMERATED)
    if order.bundles is not None:
        return _choose_with_bundles(order)
    if is_enumerable(order):
        given, is_exact = best_of_sets(order)
        if is_exact:
            return Choice(order.nodes, given, Method.ENUMERATED)
    if not is_solvable(order):
        return Choice(order.nodes, good_choice(order), Method.BEYOND_EXACT_SIZE)
    given = best_of_all(order)
    if given is None:
        return Choice(order.nodes, good_choice(order), Method.BEYOND_EXACT_EFFORT)
    return Choice(order.nodes, given, Method.SOLVED)


def _choose_with_bundles(order: SingleOrder) -> Choice:
    """Decide one order of which some units belong together.

    What would be best if they did not is best if it happens to be whole.
    """
    assert order.bundles is not None  # noqa: S101 - who calls has looked
    bundles = order.bundles.capped(order.units)
    wanted = bundles.demand
    order = replace(
        order,
        bundles=bundles,
        quantity=wanted,
        units=np.minimum(order.units, wanted[:, None]),
        plain=np.minimum(order.plain, wanted[:, None]),
    )
    near = order.preference
    if is_enumerable(order):
        given, is_exact = best_of_sets(order)
        if is_exact and bundles.is_whole(given, near):
            return Choice(order.nodes, given, Method.ENUMERATED, bundles.seen_in(given, near))
    method = Method.BEYOND_EXACT_SIZE
    if is_solvable(order):
        found = best_with_bundles(order)
        if found is not None:
            return Choice(order.nodes, found[0], Method.SOLVED, found[1])
        method = Method.BEYOND_EXACT_EFFORT
    given = good_choice(order)
    return Choice(order.nodes, given, method, bundles.seen_in(given, near))


def _by_line(
    problem: Problem, order_lines: pd.DataFrame, demand: Ints, node: Ints, units: Ints
) -> pd.DataFrame:
    """Share what demands were given among their lines, the first line from the first node."""
    by_demand = np.argsort(demand, kind="stable")
    demand, node, units = demand[by_demand], node[by_demand], units[by_demand]
    start = _running(demand, units)
    of_line = problem.demands.of_line
    lines = np.argsort(of_line, kind="stable")
    quantity = order_lines["quantity"].to_numpy(np.int64)[lines]
    line_start = _running(of_line[lines], quantity)
    # Every stretch of a demand meets every line of it; what overlaps belongs together.
    first = np.searchsorted(of_line[lines], demand, side="left")
    count = np.searchsorted(of_line[lines], demand, side="right") - first
    stretch = np.repeat(np.arange(len(demand)), count)
    line = first[stretch] + np.arange(len(stretch)) - np.repeat(count.cumsum() - count, count)
    overlap = np.minimum(
        start[stretch] + units[stretch], line_start[line] + quantity[line]
    ) - np.maximum(start[stretch], line_start[line])
    is_given = overlap > 0
    stretch, line, overlap = stretch[is_given], line[is_given], overlap[is_given]
    position = lines[line]
    # Stretches stand from the nearest node on; a stable sort keeps them so.
    ordered = np.argsort(position, kind="stable")
    node_ids = np.array(problem.node_ids, object)
    return pd.DataFrame(
        {
            "line": position[ordered].astype(np.int64),
            "node_id": pd.Series(node_ids[node[stretch[ordered]]], dtype="str"),
            "quantity": overlap[ordered].astype(np.int64),
        }
    )


def _running(group: Ints, values: Ints) -> Ints:
    """Sum of the values before each within its group; groups stand together."""
    sums = values.cumsum() - values
    first = np.searchsorted(group, group, side="left")
    result: Ints = sums - sums[first] if len(group) else sums
    return result
