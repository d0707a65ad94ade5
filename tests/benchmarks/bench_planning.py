"""Forecast, propose and look for spikes: ``make bench-planning``.

A range sold as a small wholesaler's is: a few SKUs every day, most now and then, by a negative
binomial with many zeros, for 373 days. Measured is what ``omniflow replenishment plan`` does once
the demand is read: models chosen by backtest, forecasts, the plan in one transaction on a real
PostgreSQL with two suppliers' terms for every SKU; then the plan of the next day, whose models are
known. Each size runs in a process of its own, for its peak of memory.

Where the real year is (``--data``), the models are chosen without its last eight weeks and held
against them, and threefold spikes are injected into its orders.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result

SIZES = (500, 1_000, 2_000, 4_000)
DAYS = 373
TARGET_PLAN_SECONDS, TARGET_AGAIN_SECONDS = 180, 30
HELD_OUT_DAYS = 56
INJECTED = 200
DATA = measuring.PROJECT.parent / "shared" / "data" / "uci_online_retail"
_EU = frozenset(
    {"Austria", "Belgium", "Cyprus", "Denmark", "EIRE", "Finland", "France", "Germany", "Greece"}
    | {"Italy", "Lithuania", "Malta", "Netherlands", "Poland", "Portugal", "Spain", "Sweden"}
)


def made_up(skus: int, days: int) -> pd.DataFrame:
    """Daily demand of a range: shares of days with demand as in the real year of a wholesaler."""
    random = np.random.default_rng(20_260_302)
    share = random.beta(0.8, 2.2, skus)
    size = random.lognormal(2.2, 0.9, skus)
    is_asked = random.random((skus, days)) < share[:, None]
    units = np.where(is_asked, 1 + random.negative_binomial(1, 1 / (1 + size), (days, skus)).T, 0)
    sku, day = np.nonzero(units)
    first = date(2025, 3, 1)
    return pd.DataFrame(
        {
            "region": "uk",
            "sku": np.char.add("S", sku.astype(str)),
            "demand_date": np.datetime64(first, "D") + day,
            "ordered_quantity": units[sku, day],
            "largest_line_quantity": np.maximum(units[sku, day] // 2, 1),
            "is_out_of_stock": False,
            "is_promoted": False,
        }
    )


def one(url: str, skus: int, days: int) -> None:
    """Plan a range twice, a day apart, and print what it cost, as JSON."""
    from assets.procure_to_stock.rules.demand import history
    from resources.operational_store.bulk import execute
    from resources.operational_store.store import OperationalStore, create_engine
    from resources.policy_book import FilePolicyBook
    from resources.replenishment_planning import Demand, plan_for

    book = FilePolicyBook()
    # Everything lacks at once here: what is measured is a plan that leaves nothing out.
    shipped = book.documents["replenishment"]
    values = {**shipped.values, "budget_by_currency": None}
    book.documents["replenishment"] = msgspec.structs.replace(shipped, values=values)
    store = OperationalStore(create_engine(url), policies=book)
    with store.transaction() as connection:
        execute(connection, _NODE)
        execute(connection, _SUPPLIERS)
        execute(connection, _TERMS, skus)
        execute(connection, _STOCK, skus)
    daily = made_up(skus, days + 1)
    first = date(2025, 3, 1)
    shares = pd.DataFrame({"region": ["uk"], "node_id": ["dc"], "share": [1.0]})
    costs: dict[str, float] = {}
    for name, last in (("plan", days - 1), ("again", days)):
        until = first + timedelta(days=last)
        began = time.perf_counter()
        demand = Demand(history(daily, ["region", "sku"], first, until), shares, until)
        planned = plan_for(store, demand)
        costs[f"{name}_seconds"] = time.perf_counter() - began
        costs[f"{name}_proposals"] = planned.proposals
    store.engine.dispose()
    costs["peak_mb"] = measuring.peak_megabytes()
    # What was proposed is requested a day later, so that little is missing then.
    if not 0.8 * skus <= planned.series <= skus or not (
        costs["again_proposals"] < costs["plan_proposals"]
    ):
        raise SystemExit(f"the result is wrong: {planned}")
    print(json.dumps(costs))


_NODE = """
    insert into node (node_id, kind, zone, country_code, is_active, occurred_at, effective_at)
    values ('dc', 'warehouse', 'Europe/London', 'GB', true, now(), now())
"""
_SUPPLIERS = """
    insert into supplier (supplier_id, supplier_name, currency_code, bank_status, group_id,
        is_active, occurred_at, effective_at)
    select 'V' || n, 'Vendor ' || n, 'GBP', 'confirmed', 'V' || n, true, now(), now()
    from generate_series(0, 99) n
"""
_TERMS = """
    insert into supplier_terms (supplier_id, sku, unit_price, currency_code, lead_time_days,
        minimum_quantity, case_quantity, is_anchored_at_minimum, pallet_quantity,
        maximum_quantity, is_preferred, occurred_at, effective_at)
    select 'V' || (s + v * 7) %% 100, 'S' || s, 1 + s %% 20, 'GBP', 5 + s %% 20, 6, 12, false, 0, 0,
        v = 0, now(), now()
    from generate_series(0, %s - 1) s, generate_series(0, 1) v
"""
_STOCK = """
    insert into stock_position (node_id, sku, on_hand_quantity)
    select 'dc', 'S' || s, s %% 200 from generate_series(0, %s - 1) s
"""


def bench(result: Result, sizes: tuple[int, ...], days: int, runs: int) -> None:
    table = result.table(
        f"{days} days of demand to proposals in PostgreSQL, medians of {runs}",
        "SKUs",
        "proposals",
        "plan: seconds",
        "next day: seconds",
        "peak MB",
    )
    with measuring.server() as server:
        result.postgresql = server.version
        for skus in sizes:
            costs = [measured(server.database(), skus, days) for _ in range(runs)]
            plan, again = (
                measuring.median([cost[f"{name}_seconds"] for cost in costs])
                for name in ("plan", "again")
            )
            peak = max(cost["peak_mb"] for cost in costs)
            table.add(skus, int(costs[0]["plan_proposals"]), plan, again, peak)
            result.data[str(skus)] = {"plan": plan, "again": again, "peak_mb": peak}
    last = result.data[str(sizes[-1])]
    result.figure(
        f"Forecast and propose for {sizes[-1]:,} SKUs and {days} days",
        f"≤ {TARGET_PLAN_SECONDS} s; the next day ≤ {TARGET_AGAIN_SECONDS} s",
        f"{last['plan']:.0f} s; {last['again']:.1f} s",
        last["plan"] <= TARGET_PLAN_SECONDS and last["again"] <= TARGET_AGAIN_SECONDS,
    )


def measured(url: str, skus: int, days: int) -> dict[str, float]:
    program = [sys.executable, __file__, "--one", url, str(skus), str(days)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    found: dict[str, float] = json.loads(done.stdout)
    return found


# The real year


def read_year(folder: Path) -> pd.DataFrame:
    """Order lines of goods, in order of time; cancellations and what is no goods left out."""
    frames = [pd.read_csv(path, dtype=str) for path in sorted(folder.glob("*.csv.gz"))]
    lines = pd.concat(frames, ignore_index=True)
    lines["quantity"] = lines["Quantity"].astype(int)
    is_goods = lines["StockCode"].str.match(r"^\d{5}")
    is_order = ~lines["InvoiceNo"].str.startswith(("C", "A"))
    lines = lines[is_goods & is_order & (lines["quantity"] > 0)]
    placed = pd.to_datetime(lines["InvoiceDate"]).astype("datetime64[s]")
    is_eu = lines["Country"].isin(_EU)
    region = np.select([lines["Country"] == "United Kingdom", is_eu], ["uk", "eu"], "row")
    made = pd.DataFrame(
        {
            "region": region,
            "order_id": lines["InvoiceNo"].to_numpy(),
            "product_class": lines["StockCode"].str[:4].to_numpy(),
            "sku": lines["StockCode"].to_numpy(),
            "placed_at": placed.to_numpy(),
            "quantity": lines["quantity"].to_numpy(),
        }
    )
    return made.sort_values(["placed_at", "order_id"], kind="stable", ignore_index=True)


def accuracy(result: Result, lines: pd.DataFrame) -> None:
    """Errors of the last eight weeks, by what was chosen before them."""
    from assets.procure_to_stock.rules import forecasting
    from assets.procure_to_stock.rules.demand import classify, cleaned, history
    from assets.procure_to_stock.rules.planning_parameters import Backtest

    backtest = policy().backtest
    days = lines["placed_at"].dt.floor("D")
    daily = (
        lines.assign(demand_date=days)
        .groupby(["sku", "demand_date"])["quantity"]
        .agg(ordered_quantity="sum", largest_line_quantity="max")
        .reset_index()
        .assign(is_out_of_stock=False, is_promoted=False)
    )
    demand = history(daily, ["sku"], days.min().date(), days.max().date())
    known = demand.until(demand.ordered.shape[1] - HELD_OUT_DAYS)
    units = cleaned(known, backtest.bulk_multiple, backtest.looks_back_days)
    classes = classify(units)
    models = forecasting.choose(known, classes, backtest).models
    # One window of the held-out weeks for RMSSE; four of two for the pinball loss.
    whole = Backtest(1, HELD_OUT_DAYS, 1, backtest.service_level, backtest.bulk_multiple, 28)
    parts = Backtest(4, HELD_OUT_DAYS // 4, 1, backtest.service_level, backtest.bulk_multiple, 28)
    shown = result.table(
        f"The real year's last {HELD_OUT_DAYS} days, by the model chosen before them",
        "demand class",
        "SKUs",
        "model",
        "RMSSE: it",
        "naive",
        "seasonal naive",
        "pinball: it",
        "naive",
        "seasonal naive",
    )
    for demand_class in sorted(models):
        of_class = demand.of(np.flatnonzero(classes == demand_class))
        row: list[object] = []
        for plan, measure in ((whole, "rmsse"), (parts, "pinball")):
            for model in (
                models[demand_class],
                forecasting.NAIVE,
                forecasting.SEASONAL_NAIVE,
            ):
                tried = forecasting.try_out(of_class, model, plan)
                row.append(round(forecasting.average(getattr(tried, measure)), 3))
        shown.add(demand_class, len(of_class.series), models[demand_class].replace("_", " "), *row)
    result.notes.append(
        "RMSSE over the whole eight weeks from one forecast; pinball loss at"
        f" {backtest.service_level:.0%} of the units of two weeks, in days of mean demand, over the"
        " last six of the eight weeks. Less is better."
    )


def spikes(result: Result, lines: pd.DataFrame, injected: int) -> None:
    """Threefold spikes into real orders: how soon, and how often nothing was injected."""
    from assets.procure_to_stock.rules.spikes import detect

    watch = policy().spikes.watch
    history_days = watch.least_days + watch.usual_days
    table = result.table(
        f"Spikes in the real year's orders, {injected} per region: twice the usual on top of it",
        "region",
        "alarms without one, per four weeks",
        "lines until it is seen: median",
        "p95 of those seen",
        "not seen in two weeks",
    )
    alarms = detect(lines, watch)
    random = np.random.default_rng(3)
    measures: dict[str, tuple[float, float, float]] = {}
    for region, of_region in lines.groupby("region"):
        rows = of_region.reset_index(drop=True)
        span = (rows["placed_at"].max() - rows["placed_at"].min()).days
        watched = max(span - watch.least_days, 1)
        rate = len(alarms[alarms["region"] == region]) / watched * 28
        seen, missed = _inject(rows, history_days, injected, random, watch)
        # What was not seen was seen never.
        all_of_them = [*map(float, seen), *[np.inf] * missed]
        median, p95 = (
            (float(np.quantile(all_of_them, share, method="higher")) for share in (0.5, 0.95))
            if all_of_them
            else (np.inf, np.inf)
        )
        of_seen = float(np.quantile(seen, 0.95)) if seen else np.inf
        table.add(
            region,
            rate,
            f"{median:.0f}" if seen else "no class is busy enough",
            f"{of_seen:.0f}" if seen else "",
            f"{missed} of {len(seen) + missed}",
        )
        measures[str(region)] = (rate, median, p95)
    rate, median, p95 = measures["uk"]
    result.figure(
        "Threefold regional spike, real orders",
        "median ≤ 40 lines, p95 ≤ 100; ≤ 1 alarm without one per region in four weeks",
        f"median {median:.0f}, p95 {'not within two weeks' if np.isinf(p95) else f'{p95:.0f}'};"
        f" {max(one[0] for one in measures.values()):.2f}",
        median <= 40 and p95 <= 100 and all(one[0] <= 1 for one in measures.values()),
    )


def _inject(
    rows: pd.DataFrame, history_days: int, injected: int, random: np.random.Generator, watch: Any
) -> tuple[list[int], int]:
    """Lines of the class from the beginning of each spike until it is seen.

    To what was really asked for come twice the usual: with each order of the region, as often as
    twice the class's part of the orders of the weeks before says, its lines of one of these.
    """
    from assets.procure_to_stock.rules.spikes import detect

    seen: list[int] = []
    missed = 0
    first, last = rows["placed_at"].min(), rows["placed_at"].max()
    # What is new is no spike, so that it cannot be one here either.
    since_first = rows["placed_at"] - rows.groupby("sku")["placed_at"].transform("min")
    known = rows[since_first >= pd.Timedelta(days=watch.new_days)]
    of_class = {
        name: lines["placed_at"].reset_index(drop=True)
        for name, lines in known.groupby("product_class")
    }
    for _ in range(injected * 40):
        if len(seen) + missed == injected:
            break
        at = int(random.integers(len(known)))
        began, product_class = known["placed_at"].iloc[at], known["product_class"].iloc[at]
        if began < first + pd.Timedelta(days=history_days) or began > last - pd.Timedelta(days=14):
            continue
        if not _is_watched(of_class[product_class], began, watch):
            continue
        near = _between(rows, began - pd.Timedelta(days=history_days), began, days_after=14)
        if (detect(near, watch)["product_class"] == product_class).any():
            # Something real is on already.
            continue
        before = _between(known, began - pd.Timedelta(days=watch.usual_days), began)
        usual = before[before["product_class"] == product_class]
        part = usual["order_id"].nunique() / before["order_id"].nunique()
        stormy = pd.concat([near, _more(near, began, usual, 2 * part, random)]).sort_values(
            ["placed_at", "order_id"], kind="stable", ignore_index=True
        )
        found = detect(stormy, watch)
        found = found[(found["product_class"] == product_class) & (found["detected_at"] >= began)]
        if found.empty:
            missed += 1
            continue
        until = found["detected_at"].iloc[0]
        inside = stormy["placed_at"].between(began, until)
        seen.append(int((inside & (stormy["product_class"] == product_class)).sum()))
    return seen, missed


def _between(
    rows: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp, days_after: int = 0
) -> pd.DataFrame:
    """Lines of a time, and of so many days after it; rows are in order of time."""
    ends = until + pd.Timedelta(days=days_after)
    start, end = rows["placed_at"].searchsorted([since, ends])
    return rows.iloc[int(start) : int(end)]


def _is_watched(placed: pd.Series[Any], began: pd.Timestamp, watch: Any) -> bool:
    """Whether a class is busy enough on a day, lately and for long."""
    morning = began.floor("D")
    return all(
        np.diff(placed.searchsorted([morning - pd.Timedelta(days=days), morning]))[0]
        >= watch.least_daily_lines * days
        for days in (watch.usual_days, watch.least_days)
    )


def _more(
    near: pd.DataFrame,
    began: pd.Timestamp,
    usual: pd.DataFrame,
    part: float,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Orders that would not have been: of each real one since then so many in the mean."""
    since = near[near["placed_at"] >= began].drop_duplicates("order_id")
    model = [lines for _, lines in usual.groupby("order_id")]
    counts = random.poisson(part, len(since))
    made = [
        model[int(random.integers(len(model)))].assign(
            order_id=f"{order_id}/{copy}", placed_at=placed_at
        )
        for (order_id, placed_at), count in zip(
            since[["order_id", "placed_at"]].itertuples(index=False, name=None),
            counts.tolist(),
            strict=True,
        )
        for copy in range(count)
    ]
    return pd.concat(made) if made else near.iloc[:0]


def policy():  # type: ignore[no-untyped-def]
    from assets.procure_to_stock.replenishment_policy import replenishment_policy
    from resources.policy_book import SHIPPED, read_document

    return replenishment_policy(read_document(SHIPPED / "replenishment.yaml").values)


def main() -> None:
    options = measuring.parser(__doc__)
    options.add_argument("--one", nargs=3, metavar=("URL", "SKUS", "DAYS"))
    options.add_argument("--data", type=Path, default=DATA, help="folder of the real year")
    arguments = options.parse_args()
    if arguments.one:
        one(arguments.one[0], int(arguments.one[1]), int(arguments.one[2]))
        return
    sizes = (20, 40) if arguments.tiny else SIZES
    days = 100 if arguments.tiny else DAYS
    words = " and ".join(f"{size:,}" for size in sizes)
    result = Result("planning", "Replenishment", f"{words} SKUs, {days} days")
    bench(result, sizes, days, 1 if arguments.tiny else 3)
    if arguments.data.is_dir() and not arguments.tiny:
        lines = read_year(arguments.data)
        accuracy(result, lines)
        spikes(result, lines, INJECTED)
    else:
        result.notes.append("Without the real year nothing is said of accuracy and of spikes.")
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
