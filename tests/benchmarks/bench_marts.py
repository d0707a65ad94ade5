"""From facts to marts: lake export, full and incremental build, reading meanwhile.

``make bench-marts`` makes a year of facts by SQL, at the size of the real one; with ``--home`` the
facts of a replayed year are exported anew and built, as ``make bench`` does after
``bench_replay.py``. The home's own lake and warehouse are left alone. A reader in another process
asks the published marts again and again while builds and publications run.
"""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from resources.analytics_store.reports import BuildReport
from resources.analytics_store.store import AnalyticsStore
from resources.lake.lake import Lake
from resources.lake.tallies import ExportTally
from resources.operational_store import embedded
from resources.operational_store.store import OperationalStore
from tests.benchmarks import measuring
from tests.benchmarks.measuring import MIB, Result, Spent, Table, spending
from tests.benchmarks.retailer import (
    T0,
    bring,
    bring_whole_lives,
    make_orders,
    opening,
    store_of,
)

MART = "fulfillment_backlog"
#: One more day of the year's trade, brought in before the incremental build.
NEWS = 100
#: Orders and lines of each where there is no home: the size of the real year.
YEAR = (20_000, 27)


@dataclass(frozen=True)
class Readings:
    """What a reader met while marts were built."""

    count: int
    slowest_ms: float
    middle_ms: float


def read_again_and_again(warehouse: Path, lake: Path, ended: Any, answer: Any) -> None:
    """In a process of its own: open what is published, count the rows of a mart, and again."""
    store = AnalyticsStore(warehouse, Lake(lake))
    taken = []
    try:
        while not ended.is_set():
            began = time.perf_counter()
            with store.reading() as connection:
                connection.execute(f"select count(*) from marts.{MART}").fetchall()
            taken.append(1000 * (time.perf_counter() - began))
            ended.wait(0.05)
    except Exception as error:  # noqa: BLE001  whatever a reader meets is what is measured
        answer.put(repr(error))
        return
    answer.put(taken)


@contextmanager
def being_read(warehouse: Path, lake: Path) -> Iterator[list[Readings]]:
    context = multiprocessing.get_context("spawn")
    ended, answer = context.Event(), context.SimpleQueue()
    reader = context.Process(target=read_again_and_again, args=(warehouse, lake, ended, answer))
    reader.start()
    found: list[Readings] = []
    try:
        yield found
    finally:
        ended.set()
        taken = answer.get()
        reader.join()
    if isinstance(taken, str):
        raise SystemExit(f"a reader failed while marts were built: {taken}")
    found.append(Readings(len(taken), max(taken, default=0.0), measuring.median(taken or [0.0])))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


def measured_export(lake: Lake, store: OperationalStore, table: Table, name: str) -> ExportTally:
    cost, before = Spent(), size_of(lake.root) if lake.root.exists() else 0
    with spending(cost):
        tally = lake.export(store.engine)
    table.add(
        name,
        tally.rows,
        cost.wall,
        tally.rows / cost.wall,
        (size_of(lake.root) - before) / MIB,
        cost.client,
    )
    return tally


def measured_build(
    warehouse: AnalyticsStore, table: Table, name: str, result: Result, *, full: bool = False
) -> BuildReport:
    build, publication = Spent(), Spent()
    with spending(build):
        report = warehouse.build(full_refresh=full)
    if not report.success:
        raise SystemExit(f"a build failed: {[node.name for node in report.failed]}")
    with spending(publication):
        warehouse.publish()
    models = sum(node.kind == "model" for node in report.nodes)
    tests = sum(node.kind == "test" for node in report.nodes)
    table.add(name, models, tests, build.wall, build.client, publication.wall)
    result.data[name] = {"seconds": build.wall, "publish_seconds": publication.wall}
    return report


def measure(
    folder: Path, store: OperationalStore, result: Result, news: int, *, is_tiny: bool = False
) -> None:
    # What the hundred orders buy, so that they are all that is new later.
    bring(store, opening(), T0)
    lake = Lake(folder / "lake")
    warehouse = AnalyticsStore(folder / "warehouse", lake)
    exports = result.table(
        "Lake export, PostgreSQL to Parquet",
        "export",
        "rows",
        "seconds",
        "rows/s",
        "MB written",
        "CPU s",
    )
    builds = result.table(
        "dbt in this process, with all data tests",
        "build",
        "models",
        "tests",
        "seconds",
        "CPU s",
        "seconds to publish",
    )
    measuring.forget_peak()
    measured_export(lake, store, exports, "everything")
    with spending(parsing := Spent()):
        warehouse.parse()
    builds.add("parsing the project, once per process", "", "", parsing.wall, parsing.client, "")
    measured_build(warehouse, builds, "first build", result)
    with being_read(warehouse.home, lake.root) as readings:
        if not is_tiny:
            measured_build(warehouse, builds, "full refresh", result, full=True)
        bring_whole_lives(store, make_orders(news, 3))
        measured_export(lake, store, exports, f"{news} orders more")
        measured_build(warehouse, builds, f"incremental, {news} orders more", result)
        if not is_tiny:
            measured_build(warehouse, builds, "incremental, nothing new", result)
    read = result.table(
        f"Reading `{MART}` from another process while the builds above ran",
        "readings",
        "failed",
        "median ms",
        "slowest ms",
    )
    read.add(readings[0].count, 0, readings[0].middle_ms, readings[0].slowest_ms)
    used = result.table("Memory", "process", "peak MB")
    used.add("exporting and building", measuring.peak_megabytes())


def main() -> None:
    options = measuring.parser(__doc__)
    options.add_argument("--home", type=Path, help="a home that bench_replay.py kept")
    arguments = options.parse_args()
    news = 10 if arguments.tiny else NEWS
    if arguments.home is not None:
        measure_home(arguments.home.absolute(), arguments, news)
        return
    orders, lines = (50, 3) if arguments.tiny else YEAR
    result = Result("marts", "Lake and marts", f"{orders:,} made orders of {lines} lines")
    facts = (Path(__file__).parent / "year_of_facts.sql").read_text()
    facts = facts.replace(":orders", str(orders)).replace(":lines", str(lines))
    with measuring.server() as server, measuring.working_folder() as folder:
        result.postgresql = server.version
        url = server.database()
        with psycopg.connect(measuring.plain_url(url)) as connection:
            connection.execute(facts)  # type: ignore[call-overload]
        store = store_of(url)
        measure(folder, store, result, news, is_tiny=arguments.tiny)
        store.engine.dispose()
    measuring.keep(result, arguments)


def measure_home(home: Path, arguments: Any, news: int) -> None:
    if not (home / "home.json").exists():
        print(f"skipped: {home} is no home")
        return
    result = Result("marts", "Lake and marts", "the facts of the replayed year")
    was_running = embedded.is_running(home / "postgres")
    embedded.start(home / "postgres")
    folder = Path(tempfile.mkdtemp(prefix="omniflow-bench-"))
    try:
        url = embedded.url(home / "postgres", "omniflow")
        result.postgresql = str(measuring.query(url, "show server_version")[0][0])
        # The export starts where its watermark says: this one is to begin at the beginning.
        measuring.query(url, "truncate lake_watermark")
        store = store_of(url)
        measure(folder, store, result, news)
        store.engine.dispose()
    finally:
        if not was_running:
            embedded.stop(home / "postgres")
        shutil.rmtree(folder, ignore_errors=True)
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
