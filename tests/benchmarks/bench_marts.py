"""A year of facts to published marts: seconds, CPU and peak memory of each phase.

Run it alone (`make bench-marts`); it starts a PostgreSQL of its own and leaves nothing behind.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from resources.analytics_store import AnalyticsStore
from resources.lake import Lake
from resources.operational_store import embedded
from resources.operational_store.migrate import upgrade

ORDERS, LINES = 20_000, 27


def measured(phase: str, work: Callable[[], Any]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    print(
        f"{phase:<28} {time.perf_counter() - wall:7.2f} s wall {time.process_time() - cpu:7.2f} s"
        f" CPU {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:5} MB peak",
        flush=True,
    )
    return result


def main() -> None:
    facts = (Path(__file__).parent / "year_of_facts.sql").read_text()
    facts = facts.replace(":orders", str(ORDERS)).replace(":lines", str(LINES))
    with tempfile.TemporaryDirectory(prefix="omniflow-bench-") as folder:
        Path(folder).chmod(0o755)
        data_dir = Path(folder) / "postgres"
        try:
            url = embedded.start(data_dir, durable=False)
            upgrade(url)
            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                measured("made facts in PostgreSQL", lambda: connection.execute(facts))
            engine = sa.create_engine(url)
            store = AnalyticsStore(Path(folder) / "warehouse", Lake(Path(folder) / "lake"))
            tally = measured("export to the lake", lambda: store.lake.export(engine))
            print(f"{'':<28} {tally.rows:,} rows, {tally.rows / tally.seconds:,.0f} rows/s")
            engine.dispose()
            measured("parse the dbt project", store.parse)
            report = measured("full build with tests", store.build)
            print(f"{'':<28} {len(report.nodes)} models and tests, success {report.success}")
            measured("incremental build with tests", store.build)
            measured("publish", store.publish)
        finally:
            embedded.stop(data_dir, immediately=True)


if __name__ == "__main__":
    main()
