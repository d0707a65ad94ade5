from __future__ import annotations

import json
import os
import random
import shutil
import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
import yaml

from resources.analytics_store.dbt_project import PROJECT
from resources.analytics_store.store import AnalyticsStore
from resources.lake.columns import SNAPSHOT_TABLES
from resources.lake.lake import Lake
from resources.operational_store import schema
from resources.operational_store.cases import close_cases
from tests.analytics.facts import (
    Order,
    acknowledged,
    at,
    case,
    correction,
    drift,
    identify,
    master_data,
    moved,
    published,
    random_orders,
    record,
    snapshot,
)

pytestmark = pytest.mark.slow

MARTS = [
    "approval_turnaround",
    "atp_published",
    "channel_sales_daily",
    "delay_cost",
    "exception_backlog_aging",
    "fulfillment_backlog",
    "fulfillment_exception_rates",
    "fulfillment_exceptions",
    "goods_received_not_invoiced",
    "inventory_drift",
    "inventory_position_daily",
    "inventory_sync_latency",
    "invoice_match_exceptions",
    "open_exceptions",
    "order_cycle_times",
    "order_promise_performance",
    "pickup_performance",
    "purchase_order_status",
    "receiving_plan",
    "replenishment_proposals",
    "service_level_adherence",
    "sourcing_decisions",
    "stock_cover",
    "supplier_scorecard",
]


def the_story() -> list[Order]:
    """Eight orders: kept, short, refused by its node, held for fraud, late, declined, still at the
    node, still on the road."""
    both = {"dc": 2, "store": 1}
    return [
        Order("kept", at("03-02 09:00"), [("MUG", 3, both)], date(2026, 3, 5), charge=Decimal(6))
        .paid(at("03-02 10:00"))
        .dispatched(at("03-03 10:00"), "dc")
        .dispatched(at("03-03 16:00"), "store", with_charge=False)
        .delivered(at("03-04 10:00"), "dc")
        .delivered(at("03-05 09:00"), "store"),
        Order("short", at("03-02 11:00"), [("LAMP", 4, {"dc": 1})], date(2026, 3, 5))
        .paid(at("03-02 11:30"))
        .dispatched(at("03-03 10:00"))
        .delivered(at("03-04 10:00")),
        Order("refused", at("03-03 10:00"), [("MUG", 2, {"dc": 2})], date(2026, 3, 6))
        .paid(at("03-03 10:30"))
        .rejected(at("03-03 12:00")),
        Order("held", at("03-04 10:00"), [("MUG", 1, {"store": 1})], date(2026, 3, 4))
        .paid_but_screened(at("03-04 10:10"))
        .screened("asked", at("03-04 10:10"), "expensive")
        .screened("held", at("03-04 10:12"), "unusual"),
        Order("late", at("03-02 12:00"), [("CARD", 10, {"dc": 10})], date(2026, 3, 3))
        .paid(at("03-02 12:00"))
        .dispatched(at("03-03 12:00"))
        # 00:30 in London is still the day before in UTC, but not in summer.
        .delivered(at("03-04 00:30"))
        .stepped("promised", at("03-02 12:00"), promised=at("03-02 14:00"))
        .stepped("rejected", at("03-02 12:30"), reason="not_found")
        .stepped("promised", at("03-02 12:30"), attempt=2, promised=at("03-02 15:00"))
        .stepped("ready", at("03-02 15:30"), attempt=2)
        .stepped("reminded", at("03-03 15:30"), attempt=2)
        .stepped("collected", at("03-03 17:30"), attempt=2),
        Order("declined", at("03-03 09:00"), [("MUG", 1, {"dc": 1})], date(2026, 3, 6))
        .ended("declined", at("03-03 09:10"))
        .stepped("promised", at("03-03 09:00"), promised=at("03-03 10:30")),
        Order("at_the_node", at("03-04 09:00"), [("MUG", 5, {"store": 5})], date(2026, 3, 4))
        .paid(at("03-04 09:30"))
        .stepped("promised", at("03-04 09:00"), promised=at("03-04 11:00"))
        # It was held, so its promise has moved; it counts on the day of the first.
        .stepped("promised", at("03-04 12:00"), number=2, promised=at("03-05 10:30"))
        .stepped("ready", at("03-05 10:30")),
        Order("on_the_road", at("03-05 09:00"), [("LAMP", 2, {"dc": 2})], date(2026, 3, 9))
        .paid(at("03-05 09:30"))
        .dispatched(at("03-05 12:00")),
    ]


def fulfilment_order(number: str, node: str) -> object:
    return identify("fulfilment", identify("order", "web_shop", number), node)


def stock() -> list[dict[str, list[dict[str, Any]]]]:
    return [
        moved("counted", "dc", "MUG", 10, at("03-01 08:00"), "opening mug dc"),
        moved("counted", "dc", "LAMP", 3, at("03-01 08:00"), "opening lamp dc"),
        moved("received", "dc", "LAMP", 7, at("03-03 07:00"), "receipt"),
        moved("adjusted", "dc", "LAMP", -1, at("03-03 18:00"), "broken"),
    ]


def beliefs() -> list[dict[str, list[dict[str, Any]]]]:
    """The warehouse misses two lamps, one of which turns up late; the web shop is told twice."""
    night, morning = at("03-04 02:00"), at("03-04 08:00")
    return [
        snapshot("night", "wms", "dc", night, MUG=(10, 10), LAMP=(7, 9)),
        drift("night", "LAMP", 1, night, miscount=-2),
        correction("night", "LAMP", 1, "dc", "booked", -2, night),
        drift("night", "LAMP", 2, night, late=-1, miscount=-1),
        correction("night", "LAMP", 2, "dc", "reversed", 1, night),
        snapshot("erp night", "erp", "dc", night, MUG=(10, 10)),
        published("first", "web_shop", at("03-04 07:00"), morning, MUG=(5, 9), LAMP=(0, 0)),
        published("second", "web_shop", at("03-04 08:30"), at("03-04 09:00"), MUG=(4, 8)),
        case("fulfilment_rejected", str(fulfilment_order("refused", "dc")), at("03-03 12:00")),
        case("payment_held", "web_shop/held", at("03-04 10:12"), owner="payments"),
        case("carrier_silence", "web_shop/late/late-dc", at("03-03 20:00"), at("03-04 00:30")),
        case("dead_letter", f"crm/{identify('order', 'web_shop', 'kept')}", at("03-03 09:00")),
        case("price_parity", "web_shop/MUG", at("03-03 09:00"), owner="pricing"),
        case("data_quality_gate_failed", "order_line/x", at("03-03 09:00"), owner="platform"),
        acknowledged("first", "web_shop", at("03-04 08:00") + timedelta(seconds=30)),
    ]


@pytest.fixture(scope="module")
def told(
    new_database: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[sa.Engine, AnalyticsStore]]:
    """The story, exported and built with all tests; read by every test of this module."""
    with new_database() as engine:
        record(engine, master_data(), *stock(), *beliefs())
        record(engine, *(step for order in the_story() for step in order.transactions))
        home = tmp_path_factory.mktemp("analytics")
        lake = Lake(home / "lake")
        lake.export(engine)
        store = AnalyticsStore(home / "warehouse", lake)
        report = store.build(unit_tests=True)
        assert [(node.name, node.message) for node in report.failed] == []
        assert report.success
        assert {node.kind for node in report.nodes} == {"model", "test", "unit_test"}
        store.publish()
        yield engine, store


def shown(store: AnalyticsStore, mart: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in store.rows(mart)]


def test_each_promise_is_judged_with_its_cause(told: tuple[sa.Engine, AnalyticsStore]) -> None:
    found = shown(
        told[1],
        "order_promise_performance",
        "order_number",
        "status",
        "outcome",
        "cause_code",
        "late_day_count",
    )
    assert sorted(found) == [
        ("at_the_node", "ready_for_pickup", "broken", "late_dispatch", 1),
        ("declined", "declined", "cancelled", "payment_declined", None),
        ("held", "held", "broken", "held_for_screening", 1),
        ("kept", "delivered", "kept", None, 0),
        ("late", "delivered", "broken", "late_delivery", 1),
        ("on_the_road", "dispatched", "open", None, 0),
        ("refused", "unfilled", "broken", "fulfilment_rejected", None),
        ("short", "delivered", "broken", "out_of_stock", 0),
    ]


def test_drift_is_shown_by_its_last_reasons_and_agreement_too(
    told: tuple[sa.Engine, AnalyticsStore],
) -> None:
    found = shown(
        told[1],
        "inventory_drift",
        "source_system",
        "reason_code",
        "what_follows",
        "compared_line_count",
        "net_drift_quantity",
        "drift_amount",
        "booked_quantity",
    )
    assert sorted(found) == [
        ("erp", "none", "agrees", 1, 0, Decimal("0.0000"), 0),
        ("wms", "late", "cures_itself", 2, -1, Decimal("1.5000"), 0),
        ("wms", "miscount", "booked", 2, -1, Decimal("1.5000"), -1),
    ]


def test_what_a_channel_was_told_last_and_how_long_it_took(
    told: tuple[sa.Engine, AnalyticsStore],
) -> None:
    columns = ("sku", "published_quantity", "offer", "acknowledgement", "publication_count")
    assert sorted(shown(told[1], "atp_published", *columns)) == [
        ("LAMP", 0, "sold_out", "acknowledged", 1),
        ("MUG", 4, "limited", "not_acknowledged", 2),
    ]
    day, week = sorted(told[1].rows("inventory_sync_latency"), key=lambda row: row["period"])
    assert (day["channel"], day["region"], day["brand"]) == ("web_shop", "uk", "main")
    assert (day["period"], day["period_start_date"]) == ("day", date(2026, 3, 4))
    assert (week["period"], week["period_start_date"]) == ("week", date(2026, 3, 2))
    assert day["summed_publication_seconds"] == 2 * 3_600 + 1_800
    assert day["p99_total_seconds"] == Decimal("3630.0000")
    assert (day["message_count"], day["published_line_count"]) == (2, 3)
    assert (day["acknowledged_line_count"], day["acknowledged_share"]) == (2, Decimal("0.6667"))
    # An hour twice and half an hour once until it was told; thirty seconds until it was shown.
    assert day["median_publication_seconds"] == Decimal("3600.0000")
    assert day["median_acknowledgement_seconds"] == Decimal("30.0000")
    assert day["longest_total_seconds"] == 3_630


def test_sales_of_a_day_are_ordered_filled_and_sold(
    told: tuple[sa.Engine, AnalyticsStore],
) -> None:
    first = told[1].rows("channel_sales_daily")[0]
    assert first["trading_date"] == date(2026, 3, 2)
    assert (first["order_count"], first["order_line_count"]) == (3, 3)
    assert (first["ordered_quantity"], first["filled_quantity"]) == (17, 14)
    assert first["fill_rate"] == Decimal("0.8235")
    # 3 mugs of 6, 1 lamp of 24.60 and 10 cards of 0.85 were handed over, and 6 of postage.
    assert first["gross_sales_amount"] == Decimal("51.1000")
    assert first["charge_amount"] == Decimal("6.0000")
    assert first["tax_amount"] == Decimal("9.5167")
    assert first["net_sales_amount"] == Decimal("47.5833")
    assert first["ordered_amount"] == Decimal("130.9000")
    assert first["average_order_value_amount"] == Decimal("43.6333")


def test_stock_opens_as_it_closed_and_only_days_with_movement_have_rows(
    told: tuple[sa.Engine, AnalyticsStore],
) -> None:
    found = shown(
        told[1],
        "inventory_position_daily",
        "node_id",
        "sku",
        "trading_date",
        "opening_quantity",
        "received_quantity",
        "adjusted_quantity",
        "shipped_quantity",
        "closing_quantity",
    )
    assert [row[2:] for row in sorted(found) if row[:2] == ("dc", "LAMP")] == [
        (date(2026, 3, 1), 0, 0, 3, 0, 3),
        (date(2026, 3, 3), 3, 7, -1, 1, 8),
        (date(2026, 3, 5), 8, 0, 0, 2, 6),
    ]


def test_the_backlog_is_what_is_open_at_the_newest_effective_time(
    told: tuple[sa.Engine, AnalyticsStore],
) -> None:
    found = shown(
        told[1],
        "fulfillment_backlog",
        "as_of_date",
        "node_id",
        "status",
        "age_bucket",
        "open_order_count",
        "overdue_order_count",
        "open_quantity",
        "open_amount",
    )
    assert sorted(found) == [
        (date(2026, 3, 5), "dc", "dispatched", "under_1_day", 1, 0, 2, Decimal("49.2000")),
        (date(2026, 3, 5), "store", "held", "1_to_3_days", 1, 1, 1, Decimal("6.0000")),
        (date(2026, 3, 5), "store", "ready_for_pickup", "1_to_3_days", 1, 1, 5, Decimal("30.0000")),
    ]


def test_cycle_times_are_hours_between_the_stages(told: tuple[sa.Engine, AnalyticsStore]) -> None:
    found = shown(
        told[1],
        "order_cycle_times",
        "period",
        "period_start_date",
        "stage",
        "order_count",
        "placed_order_count",
        "median_hours",
        "p99_hours",
        "total_seconds",
    )
    # From the last despatch on. kept: 1 h, 30 h, 41 h; short: 0.5 h, 22.5 h, 24 h; late: 0 h,
    # 24 h, 12.5 h.
    monday = ("day", date(2026, 3, 2))
    assert [row[2:] for row in sorted(found) if row[:2] == monday] == [
        ("allocated_to_dispatched", 3, 3, Decimal("24.0000"), Decimal("29.8800"), 275_400),
        ("dispatched_to_delivered", 3, 3, Decimal("24.0000"), Decimal("40.6600"), 279_000),
        ("placed_to_allocated", 3, 3, Decimal("0.5000"), Decimal("0.9900"), 5_400),
        ("placed_to_delivered", 3, 3, Decimal("47.0000"), Decimal("71.5000"), 559_800),
    ]
    # Of the eight orders of the week, those that stock was allocated to.
    (week,) = [row for row in found if row[0] == "week" and row[2] == "placed_to_allocated"]
    assert week[1:6] == (date(2026, 3, 2), "placed_to_allocated", 6, 8, Decimal("0.5000"))


def test_what_went_wrong_has_its_order_its_place_and_its_owner(
    told: tuple[sa.Engine, AnalyticsStore],
) -> None:
    found = shown(
        told[1],
        "fulfillment_exceptions",
        "exception_type",
        "state",
        "order_number",
        "channel",
        "node_id",
        "reason_code",
        "owner",
        "open_hours",
    )
    shop, hours = "web_shop", Decimal
    assert sorted(found, key=str) == [
        ("carrier_silence", "closed", "late", shop, "dc", None, "team", hours("4.5000")),
        ("dead_letter", "open", "kept", shop, None, None, "team", hours("51.0000")),
        ("fulfilment_rejected", "open", "refused", shop, "dc", "damaged", "team", hours("48.0000")),
        ("payment_held", "open", "held", shop, None, None, "payments", hours("25.8000")),
        (
            "pickup_rejected",
            "settled",
            "late",
            shop,
            "store",
            "not_found",
            "store_operations",
            None,
        ),
        ("price_parity", "open", None, None, None, None, "pricing", hours("51.0000")),
        ("units_not_found", "settled", "short", shop, None, "out_of_stock", "order_desk", None),
    ]


def test_an_order_with_two_exceptions_counts_once(told: tuple[sa.Engine, AnalyticsStore]) -> None:
    found = {
        (row["period"], row["period_start_date"].day): row
        for row in told[1].rows("fulfillment_exception_rates")
    }
    # Kept, short and late of three on the second; refused of two on the third; held of two.
    assert {
        key: (row["order_count"], row["exception_order_count"], row["exception_rate"])
        for key, row in found.items()
    } == {
        ("day", 2): (3, 3, Decimal("1.0000")),
        ("day", 3): (2, 1, Decimal("0.5000")),
        ("day", 4): (2, 1, Decimal("0.5000")),
        ("day", 5): (1, 0, Decimal("0.0000")),
        ("week", 2): (8, 5, Decimal("0.6250")),
    }
    week = found["week", 2]
    assert (week["exception_count"], week["open_exception_count"]) == (6, 3)
    assert (week["closed_exception_count"], week["total_open_seconds"]) == (1, 4 * 3600 + 1800)
    assert (week["p99_open_hours"], week["node_did_not_do_it_order_count"]) == (Decimal("4.5"), 2)


def test_each_decision_says_from_where_and_under_which_policy(
    told: tuple[sa.Engine, AnalyticsStore],
) -> None:
    (kept,) = [r for r in told[1].rows("sourcing_decisions") if r["order_number"] == "kept"]
    assert (kept["decision_number"], kept["outcome"], kept["method"]) == (1, "filled", "exact")
    assert (kept["node_ids"], kept["planned_shipment_count"]) == ("dc,store", 2)
    assert (kept["is_split"], kept["is_promise_feasible"]) == (True, True)
    assert (kept["ordered_quantity"], kept["reserved_quantity"]) == (3, 3)
    assert (kept["policy_hash"], kept["mode"]) == ("hash", "normal")
    assert (kept["channel"], kept["region"], kept["brand"]) == ("web_shop", "uk", "main")
    assert json.loads(kept["reason_codes"]) == ["split_over_nodes", "out_of_stock"]


def test_a_case_that_closes_is_shown_closed_and_its_words_stay_where_they_are(
    new_database: Any, tmp_path: Path
) -> None:
    with new_database() as engine:
        record(engine, master_data(), case("price_parity", "web_shop/MUG", at("03-03 09:00")))
        lake = Lake(tmp_path / "lake")
        lake.export(engine)
        with engine.begin() as connection:
            closed = close_cases(
                connection, "price_parity", ["web_shop/MUG"], "right again", at("03-03 11:00")
            )
        assert closed == 1
        assert lake.export(engine).tables["exception_case"].rows == 1
        assert lake.export(engine).tables["exception_case"].rows == 0
        exported = duckdb.sql(f"from read_parquet('{lake.root}/exception_case/*.parquet')")
        assert {"reason", "resolution"}.isdisjoint(exported.columns)
        status = exported.columns.index("status")
        assert [row[status] for row in exported.fetchall()] == ["closed"]


def test_pickups_are_counted_on_the_day_that_was_first_promised(
    told: tuple[sa.Engine, AnalyticsStore],
) -> None:
    found = {str(row["promised_date"]): row for row in told[1].rows("pickup_performance")}
    assert {
        day: {
            name.removesuffix("_count"): count
            for name, count in row.items()
            if name.endswith("_count") and count
        }
        for day, row in found.items()
    } == {
        "2026-03-02": {
            "pickup": 2,
            "ready": 1,
            "collected": 1,
            "rejected": 1,
            "rejected_not_found": 1,
            "moved_to_other_store": 1,
            "reminder": 1,
        },
        "2026-03-03": {"pickup": 1, "ended": 1},
        "2026-03-04": {"pickup": 1, "ready": 1, "ready_in_time": 1, "open": 1},
    }
    assert found["2026-03-02"]["median_ready_hours"] == Decimal("3.0000")
    assert found["2026-03-02"]["median_collect_hours"] == Decimal("26.0000")
    assert found["2026-03-04"]["p95_ready_hours"] == Decimal("25.5000")


def test_marts_read_core_only_and_say_who_owns_them(
    told: tuple[sa.Engine, AnalyticsStore],
) -> None:
    manifest = json.loads(told[1].manifest_path.read_text())
    models = {
        node["unique_id"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    marts = [node for node in models.values() if node["schema"] == "marts"]
    assert sorted(node["name"] for node in marts) == MARTS
    for mart in marts:
        assert {models[parent]["schema"] for parent in mart["depends_on"]["nodes"]} == {"core"}
        assert mart["config"]["contract"]["enforced"]
        assert mart["config"]["meta"]["owner"]
        assert all(column["description"] for column in mart["columns"].values())
        summary = mart["config"]["meta"]["summary"]
        assert 3 < len(summary) == len(set(summary))
        assert set(summary) <= set(mart["columns"])
    read = {name for e in manifest["exposures"].values() for name in e["depends_on"]["nodes"]}
    assert read == {mart["unique_id"] for mart in marts}


def test_sources_are_named_like_the_tables(told: tuple[sa.Engine, AnalyticsStore]) -> None:
    manifest = json.loads(told[1].manifest_path.read_text())
    assert {source["name"] for source in manifest["sources"].values()} == {
        *(table.name for table in schema.LAKE_TABLES),
        *(table.name for table in SNAPSHOT_TABLES),
        "lake_watermark",
    }


def test_reporting_knows_the_same_accounts_as_finance() -> None:
    policy = yaml.safe_load((PROJECT.parent / "resources/policies/finance.yaml").read_text())
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    accounts = policy["values"]["accounts"]
    reported = project["vars"]["account_codes"]
    assert reported == {name: accounts[name] for name in reported}


def test_nothing_of_a_build_lands_in_the_project() -> None:
    assert not (PROJECT / "target").exists()
    assert not (PROJECT / "logs").exists()


def differences(left: Path, right: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Rows that only one of two warehouses has, by table, column order included."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{left}' as a (read_only)")
        connection.execute(f"attach '{right}' as b (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = 'a' and schema_name in ('core', 'marts')"
        ).fetchall()
        assert len(tables) > 20
        for layer, table in tables:
            columns = [
                connection.execute(
                    "select column_name from duckdb_columns() where database_name = ?"
                    " and schema_name = ? and table_name = ? order by column_index",
                    [database, layer, table],
                ).fetchall()
                for database in "ab"
            ]
            assert columns[0] == columns[1]
            for one, other in ("ab", "ba"):
                rows = connection.execute(
                    f"select cast(columns(*) as text) from ("
                    f"from {one}.{layer}.{table} except all from {other}.{layer}.{table})"
                ).fetchall()
                if rows:
                    found.setdefault(f"{layer}.{table}", []).extend(rows)
    return found


def interleaved(rng: random.Random, orders: list[Order]) -> list[dict[str, Any]]:
    """Each order's facts follow each other, as the flows see to; between orders chance decides."""
    turns = [order for order in orders for _ in order.transactions]
    rng.shuffle(turns)
    left = {order.number: iter(order.transactions) for order in orders}
    return [next(left[order.number]) for order in turns]


def test_after_random_late_batches_an_incremental_build_equals_a_full_one(
    new_database: Any, tmp_path: Path
) -> None:
    rng = random.Random(20260302)
    steps = interleaved(rng, random_orders(rng, 50))
    # Later ones in no order at all: deliveries before orders, entries before what they are about.
    shuffled = [step for order in random_orders(rng, 50, first=50) for step in order.transactions]
    shuffled += [
        moved(kind, node, sku, rng.randint(1, 50), at(f"03-{rng.randint(1, 20):02} 07:00"), f"{i}")
        for i, (kind, node, sku) in enumerate(
            (kind, node, sku)
            for kind in ("counted", "received", "adjusted")
            for node in ("dc", "store")
            for sku in ("MUG", "LAMP", "CARD")
        )
    ]
    rng.shuffle(shuffled)
    steps += shuffled
    with new_database() as engine:
        lake = Lake(tmp_path / "lake")
        store = AnalyticsStore(tmp_path / "warehouse", lake)
        record(engine, master_data())
        cuts = sorted(rng.sample(range(1, len(steps)), 2))
        for first, last in zip([0, *cuts], [*cuts, len(steps)], strict=True):
            record(engine, *steps[first:last])
            lake.export(engine)
            report = store.build(data_tests=False)
            assert report.success
            assert report.full_refresh == (first == 0)
        incremental = tmp_path / "incremental.duckdb"
        shutil.copyfile(store.build_path, incremental)
        assert store.build(full_refresh=True).success
        assert differences(incremental, store.build_path) == {}


def test_postgresql_gives_the_same_marts(
    told: tuple[sa.Engine, AnalyticsStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, store = told
    url = engine.url
    host = url.query.get("host", url.host)
    for name, value in {
        "HOST": str(host),
        "USER": str(url.username),
        "PASSWORD": str(url.password or ""),
        "DATABASE": str(url.database),
        "PORT": str(url.port or 5432),
    }.items():
        monkeypatch.setitem(os.environ, f"OMNIFLOW_DBT_POSTGRES_{name}", value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from dbt.cli.main import dbtRunner

        outcome = dbtRunner().invoke(
            [
                *("--log-level", "none", "--log-level-file", "none", "run"),
                *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                *("--target", "postgres", "--target-path", str(tmp_path / "target")),
                *("--log-path", str(tmp_path / "logs")),
            ]
        )
    assert [r.message for r in outcome.result or () if r.status != "success"] == []
    assert outcome.success
    with engine.connect() as connection:
        for mart in MARTS:
            columns = ", ".join(f'"{name}"' for name, _ in store.columns(mart))
            rows = connection.execute(
                sa.text(f"select {columns} from analytics_marts.{mart}")
            ).mappings()
            there = sorted(repr(_comparable(dict(row))) for row in rows)
            here = sorted(repr(_comparable(row)) for row in store.rows(mart))
            assert there == here, mart


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
    }
