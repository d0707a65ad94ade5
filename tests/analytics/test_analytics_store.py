from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from assets.errors import BadInput, EnvironmentProblem
from orchestration.cli import app
from orchestration.environment import PROJECT
from resources.analytics_store.reports import Held
from resources.analytics_store.store import AnalyticsStore
from resources.lake.lake import Lake
from tests.analytics.facts import at, master_data, moved, random_orders, record

pytestmark = pytest.mark.slow

#: Every model in the folder of the marts is one.
MARTS = {path.stem for path in (PROJECT / "dbt_project" / "models" / "marts").glob("*/*.sql")}


@pytest.fixture(scope="module")
def built(
    new_database: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[sa.Engine, AnalyticsStore]]:
    with new_database() as engine:
        home = tmp_path_factory.mktemp("home")
        store = AnalyticsStore(home / "warehouse", Lake(home / "lake"))
        record(engine, master_data())
        for order in random_orders(random.Random(3), 20):
            record(engine, *order.transactions)
        store.lake.export(engine)
        assert store.build().success
        store.publish()
        yield engine, store


def orders(store: AnalyticsStore) -> int:
    return len(store.rows("order_promise_performance"))


def test_before_anything_is_published_a_reader_is_told_so(tmp_path: Path) -> None:
    store = AnalyticsStore(tmp_path / "warehouse", Lake(tmp_path / "lake"))
    assert store.list_marts() == []
    with pytest.raises(BadInput, match="no mart is published yet"):
        store.rows("channel_sales_daily")
    with pytest.raises(EnvironmentProblem, match="nothing was built yet"):
        store.publish()


def test_marts_are_listed_with_owner_rows_and_freshness(
    built: tuple[sa.Engine, AnalyticsStore],
) -> None:
    marts = {mart.name: mart for mart in built[1].list_marts()}
    assert set(marts) == MARTS
    promises = marts["order_promise_performance"]
    assert (promises.owner, promises.row_count) == ("order_desk", 20)
    assert promises.description.startswith("One row per order")
    assert promises.as_of_at is not None
    assert promises.as_of_at.year == 2026
    assert promises.held_reason is None


def test_readers_see_one_version_entire_while_others_are_built_and_published(
    built: tuple[sa.Engine, AnalyticsStore],
) -> None:
    engine, store = built
    before = orders(store)
    with store.reading() as reader:
        for order in random_orders(random.Random(4), 5, first=1000):
            record(engine, *order.transactions)
        store.lake.export(engine)
        assert store.build().success
        assert orders(store) == before
        # Three publications on, the file this reader has open has lost its name.
        for _ in range(3):
            store.publish()
        found = reader.execute("select count(*) from marts.order_promise_performance").fetchone()
        assert found == (before,)
    assert orders(store) == before + 5
    assert len(list(store.home.glob("published-*.duckdb"))) == 2


def test_a_held_mart_keeps_its_former_version_and_the_others_move_on(
    built: tuple[sa.Engine, AnalyticsStore],
) -> None:
    engine, store = built
    before = store.rows("order_promise_performance")
    lines = len(store.rows("inventory_position_daily"))
    record(engine, moved("counted", "dc", "HELD", 5, at("03-28 08:00"), "held"))
    for order in random_orders(random.Random(6), 4, first=2000):
        record(engine, *order.transactions)
    store.lake.export(engine)
    store.build()

    def gate(connection: duckdb.DuckDBPyConnection) -> list[Held]:
        found = connection.execute("select count(*) from marts.order_promise_performance")
        assert found.fetchone() == (len(before) + 4,)
        return [Held("order_promise_performance", "four orders too many")]

    publication = store.publish(gate)
    assert publication.held == (Held("order_promise_performance", "four orders too many"),)
    assert store.rows("order_promise_performance") == before
    assert len(store.rows("inventory_position_daily")) > lines
    marts = {mart.name: mart for mart in store.list_marts()}
    assert marts["order_promise_performance"].held_reason == "four orders too many"
    assert marts["inventory_position_daily"].held_reason is None
    # Nothing was wrong after all: the next publication shows it.
    store.publish()
    assert len(store.rows("order_promise_performance")) == len(before) + 4


def test_a_mart_whose_own_test_fails_is_held(built: tuple[sa.Engine, AnalyticsStore]) -> None:
    engine, store = built
    record(engine, moved("counted", "dc", "LOST", 5, at("03-28 08:00"), "to a known node"))
    store.lake.export(engine)
    assert store.build().success
    store.publish()
    stocked = store.rows("inventory_position_daily")
    # Built behind dbt's back: a closing that does not follow from its opening.
    with duckdb.connect(store.build_path) as connection:
        connection.execute(
            "update marts.inventory_position_daily set closing_quantity = closing_quantity + 1"
            " where sku = 'LOST'"
        )
    report = store.build()
    assert not report.success
    assert [held.mart for held in report.held] == ["inventory_position_daily"]
    assert {mart.mart for mart in store.publish().held} == {"inventory_position_daily"}
    assert store.rows("inventory_position_daily") == stocked
    with duckdb.connect(store.build_path) as connection:
        connection.execute(
            "update marts.inventory_position_daily set closing_quantity = closing_quantity - 1"
            " where sku = 'LOST'"
        )


def test_what_was_not_tested_is_not_published(built: tuple[sa.Engine, AnalyticsStore]) -> None:
    _, store = built
    store.build(data_tests=False)
    assert {held.reason for held in store.publish().held} == {"it was not tested"}
    assert {mart.name for mart in store.list_marts()} == MARTS


@pytest.fixture
def omniflow(built: tuple[sa.Engine, AnalyticsStore], monkeypatch: pytest.MonkeyPatch) -> Any:
    home = built[1].home.parent
    monkeypatch.setenv("OMNIFLOW_HOME", str(home))
    from orchestration.environment import Environment
    from orchestration.home import open_home

    open_home(Environment.read())
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, ["marts", *arguments])


def test_the_command_line_lists_and_shows_marts(omniflow: Any) -> None:
    listed = json.loads(omniflow("list", "--json").stdout)
    assert [mart["name"] for mart in listed] == sorted(MARTS)
    assert set(listed[0]) == {
        *("name", "owner", "row_count", "as_of_at"),
        *("published_at", "held_reason", "description"),
    }
    narrow = omniflow("list").stdout
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.splitlines()[1].split()[:2] == [listed[0]["name"], listed[0]["owner"]]
    rows = json.loads(omniflow("show", "channel_sales_daily", "--json", "--limit", "2").stdout)
    assert len(rows) == 2
    assert isinstance(rows[0]["order_count"], int)
    assert rows[0]["net_sales_amount"].count(".") == 1
    assert rows[0]["trading_date"].startswith("2026-03-")
    lines = omniflow("show", "channel_sales_daily", "--format", "csv", "--limit", "2").stdout
    [first, _] = csv.DictReader(io.StringIO(lines))
    assert first["order_count"] == str(rows[0]["order_count"])
    table = omniflow("show", "channel_sales_daily", "--limit", "1").stdout
    assert table.split()[:3] == ["trading_date", "channel", "region"]


def test_the_command_line_names_the_marts_when_one_is_not_known(omniflow: Any) -> None:
    result = omniflow("show", "sales")
    assert result.exit_code == 1
    assert isinstance(result.exception, BadInput)
    assert "no mart 'sales'" in str(result.exception)
    assert "channel_sales_daily" in str(result.exception)
