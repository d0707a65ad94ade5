"""A week of the real year through every hop, counted beside it by other means."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from resources.policy_book import SHIPPED
from tests.flows.replaying import Replaying, ended
from tests.layouts.made_files import SHARED_DATA

pytestmark = pytest.mark.slow

YEAR = SHARED_DATA / "uci_online_retail"
FIRST, LAST = "2010-12-01", "2010-12-07"
NO_GOODS = {
    "POST", "D", "C2", "DOT", "M", "BANK CHARGES", "AMAZONFEE", "CRUK", "S", "B",
}  # fmt: skip


@dataclass(frozen=True)
class Week:
    replaying: Replaying
    report: dict[str, Any]


@pytest.fixture(scope="module")
def week() -> Iterator[Week]:
    if not YEAR.is_dir():
        pytest.skip("the real year (../shared/data/uci_online_retail) is not on this machine")
    with tempfile.TemporaryDirectory(prefix="omniflow-home-") as name:
        Path(name).chmod(0o755)
        replaying = Replaying(Path(name) / "home")
        try:
            arguments = ("--layout", "uci_online_retail", "--from", FIRST, "--to", LAST, "--json")
            done = ended(replaying.omniflow("replay", str(YEAR), *arguments))
            assert (done.returncode, done.stderr) == (0, ""), done
            yield Week(replaying, json.loads(done.stdout))
        finally:
            replaying.down()


def counted() -> tuple[int, int, int]:
    """Orders, their lines of goods, and returns, by the rules of the layout and nothing else."""
    rows = pd.read_csv(YEAR / "2010-12.csv.gz", dtype=str, keep_default_na=False)
    days = rows["InvoiceDate"].str.slice(0, 10)
    rows = rows[(days >= FIRST) & (days <= LAST)]
    number = rows["InvoiceNo"].str.strip().str.upper()
    sold = pd.DataFrame(
        {
            "number": number,
            "is_priced": rows["UnitPrice"].astype(float) != 0,
            "is_negative": rows["Quantity"].astype(int) < 0,
            "is_goods": ~rows["StockCode"].str.strip().str.upper().isin(NO_GOODS),
        }
    )
    invoices = sold.groupby("number").agg(
        is_priced=("is_priced", "any"),
        is_negative=("is_negative", "all"),
        lines=("is_goods", "sum"),
    )
    letter = invoices.index.str.slice(0, 1)
    is_order = ~letter.isin(["C", "A"]) & invoices["is_priced"] & ~invoices["is_negative"]
    orders = invoices[is_order]
    return len(orders), int(orders["lines"].sum()), int((letter == "C").sum())


def test_every_order_and_every_line_of_the_files_is_in_the_store(week: Week) -> None:
    orders, lines, returns = counted()
    assert orders > 500
    report = week.report
    assert (report["orders"], report["order_lines"]) == (orders, lines)
    assert report["returns_waiting"] == returns
    stored = "select (select count(*) from order_placed), (select count(*) from order_line)"
    assert week.replaying.rows(stored) == [(orders, lines)]


def test_every_event_is_accounted_for(week: Week) -> None:
    report = week.report
    parts = ("applied", "quarantined", "duplicates", "waiting")
    assert report["events_in"] == sum(report[part] for part in parts) > report["orders"]
    assert report["files_refused"] == {}
    assert report["marts_held"] == []
    inbox = dict(week.replaying.rows("select status, count(*) from event_inbox group by status"))
    assert inbox == {"applied": report["applied"], "waiting": report["waiting"]}
    assert report["waiting"] == report["returns_waiting"], "only returns have no flow yet"


def test_all_invariants_hold(week: Week) -> None:
    done = ended(week.replaying.omniflow("invariants", "--json"))
    assert done.returncode == 0, done
    verdicts = {verdict["id"]: verdict for verdict in json.loads(done.stdout)}
    assert all(verdict["holds"] for verdict in verdicts.values())
    # The data set has no prices that a channel showed, and nothing of what is proposed was ordered.
    applying = {law for law, verdict in verdicts.items() if verdict["applies"]}
    assert applying == verdicts.keys() - {"S5", "M6", "M7", "M8", "M11"}
    assert applying >= {"S1", "S2", "S3", "S4", "M1", "P1", "P2", "P7"}


def counterfactual(week: Week, policy: Path, *arguments: str) -> dict[str, Any]:
    done = ended(week.replaying.omniflow("counterfactual", str(policy), "--json", *arguments))
    assert done.returncode == 0, done
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_under_its_own_policy_the_week_would_have_been_the_same(week: Week) -> None:
    found = counterfactual(week, SHIPPED / "order_to_fulfillment.yaml")
    assert (found["orders"], found["order_lines"]) == (
        week.report["orders"],
        week.report["order_lines"],
    )
    assert found["differing_orders"] == 0
    assert found["stored"] == found["counterfactual"]
    assert set(found["change"].values()) == {0, "0.0000"}
    reserved = "select sum(reserved_quantity)::int from order_line"
    assert week.replaying.rows(reserved) == [(found["stored"]["filled_quantity"],)]


def test_with_more_kept_back_the_week_would_have_filled_less(week: Week, tmp_path: Path) -> None:
    shipped = (SHIPPED / "order_to_fulfillment.yaml").read_text()
    assert '    "*": 0\n' in shipped
    path = tmp_path / "cautious.yaml"
    path.write_text(shipped.replace('    "*": 0\n', '    "*": 12\n'))
    found = counterfactual(week, path, "--from", FIRST, "--to", LAST)
    assert found["orders"] == week.report["orders"]
    assert found["change"]["filled_quantity"] < 0
    assert found["change"]["fill_rate"] < 0
    assert 0 < found["differing_orders"] < found["orders"]


def test_the_marts_sold_what_was_ordered(week: Week) -> None:
    done = ended(
        week.replaying.omniflow("marts", "show", "channel_sales_daily", "--format", "json")
    )
    assert done.returncode == 0, done
    sales = json.loads(done.stdout)
    assert sum(row["order_count"] for row in sales) == week.report["orders"]
    assert sum(row["order_line_count"] for row in sales) == week.report["order_lines"]
