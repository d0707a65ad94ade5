"""`omniflow replenishment plan`, `list`, `spikes` and `simulate`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from orchestration.commands._opening import Json, report
from orchestration.commands._reading import home_store, report_list, show, show_first, stored

SHOWN = (
    "sku",
    "node_id",
    "supplier_id",
    "status",
    "order_quantity",
    "amount",
    "currency_code",
    "position_quantity",
    "reorder_point_quantity",
    "daily_demand",
    "requisition_id",
)
SUMMARY = ("sku", "supplier_id", "status", "order_quantity", "amount")
SPIKES = ("region", "product_class", "onset_at", "detected_at", "lines_seen", "usual", "seen")


class Action(StrEnum):
    """What to do about replenishment."""

    PLAN = "plan"
    LIST = "list"
    SPIKES = "spikes"
    SIMULATE = "simulate"


def command(
    action: Annotated[
        Action,
        typer.Argument(
            help="plan now, list the last plan's proposals, look for spikes, or simulate the past."
        ),
    ],
    seed: Annotated[int, typer.Option("--seed", help="Of the simulation's lead times.")] = 1,
    json: Json = False,
) -> None:
    """Plan what is to be ordered, from the published demand and the stock of now.

    A plan proposes once: what was proposed and is not ordered or denied counts as requested.
    Proposals above the limit of the policy `approvals` wait for consent: `omniflow approvals list`.
    A simulation meets the demand of the past once more: stock by the policy `replenishment`, beside
    a minimum and maximum from the average of the last weeks; one place serves everybody.
    """
    if action is Action.PLAN:
        _plan(json)
    elif action is Action.LIST:
        _list(json)
    elif action is Action.SPIKES:
        _spikes(json)
    else:
        _simulate(seed, json)


def _plan(json: bool) -> None:
    from resources.analytics_store.store import AnalyticsStore
    from resources.lake.lake import Lake
    from resources.replenishment_planning import plan_replenishment

    with home_store() as (home, store):
        planned = plan_replenishment(store, AnalyticsStore(home.warehouse, Lake(home.lake)))
    if json:
        report(vars(planned))
        return
    typer.echo(
        f"{planned.series:,} series forecast; {planned.proposals:,} proposals in"
        f" {planned.requisitions:,} requisitions, {planned.waiting:,} of which wait for consent"
    )
    for count, what in (
        (planned.transfers, "are moved between places first"),
        (planned.without_supplier, "need goods that nobody may be asked for"),
        (planned.not_orderable, "cannot be ordered as their supplier sells them"),
        (planned.over_budget, "are over the budget"),
    ):
        if count:
            typer.echo(f"{count:,} {what}")


def _list(json: bool) -> None:
    from resources.operational_store.replenishment import last_proposals

    with stored() as connection:
        rows = last_proposals(connection)
    rows = [{name: row[name] for name in SHOWN} for row in rows]
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("the last plan proposes nothing")
    else:
        show_first(rows, SHOWN, SUMMARY)


def _spikes(json: bool) -> None:
    from resources.demand_spikes import detect_spikes
    from resources.operational_store.replenishment import all_spikes

    with home_store() as (_, store):
        detect_spikes(store)
        with store.transaction() as connection:
            rows = all_spikes(connection)
    if json:
        report_list(rows)
    elif not rows:
        typer.echo("nothing is asked for more than usual")
    else:
        show_first([{name: row[name] for name in SPIKES} for row in rows], SPIKES)


def _simulate(seed: int, json: bool) -> None:
    from assets.errors import BadInput
    from assets.procure_to_stock.replenishment_policy import replenishment_policy
    from resources.analytics_store.store import AnalyticsStore
    from resources.lake.lake import Lake
    from resources.replenishment_planning import LEARNS_DAYS, meet_again

    with home_store() as (home, store):
        policy = replenishment_policy(store.policies.resolve("replenishment", "", ""))
        met = meet_again(AnalyticsStore(home.warehouse, Lake(home.lake)), policy, seed)
    if met is None:
        raise BadInput(f"there are too few days of demand: {2 * LEARNS_DAYS} are needed")
    rows = [
        {str(name): value for name, value in row.items()} for row in met.ways.to_dict("records")
    ]
    if json:
        report_list(rows)
        return
    typer.echo(f"{met.skus:,} SKUs met again over {met.days} days")
    shown = [in_words(row) for row in rows]
    show(shown, tuple(shown[0]))


def in_words(row: Mapping[str, Any]) -> dict[str, str]:
    """One way of ordering, as people read it."""
    shares = ("fill_rate", "cycle_service", "stock_out_days")
    return {
        "way": row["way"],
        **{name: f"{row[name]:.2%}" for name in shares},
        "cover_days": f"{row['cover_days']:.1f}",
        "stock_units": f"{row['mean_stock_units']:,.0f}",
        "orders": f"{row['orders']:,}",
    }
