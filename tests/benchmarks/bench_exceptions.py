"""From an event to a case with an owner: latency at a steady rate, ``make bench-exceptions``.

Two inbox sensors in processes of their own, a PostgreSQL with fsync, and this process, which sends
events at a steady rate, one in twenty of them impossible (money captured that nobody asked for).
Times are those of commits, as PostgreSQL stamps them: from the event's row to the case that has its
owner and due time. Then ten thousand events at once, with the alarm of the inbox.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assets.contracts.admission import Submission
from resources.operational_store.bulk import fetch
from resources.operational_store.door import Door
from resources.operational_store.store import OperationalStore
from resources.partners import PartnerBook
from resources.store_access import StoreAccess
from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result
from tests.benchmarks.retailer import (
    admit,
    bring,
    captured,
    make_orders,
    opened_database,
    placed,
    store_of,
)
from tests.no_sinks import no_sinks

#: (events a second, seconds)
RATES = ((200, 120), (1_000, 30))
TINY = ((200, 2),)
BURST, TINY_BURST = 10_000, 300
ONE_IN = 20
LINES = 3
_PER_SECOND = 50
_LATENCY = """
select
    count(*),
    1000 * percentile_cont(0.5) within group (order by seconds),
    1000 * percentile_cont(0.95) within group (order by seconds),
    1000 * max(seconds)
from (
    select extract(epoch from
        pg_xact_commit_timestamp(c.recorded_xid::text::xid)
        - pg_xact_commit_timestamp(i.xmin)) as seconds
    from exception_case c
    join event_identity i on i.event_id = 'captured-' || split_part(c.business_key, '/', 2)
    where c.case_type = 'capture_not_asked_for' and c.owner is not null and c.due_at is not null
        and c.opened_at >= %s
) as measured
"""


@contextmanager
def workers(url: str, folder: Path) -> Iterator[None]:
    """Both inbox sensors, ready to work."""
    script = Path(__file__).with_name("inbox_worker.py")
    started = [
        subprocess.Popen(
            [sys.executable, str(script), url, str(folder), phase],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=measuring.PROJECT,
            env={**os.environ, "PYTHONPATH": str(measuring.PROJECT)},
        )
        for phase in ("0.0", "0.5")
    ]
    try:
        for process in started:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise SystemExit("a worker did not start")
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def plan(
    store: OperationalStore, rates: tuple[tuple[int, int], ...]
) -> list[tuple[int, int, list[Submission], int]]:
    """(rate, seconds, events, how many are impossible) of each; what those are about is placed."""
    plans = []
    first = 0
    for rate, seconds in rates:
        troubled = rate * seconds // ONE_IN
        placed_before = make_orders(troubled, LINES, first=first)
        bring(store, list(map(placed, placed_before)), placed_before[-1].placed_at)
        others = make_orders(rate * seconds - troubled, LINES, first=first + troubled)
        events = list(map(placed, others))
        for position, order in enumerate(placed_before):
            events.insert(position * ONE_IN, captured(order))
        plans.append((rate, seconds, events, troubled))
        first += len(events)
    return plans


def send(store: OperationalStore, events: list[Submission], rate: int) -> None:
    """Bring events through the door at a steady rate."""
    door, size = Door(), rate // _PER_SECOND
    began = time.perf_counter()
    for number, start in enumerate(range(0, len(events), size)):
        wait = began + number / _PER_SECOND - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        admit(store, events[start : start + size], door)


def waiting(store: OperationalStore) -> int:
    with store.transaction() as connection:
        found = fetch(connection, "select count(*) from event_inbox where status = 'pending'")
    return int(found[0][0])


def settle(store: OperationalStore) -> float:
    """Until nothing waits; gives the seconds."""
    began = time.perf_counter()
    while waiting(store):
        time.sleep(0.02)
    return time.perf_counter() - began


def now(store: OperationalStore) -> object:
    with store.transaction() as connection:
        return fetch(connection, "select now()")[0][0]


def measure_rates(
    url: str,
    store: OperationalStore,
    folder: Path,
    rates: tuple[tuple[int, int], ...],
    result: Result,
) -> None:
    table = result.table(
        "Event committed to case routed with owner and due time",
        "events/s",
        "seconds",
        "cases",
        "p50 ms",
        "p95 ms",
        "longest ms",
        "seconds until nothing waited",
    )
    plans = plan(store, rates)
    with workers(url, folder):
        for rate, seconds, events, troubled in plans:
            since = now(store)
            send(store, events, rate)
            left = settle(store)
            with store.transaction() as connection:
                ((cases, middle, most, longest),) = fetch(connection, _LATENCY, since)
            if cases != troubled:
                raise SystemExit(f"{troubled} events were impossible and {cases} have a case")
            table.add(rate, seconds, cases, float(middle), float(most), float(longest), left)
            if rate == rates[0][0]:
                promise(result, "p50", float(middle), 100)
                promise(result, "p95", float(most), 1_000)


def promise(result: Result, what: str, measured: float, limit: int) -> None:
    name = f"routed at 200 events/s, {what}"
    result.figure(name, f"≤ {limit:,} ms", f"{measured:.0f} ms", measured <= limit)


def measure_burst(
    url: str, store: OperationalStore, folder: Path, count: int, result: Result
) -> None:
    """So many events that wait before anybody works: the alarm, and each handled once."""
    policies = folder / "policies"
    access = StoreAccess(url, policies, lambda: PartnerBook([]), no_sinks)
    orders = make_orders(count, LINES, first=1_000_000)
    door = Door()
    for start in range(0, count, 1_000):
        admit(store, list(map(placed, orders[start : start + 1_000])), door)
    access.report_lag()
    raised = lag_case(store)
    began = time.perf_counter()
    with workers(url, policies):
        settle(store)
    took = time.perf_counter() - began
    access.report_lag()
    access.store.engine.dispose()
    with store.transaction() as connection:
        ((handled, distinct),) = fetch(
            connection,
            "select count(*), count(distinct order_number) from order_placed"
            " where order_number = any(%s)",
            [order.number for order in orders],
        )
    if (handled, distinct) != (count, count):
        raise SystemExit(f"{count} were sent, {handled} handled, {distinct} of them different")
    table = result.table(
        "A burst that waits", "events", "handled once", "seconds with start of the sensors",
        "alarm when it waited", "alarm afterwards",
    )  # fmt: skip
    table.add(count, distinct, took, raised, lag_case(store))


def lag_case(store: OperationalStore) -> str:
    with store.transaction() as connection:
        found = fetch(connection, "select status from exception_case where case_type = 'inbox_lag'")
    return str(found[0][0]) if found else "none"


def main() -> None:
    arguments = measuring.parser(__doc__).parse_args()
    rates = TINY if arguments.tiny else RATES
    burst = TINY_BURST if arguments.tiny else BURST
    result = Result(
        "exceptions",
        "Exceptions in near real time",
        "; ".join(f"{rate:,} events/s for {seconds} s" for rate, seconds in rates)
        + f"; one in {ONE_IN} impossible; then {burst:,} at once",
    )
    with measuring.server() as server, measuring.working_folder() as folder:
        server.url = measuring.stamp_commits(server.data_dir)
        result.postgresql = server.version
        url = opened_database(server)
        store = store_of(url)
        measure_rates(url, store, folder / "policies", rates, result)
        measure_burst(url, store, folder, burst, result)
        store.engine.dispose()
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
