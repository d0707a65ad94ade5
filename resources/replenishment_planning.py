"""Plans replenishment: demand from the published warehouse, positions from the operational store.

What is slow, forecasting, is done before anything is locked; what has to be true together,
positions and what is proposed on them, is one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from assets.errors import BadInput
from assets.procure_to_stock.planning import PlanInputs, Planned, plan
from assets.procure_to_stock.replenishment_policy import ReplenishmentPolicy, replenishment_policy
from assets.procure_to_stock.rules import forecasting
from assets.procure_to_stock.rules.demand import DemandHistory, history, together
from assets.procure_to_stock.rules.expected_demand import expect
from assets.procure_to_stock.rules.lead_times import learn, with_lead_times
from assets.procure_to_stock.rules.replenishment import choose_supplier
from assets.procure_to_stock.rules.standing import judge, orderable
from assets.procure_to_stock.rules.stock_simulation import compare
from resources.analytics_store.store import AnalyticsStore
from resources.operational_store import replenishment as stored
from resources.operational_store.store import OperationalStore

_KEYS = ["region", "sku"]
#: What is known before the past is met again, in days: a quarter. As much has to be left to judge.
LEARNS_DAYS = 91

_DEMAND = """
    select region, sku, demand_date, ordered_quantity, largest_line_quantity, is_out_of_stock,
        is_promoted
    from core.fct_daily_demand where demand_date between ? and ? order by 1, 2, 3
"""
_SHARES = """
    with served as (
        select lines.region, reservations.node_id,
            sum(reservations.reserved_quantity) as quantity
        from core.fct_reservations as reservations
        inner join core.fct_order_lines as lines
            on reservations.order_id = lines.order_id
                and reservations.ordered_line_number = lines.line_number
        inner join core.dim_node as node
            on reservations.node_id = node.node_id and node.node_kind <> 'drop_ship'
        where lines.trading_date > ?
        group by 1, 2
    )
    select region, node_id, cast(quantity / sum(quantity) over (partition by region) as double)
        as share
    from served where quantity > 0 order by 1, 2
"""
#: What the two read; what they rest on is built with them.
_READ = ("fct_daily_demand", "fct_reservations", "fct_order_lines", "dim_node")


@dataclass(frozen=True)
class Demand:
    """What was asked for, and which places serve it.

    Attributes:
        history: Series by region and SKU.
        shares: One row per region and node.
        last_day: The last day that is over.
    """

    history: DemandHistory
    shares: pd.DataFrame
    last_day: date


@dataclass(frozen=True)
class Met:
    """What ways of ordering would have been worth on the demand that was.

    Attributes:
        skus: How many were asked for.
        days: That were judged.
        ways: What `assets.procure_to_stock.rules.stock_simulation.compare` gave.
    """

    skus: int
    days: int
    ways: pd.DataFrame


def read_demand(connection: duckdb.DuckDBPyConnection, policy: ReplenishmentPolicy) -> Demand:
    """The demand of the days that the policy looks back on, and who served it.

    Raises:
        BadInput: If nothing was ordered yet.
    """
    found = connection.execute(
        "select max(demand_date) from core.fct_daily_demand where ordered_quantity > 0"
    ).fetchone()
    if found is None or found[0] is None:
        raise BadInput("nothing was ordered yet, so there is no demand to plan by")
    last: date = found[0]
    first = last - timedelta(days=policy.forecasting.history_days - 1)
    daily = connection.execute(_DEMAND, [first, last]).df()
    shares = connection.execute(_SHARES, [last - timedelta(days=policy.served_by_days)]).df()
    began = max(first, pd.Timestamp(daily["demand_date"].min()).date())
    return Demand(history(daily, _KEYS, began, last), shares, last)


def plan_replenishment(store: OperationalStore, warehouse: AnalyticsStore) -> Planned:
    """Forecast, propose and ask, for the whole house.

    Raises:
        BadInput: If nothing is published or nothing was ordered yet.
    """
    policy = replenishment_policy(store.policies.resolve("replenishment", "", ""))
    with warehouse.reading() as published:
        demand = read_demand(published, policy)
    return plan_for(store, demand)


def plan_ahead_of_marts(store: OperationalStore, warehouse: AnalyticsStore) -> Planned | None:
    """The same from what is committed now, before anything of it is published.

    Demand is core, which no gate is in front of. A day that has a plan has no second one by this
    way, so that whoever repeats what led here changes nothing; ``None`` says so.
    """
    policy = replenishment_policy(store.policies.resolve("replenishment", "", ""))
    warehouse.lake.export(store.engine)
    warehouse.build(select=_READ, data_tests=False)
    with warehouse.reading_built() as built:
        demand = read_demand(built, policy)
    with store.transaction() as connection:
        if stored.next_plan_number(connection, demand.last_day) > 1:
            return None
    return plan_for(store, demand)


def meet_again(warehouse: AnalyticsStore, policy: ReplenishmentPolicy, seed: int) -> Met | None:
    """Meet the published demand again, ordering by policy and by a minimum and maximum.

    One place serves everybody. ``None`` where the past is too short to learn from and to judge.
    """
    with warehouse.reading() as published:
        demand = together(read_demand(published, policy).history, "sku")
    days = demand.ordered.shape[1]
    if days < 2 * LEARNS_DAYS:
        return None
    return Met(len(demand.series), days - LEARNS_DAYS, compare(demand, policy, LEARNS_DAYS, seed))


def plan_for(store: OperationalStore, demand: Demand) -> Planned:
    """The same for a demand that is at hand."""
    policy = replenishment_policy(store.policies.resolve("replenishment", "", ""))
    at = store.clock.effective_at()
    with store.transaction() as connection:
        offered = stored.terms(connection)
        learnt = learn(stored.received_lines(connection))
        since = at - timedelta(days=policy.standing.looks_back_days)
        due = stored.standing(connection, since, at)
        last = stored.last_models(connection)
        classes = stored.product_classes(connection)
        errors = stored.forecast_errors(connection)
        spikes = stored.spikes_since(connection, at - timedelta(days=policy.spikes.quiet_days))
    known = None
    if last is not None:
        age = at - last.chosen_at
        known = last.models if age < timedelta(days=policy.forecasting.models_kept_days) else None
    found = expect(demand.history, policy.backtest, known, errors)
    offered = orderable(with_lead_times(offered, learnt, policy.lead_times), due, policy.standing)
    chosen = choose_supplier(offered)
    table, spike_of = _with_spikes(found.table, classes, spikes, policy)
    table = table.assign(seen_quantile=_seen(table, found.units, chosen, policy))
    with store.unit_of_work() as unit_of_work:
        stored.lock_planning(unit_of_work.connection)
        inputs = PlanInputs(
            planned_for=demand.last_day,
            plan_number=stored.next_plan_number(unit_of_work.connection, demand.last_day),
            scope=stored.scope_of_house(unit_of_work.connection),
            demand=table,
            shares=demand.shares,
            positions=_positions(unit_of_work.connection, at, demand.shares, policy),
            terms=chosen,
            spikes=spike_of,
            standings=judge(due, policy.standing),
            models=found.tried,
        )
        return plan(inputs, unit_of_work)


def _seen(
    table: pd.DataFrame,
    units: npt.NDArray[np.float64],
    chosen: pd.DataFrame,
    policy: ReplenishmentPolicy,
) -> npt.NDArray[np.float64]:
    """The seen quantile over the days that each SKU's stock has to last."""
    days = chosen.set_index("sku")["lead_time_days"]
    lasts = table["sku"].map(days).fillna(policy.forecasting.horizon_days).astype(float)
    whole = np.ceil(lasts.to_numpy(np.float64) + policy.review_days).astype(np.int64)
    return forecasting.seen_quantile(units, whole, policy.target.share)


def _with_spikes(
    table: pd.DataFrame,
    classes: dict[str, str],
    spikes: list[tuple[str, str, str, float]],
    policy: ReplenishmentPolicy,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Demand as it is while a class is asked for more than usual; and the spike of each SKU."""
    if not spikes:
        return table, {}
    most = policy.spikes.rise_basis_points / 10_000
    rises = {
        (region, product_class): (spike, min(max(rise, 1.0), most))
        for spike, region, product_class, rise in spikes
    }
    keys = [
        (region, classes.get(sku, ""))
        for region, sku in table[_KEYS].itertuples(index=False, name=None)
    ]
    factor = np.array([rises.get(key, ("", 1.0))[1] for key in keys])
    both = zip(table["sku"].tolist(), keys, strict=True)
    spike_of = {sku: rises[key][0] for sku, key in both if key in rises}
    return table.assign(daily_demand=table["daily_demand"] * factor), spike_of


def _positions(
    connection: sa.Connection, at: datetime, shares: pd.DataFrame, policy: ReplenishmentPolicy
) -> pd.DataFrame:
    """Positions; what customers wait for counts at the place that serves most."""
    found = stored.positions(
        connection,
        at,
        timedelta(days=policy.announcement_believed_days),
        timedelta(days=policy.transfer_days),
    )
    waiting = stored.backordered(connection)
    if not waiting or shares.empty:
        return found.assign(backordered_quantity=0)
    main = str(shares.groupby("node_id")["share"].sum().idxmax())
    missing = set(waiting) - set(found.loc[found["node_id"] == main, "sku"])
    if missing:
        extra = pd.DataFrame({"sku": sorted(missing), "node_id": main})
        found = pd.concat([found, extra], ignore_index=True).fillna(0)
    at_main = found["node_id"].eq(main)
    units = found["sku"].map(waiting).where(at_main, 0).fillna(0).astype("int64")
    return found.assign(backordered_quantity=units)
