from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from assets.errors import EnvironmentProblem
from resources.lake import export
from resources.lake.columns import SNAPSHOT_TABLES, lake_schema
from resources.lake.folder import Watermark
from resources.lake.lake import Lake
from resources.operational_store import schema
from tests.analytics.facts import at, master_data, moved, random_orders, record


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def everything(lake: Lake, table: str) -> list[dict[str, object]]:
    files = lake.files(table)
    return pa.concat_tables([pq.read_table(file) for file in files]).to_pylist() if files else []


def sequences(lake: Lake) -> list[int]:
    return sorted(int(str(row["ledger_sequence"])) for row in everything(lake, "stock_movement"))


def count(number: int) -> dict[str, list[dict[str, object]]]:
    return moved("counted", "dc", f"SKU{number}", number, at("03-01 08:00"), f"count {number}")


def test_a_transaction_that_commits_late_is_exported_late_and_not_lost(
    engine: sa.Engine, lake: Lake
) -> None:
    with engine.connect() as slow:
        table = schema.stock_movement
        slow.execute(sa.insert(table), count(1)["stock_movement"])
        record(engine, count(2))
        # What came after the open transaction has to wait with it.
        assert lake.export(engine).tables["stock_movement"].rows == 0
        slow.commit()
    record(engine, count(3))
    assert lake.export(engine).tables["stock_movement"].rows == 3
    assert lake.export(engine).tables["stock_movement"].rows == 0
    assert len(sequences(lake)) == len(set(sequences(lake))) == 3


def test_an_export_that_dies_before_its_watermark_moves_repeats_nothing(
    engine: sa.Engine, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(engine, count(1))
    lake.export(engine)
    record(engine, count(2))
    read = export.read_watermarks
    calls = iter(range(9))

    def die_after_the_files(connection: sa.Connection) -> list[Watermark]:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return read(connection)

    monkeypatch.setattr(export, "read_watermarks", die_after_the_files)
    with pytest.raises(KeyboardInterrupt):
        lake.export(engine)
    monkeypatch.undo()
    # The file is in place, but no reader that goes by the watermark sees it.
    assert len(list((lake.root / "stock_movement").glob("recorded_date=*/part-*"))) == 2
    assert len(sequences(lake)) == 1
    record(engine, count(3))
    assert lake.export(engine).tables["stock_movement"].rows == 2
    assert len(sequences(lake)) == len(set(sequences(lake))) == 3


def test_every_table_has_a_typed_file_before_its_first_row(engine: sa.Engine, lake: Lake) -> None:
    lake.export(engine)
    for table in [*schema.LAKE_TABLES, *SNAPSHOT_TABLES]:
        found = duckdb.sql(f"select * from read_parquet('{lake.root}/{table.name}/**/*.parquet')")
        assert found.columns == lake_schema(table).names
        assert found.fetchall() == []


def test_values_arrive_exactly_as_they_were(engine: sa.Engine, lake: Lake) -> None:
    record(engine, master_data())
    [order] = random_orders(random.Random(5), 1)
    record(engine, *order.transactions)
    awkward = 'two\nlines, "quoted" and an é'
    with engine.begin() as connection:
        connection.execute(
            sa.insert(schema.product).values(
                sku="ODD",
                description=awkward,
                standard_cost=Decimal("12345678901234.5678"),
                currency_code="GBP",
                tax_rate_basis_points=0,
                gtin="",
                is_synthetic=False,
                occurred_at=datetime(2026, 3, 29, 1, 30, 0, 123456, UTC),
                effective_at=at("03-29 01:30"),
            )
        )
    lake.export(engine)
    products = {row["sku"]: row for row in pq.read_table(lake.root / "product").to_pylist()}
    assert products["ODD"]["description"] == awkward
    assert products["ODD"]["standard_cost"] == Decimal("12345678901234.5678")
    assert products["ODD"]["occurred_at"] == datetime(2026, 3, 29, 1, 30, 0, 123456, UTC)
    assert products["ODD"]["gtin"] == ""
    assert products["MUG"]["gtin"] is None
    [placed] = everything(lake, "order_placed")
    assert placed["order_id"] == str(order.order_id)
    assert placed["promised_date"] == order.promised
    [decision] = everything(lake, "decision_record")
    assert decision["reason_codes"] == '["split_over_nodes","out_of_stock"]'
    [event] = [e for e in everything(lake, "process_event") if e["activity"] == "order placed"]
    assert str(order.order_id) in str(event["objects"])


def test_nothing_personal_and_nothing_binary_reaches_the_lake(
    engine: sa.Engine, lake: Lake
) -> None:
    lake.export(engine)
    tables = {path.name for path in lake.root.iterdir() if path.is_dir()}
    assert "customer_contact" not in tables
    assert "inputs" not in lake_schema(schema.decision_batch).names
    for table in [*schema.LAKE_TABLES, *SNAPSHOT_TABLES]:
        assert not table.info.get("personal")
        assert pa.binary() not in lake_schema(table).types


def test_a_changed_snapshot_replaces_the_former_one(engine: sa.Engine, lake: Lake) -> None:
    record(engine, master_data())
    assert lake.export(engine).tables["node"].rows == 2
    assert lake.export(engine).tables["node"].files == 0
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "update node set is_active = false, recorded_at = now(),"
                " recorded_xid = pg_current_xact_id() where node_id = 'store'"
            )
        )
    lake.export(engine)
    nodes = pq.read_table(lake.root / "node").to_pylist()
    assert {row["node_id"]: row["is_active"] for row in nodes} == {"dc": True, "store": False}


def test_merging_small_files_keeps_every_row_once(engine: sa.Engine, lake: Lake) -> None:
    for number in range(5):
        record(engine, count(number))
        lake.export(engine)
    before = sequences(lake)
    parts = {path: path.read_bytes() for path in lake.files("stock_movement")}
    assert len(parts) == 5
    today = next(iter(parts)).parent.name.removeprefix("recorded_date=")
    assert lake.compact("stock_movement", datetime.fromisoformat(today).date()) == 5
    assert len(lake.files("stock_movement")) == 1
    assert sequences(lake) == before
    # Killed before the merged files' parts were gone: the next reader removes them first.
    for path, content in list(parts.items())[:3]:
        path.write_bytes(content)
    with lake.reading():
        assert sequences(lake) == before
    record(engine, count(9))
    lake.export(engine)
    assert len(sequences(lake)) == 6


def test_two_exports_at_once_copy_every_row_once(engine: sa.Engine, lake: Lake) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        for number in range(12):
            record(engine, count(number))
            pool.submit(lake.export, engine)
    lake.export(engine)
    assert Counter(Counter(sequences(lake)).values()) == {1: 12}


def test_a_database_that_went_back_in_time_is_refused(engine: sa.Engine, lake: Lake) -> None:
    lake.export(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.text("update lake_watermark set exported_below_xid = '999999999'::xid8")
        )
    with pytest.raises(EnvironmentProblem, match="restored from a backup"):
        lake.export(engine)
