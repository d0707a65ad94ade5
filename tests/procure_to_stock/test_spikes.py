"""A region wants a class of products more than usual: found while it happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from assets.procure_to_stock.rules.planning_parameters import Watch
from assets.procure_to_stock.rules.spikes import detect

#: Tables of rules have times in UTC without a zone.
START = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
WATCH = Watch(
    rise=3.0,
    evidence=7.0,
    least_daily_lines=1.0,
    least_days=28,
    quiet_days=28,
    usual_days=28,
    new_days=28,
)


def trading(
    days: int, rises_on: int | None = None, region: str = "uk", seed: int = 1
) -> pd.DataFrame:
    """Fifty orders a day; one of ten has mugs among its lines, and three of ten from a day on."""
    random = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        for number in range(50):
            placed_at = START + timedelta(days=day, minutes=10 * number)
            order_id = f"{region}-{day}-{number}"
            rows.append((region, order_id, "plates", "PLATE", placed_at))
            share = 0.3 if rises_on is not None and day >= rises_on else 0.1
            if random.random() < share:
                rows.append((region, order_id, "mugs", "MUG", placed_at))
    return pd.DataFrame(rows, columns=["region", "order_id", "product_class", "sku", "placed_at"])


def test_a_threefold_rise_is_found_within_its_first_orders() -> None:
    [alarm] = detect(trading(60, rises_on=40), WATCH).to_dict("records")
    assert (alarm["region"], alarm["product_class"]) == ("uk", "mugs")
    assert alarm["onset_at"] >= pd.Timestamp(START + timedelta(days=38))
    assert pd.Timestamp(START + timedelta(days=40)) <= alarm["detected_at"]
    assert alarm["lines_seen"] <= 40
    assert alarm["seen_share"] > 2 * alarm["usual_share"]


def test_usual_trading_raises_no_alarm() -> None:
    assert detect(trading(90), WATCH).empty


def test_a_busy_day_of_everything_is_no_spike_of_a_class() -> None:
    usual = trading(60)
    extra = trading(60, seed=5)
    extra = extra[extra["placed_at"] >= START + timedelta(days=50)]
    extra = extra.assign(order_id=extra["order_id"] + "-again")
    both = pd.concat([usual, extra]).sort_values(["placed_at", "order_id"], ignore_index=True)
    assert detect(both, WATCH).empty


def test_before_anything_is_usual_nothing_is_a_spike() -> None:
    assert detect(trading(27, rises_on=20), WATCH).empty


def test_regions_are_watched_apart() -> None:
    both = pd.concat([trading(60, rises_on=40), trading(60, region="eu", seed=2)])
    both = both.sort_values(["placed_at", "order_id"], ignore_index=True)
    assert detect(both, WATCH)["region"].tolist() == ["uk"]


def test_after_an_alarm_a_class_is_not_told_of_again_for_a_while() -> None:
    assert len(detect(trading(62, rises_on=40), WATCH)) == 1


def test_a_new_product_is_no_spike_of_its_class() -> None:
    usual = trading(60)
    orders = usual[usual["sku"] == "PLATE"]
    new = orders[orders["placed_at"] >= START + timedelta(days=45)].iloc[::2]
    new = new.assign(product_class="mugs", sku="NEW MUG")
    both = pd.concat([usual, new]).sort_values(["placed_at", "order_id"], ignore_index=True)
    assert detect(both, WATCH).empty


def test_what_many_orders_have_anyway_is_found_too() -> None:
    """A class in four of ten orders cannot be in twelve of ten, but its orders can be threefold."""
    usual = trading(60, seed=3)
    random = np.random.default_rng(8)
    orders = usual[usual["sku"] == "PLATE"]
    often = orders[random.random(len(orders)) < 0.4].assign(product_class="bowls", sku="BOWL")
    since = often[often["placed_at"] >= START + timedelta(days=40)]
    more = [since.assign(order_id=since["order_id"] + f"/{copy}") for copy in (1, 2)]
    both = pd.concat([usual, often, *more]).sort_values(
        ["placed_at", "order_id"], kind="stable", ignore_index=True
    )
    [alarm] = detect(both, WATCH).to_dict("records")
    assert alarm["product_class"] == "bowls"
    assert alarm["lines_seen"] <= 100
