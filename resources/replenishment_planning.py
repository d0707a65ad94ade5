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
from assets.procure_to_stock.rules.demand import DemandHistory, classify, cleaned, history
from assets.procure_to_stock.rules.lead_times import learn, with_lead_times
from assets.procure_to_stock.rules.replenishment import choose_supplier
from assets.procure_to_stock.rules.standing import orderable
from resources.analytics_store.store import AnalyticsStore
from resources.operational_store import replenishment as stored
from resources.operational_store.store import OperationalStore

_KEYS = ["region", "sku"]

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


@dataclass(frozen=True)
class Forecast:
    """What is expected of each series.

    Attributes:
        table: ``region``, ``sku``, ``demand_class``, ``model``, ``daily_demand``,
            ``daily_deviation``.
        units: Cleaned demand, series by day.
        models: What was tried, where models were chosen anew.
    """

    table: pd.DataFrame
    units: npt.NDArray[np.float64]
    models: pd.DataFrame | None


def forecast(
    demand: DemandHistory,
    policy: ReplenishmentPolicy,
    known: dict[str, str] | None,
    errors: pd.DataFrame,
) -> Forecast:
    """Forecast every series by its class's model, chosen anew unless ``known``.

    What a series was off by when models were chosen is kept with them; a series that is new since
    then, or of another class, is tried out.
    """
    backtest = policy.backtest
    units = cleaned(demand, backtest.bulk_multiple, backtest.looks_back_days)
    classes = classify(units)
    tried = None
    models = known or {}
    horizon = backtest.horizon_days * (backtest.windows + 1)
    is_long_enough = demand.ordered.shape[1] > horizon
    if known is None and is_long_enough:
        tried = forecasting.choose(demand, classes, backtest)
        best = tried[tried["is_chosen"].to_numpy(np.bool_)]
        models = dict(zip(best["demand_class"], best["model"], strict=True))
    if not is_long_enough:
        # Nothing can be tried on so short a past: the mean is all that it says.
        models = dict.fromkeys(set(classes.tolist()), "simple_exponential_smoothing")
    table = forecasting.forecast_by_class(demand, models, backtest, backtest.horizon_days)
    if is_long_enough:
        kept = errors if tried is None else None
        deviation = _deviations(demand, classes, models, policy, kept)
    else:
        deviation = units.std(axis=1)
    return Forecast(table.assign(daily_deviation=deviation), units, tried)


def _deviations(
    demand: DemandHistory,
    classes: npt.NDArray[np.object_],
    models: dict[str, str],
    policy: ReplenishmentPolicy,
    errors: pd.DataFrame | None,
) -> npt.NDArray[np.float64]:
    if errors is None:
        return forecasting.deviations(demand, classes, models, policy.backtest)
    series = demand.series.assign(demand_class=classes.astype(str))
    both = series.merge(errors, on=["region", "sku", "demand_class"], how="left")
    deviation = both["daily_deviation"].to_numpy(np.float64).copy()
    is_new = ~np.isfinite(deviation)
    if is_new.any():
        some = demand.of(is_new)
        deviation[is_new] = forecasting.deviations(some, classes[is_new], models, policy.backtest)
    return deviation


def plan_replenishment(store: OperationalStore, warehouse: AnalyticsStore) -> Planned:
    """Forecast, propose and ask, for the whole house.

    Raises:
        BadInput: If nothing is published or nothing was ordered yet.
    """
    policy = replenishment_policy(store.policies.resolve("replenishment", "", ""))
    with warehouse.reading() as published:
        demand = read_demand(published, policy)
    return plan_for(store, demand)


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
    found = forecast(demand.history, policy, known, errors)
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
            models=found.models,
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
